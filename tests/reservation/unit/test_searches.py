"""Searches are counted by what was asked, and told in numbers."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain import searches
from services.reservation.domain.availability import Question
from services.reservation.domain.searches import Searches
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode

DAY = date(2026, 4, 1)
CARD, RENEWAL = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL
WARD, OTHER = WardCode("141313"), WardCode("141321")
SITE = SiteId("center")
KNOWN = frozenset({SITE, SiteId("office")})
WARDS = frozenset({WARD, OTHER})


def question(
    *procedures: Procedure, wards: tuple[WardCode, ...] = (), sites: Any = None
) -> Question:
    return Question(procedures or (CARD,), wards, DAY, DAY, site_ids=sites)


def test_a_search_counts_for_each_procedure_and_is_in_vain_for_some() -> None:
    counted = Searches()
    counted.count(question(CARD, RENEWAL, wards=(WARD,)), {RENEWAL}, DAY, KNOWN, WARDS)
    counted.count(question(CARD, wards=(WARD,)), (), DAY, KNOWN, WARDS)
    assert counted.take() == {(DAY, WARD, CARD, None): (2, 0), (DAY, WARD, RENEWAL, None): (1, 1)}
    assert counted.take() == {}


def test_several_wards_or_sites_are_none() -> None:
    counted = Searches()
    counted.count(question(wards=(WARD, OTHER), sites=frozenset({SITE})), (), DAY, KNOWN, WARDS)
    counted.count(question(sites=frozenset({SITE, SiteId("office")})), {CARD}, DAY, KNOWN, WARDS)
    assert counted.take() == {(DAY, None, CARD, SITE): (1, 0), (DAY, None, CARD, None): (1, 1)}


def test_a_site_that_nobody_knows_is_not_named() -> None:
    counted = Searches()
    counted.count(question(sites=frozenset({SiteId("taro-yamada")})), {CARD}, DAY, KNOWN, WARDS)
    assert counted.take() == {(DAY, None, CARD, None): (1, 1)}


def test_a_ward_that_nobody_knows_is_not_named() -> None:
    counted = Searches()
    for number in range(9):
        ward = WardCode(f"{number:06}")
        counted.count(question(wards=(ward,)), {CARD}, DAY, KNOWN, WARDS)
    assert counted.take() == {(DAY, None, CARD, None): (9, 9)}


def test_however_many_wards_there_are_memory_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(searches, "LARGEST", 3)
    counted = Searches()
    wards = [WardCode(f"{number:06}") for number in range(9)]
    for ward in wards:
        counted.count(question(wards=(ward,)), {CARD}, DAY, KNOWN, frozenset(wards))
    counted.give_back({(DAY, WARD, CARD, SITE): (1, 1), (DAY, OTHER, CARD, SITE): (1, 0)})
    assert counted.counts[DAY, None, CARD, None] == (8, 7)
    assert sum(found for found, _ in counted.take().values()) == 11


@given(st.lists(st.booleans()), st.lists(st.booleans()))
def test_what_could_not_be_told_counts_on(first: list[bool], second: list[bool]) -> None:
    counted = Searches()
    for refused in first:
        counted.count(question(), {CARD} if refused else (), DAY, KNOWN, WARDS)
    taken = counted.take()
    for refused in second:
        counted.count(question(), {CARD} if refused else (), DAY, KNOWN, WARDS)
    counted.give_back(taken)
    both = first + second
    assert counted.take() == ({(DAY, None, CARD, None): (len(both), sum(both))} if both else {})
