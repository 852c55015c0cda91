"""A card is handed over only when everything known of it allows that."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.case_file import (
    AlreadyDone,
    CardDisposed,
    CardElsewhere,
    CardExpired,
    CardInTransit,
    CardNotReady,
    CardOnHold,
    CardVoid,
    CaseFile,
    CaseUnknown,
    Ended,
    Unservable,
    obstacle,
    require_servable,
)
from shared.contracts.base import CaseKind, Procedure
from shared.contracts.issuance import DeferReason
from shared.ids import CaseId, SiteId, WardCode, new_id

HERE, THERE = SiteId("here"), SiteId("there")
TODAY = date(2026, 7, 14)
READY = CaseFile(
    case_id=CaseId(new_id()),
    procedure=Procedure.CARD_ISSUANCE,
    kind=CaseKind.NEW,
    ward=WardCode("141313"),
    site_id=HERE,
    shelf_position="A-01",
    notified=True,
    card_expires_on=date(2036, 1, 1),
)


def test_a_ready_card_on_this_shelf() -> None:
    require_servable(READY, HERE, TODAY)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"is_done": True}, AlreadyDone),
        ({"procedure": None}, CaseUnknown),
        ({"kind": None}, CaseUnknown),
        ({"ward": None}, CaseUnknown),
        ({"ended": Ended.VOIDED}, CardVoid),
        ({"ended": Ended.DISPOSAL_DUE}, CardDisposed),
        ({"ended": Ended.DISPOSED}, CardDisposed),
        ({"card_expires_on": TODAY - timedelta(days=1)}, CardExpired),
        ({"held": True}, CardOnHold),
        ({"site_id": None, "in_transit": True}, CardInTransit),
        ({"site_id": THERE}, CardElsewhere),
        ({"site_id": None}, CardElsewhere),
        ({"notified": False}, CardNotReady),
        ({"held": True, "ended": Ended.VOIDED}, CardVoid),
    ],
)
def test_one_thing_in_the_way_is_enough(changes: dict[str, Any], error: type[Unservable]) -> None:
    with pytest.raises(error):
        require_servable(replace(READY, **changes), HERE, TODAY)


def test_the_last_day_of_validity_still_counts() -> None:
    require_servable(replace(READY, card_expires_on=TODAY), HERE, TODAY)


def test_a_renewal_needs_no_card_from_a_shelf() -> None:
    file = replace(READY, procedure=Procedure.CERTIFICATE_RENEWAL, site_id=None, notified=False)
    assert obstacle(file, HERE, TODAY) is None
    assert isinstance(obstacle(replace(file, is_done=True), HERE, TODAY), AlreadyDone)


def test_what_a_visit_says_of_each() -> None:
    assert CardOnHold.defer_reason is DeferReason.CARD_HELD
    assert CardElsewhere.defer_reason is CardInTransit.defer_reason is DeferReason.CARD_NOT_HERE


def test_every_refusal_has_its_own_name_and_a_remedy_in_both_languages() -> None:
    kinds = Unservable.__subclasses__()
    assert len({kind.slug for kind in kinds}) == len(kinds)
    for kind in kinds:
        assert kind.title.en != kind.title.ja
        assert kind.remedy.en != kind.remedy.ja


files = st.builds(
    CaseFile,
    case_id=st.just(READY.case_id),
    procedure=st.sampled_from([None, *Procedure]),
    kind=st.sampled_from([None, *CaseKind]),
    ward=st.sampled_from([None, WardCode("141313")]),
    site_id=st.sampled_from([None, HERE, THERE]),
    in_transit=st.booleans(),
    held=st.booleans(),
    ended=st.sampled_from([None, *Ended]),
    notified=st.booleans(),
    card_expires_on=st.none() | st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    is_done=st.booleans(),
)


@given(files)
def test_nothing_slips_through(file: CaseFile) -> None:
    if obstacle(file, HERE, TODAY) is not None:
        return
    assert not file.is_done
    assert file.ward is not None
    if file.procedure is Procedure.CARD_ISSUANCE:
        assert file.site_id == HERE
        assert file.notified
        assert not any((file.held, file.ended, file.in_transit))
        assert file.card_expires_on is None or file.card_expires_on >= TODAY


@given(files, st.sampled_from(["held", "in_transit", "is_done"]))
def test_bad_news_never_opens_a_door(file: CaseFile, news: str) -> None:
    changes: dict[str, Any] = {news: True}
    worse = replace(file, **changes)
    if obstacle(file, HERE, TODAY) is not None:
        assert obstacle(worse, HERE, TODAY) is not None
