"""What proxies bring: all that the checklist asks for, and of a renewal the reply only at last."""

from dataclasses import replace
from datetime import date

from shared.contracts.base import Procedure
from simulation.replay.agenda import Turn
from simulation.replay.cases import Appointment, Case, End, Fate, Seat
from simulation.replay.proxies import STATES, come_for, states_of

DAY = date(2025, 7, 1)
MINUTE = DAY.toordinal() * 24 * 60 + 600
FIRST, LAST = (Appointment(DAY, Seat("x", MINUTE), end) for end in (End.LETTER, End.SERVED))
RENEWAL = Case(
    key="R202507-000001",
    procedure=Procedure.CERTIFICATE_RENEWAL,
    ward="141313",
    site_id="x",
    fate=Fate.COMPLETED,
    stepwise=False,
    proxy=True,
    birth_date=date(2007, 7, 1),
    certificate_ends_on=date(2025, 9, 1),
    appointments=(FIRST, LAST),
)
CARD = replace(RENEWAL, procedure=Procedure.CARD_ISSUANCE, appointments=(LAST,))


def test_a_renewals_proxy_brings_the_reply_at_the_last_visit() -> None:
    first, last = come_for(Turn(RENEWAL, 0)), come_for(Turn(RENEWAL, 1))
    assert first is not None
    assert last is not None
    assert (first["papers"], last["papers"]) == (
        ["power_of_attorney"],
        ["power_of_attorney", "sealed_reply"],
    )
    assert states_of(Turn(RENEWAL, 1)) == STATES


def test_a_cards_proxy_brings_every_paper_and_says_why() -> None:
    proxy = come_for(Turn(CARD, 0))
    assert proxy is not None
    assert proxy["papers"] == ["power_of_attorney", "evidence_of_reason"]
    assert proxy["reason"] != "under_age"
    child = come_for(Turn(replace(CARD, birth_date=date(2007, 7, 2)), 0))
    assert child is not None
    assert child["reason"] == "under_age"
    assert states_of(Turn(CARD, 0)) is None


def test_who_comes_in_person_has_no_proxy() -> None:
    assert come_for(Turn(replace(CARD, proxy=False), 0)) is None
    assert states_of(Turn(replace(RENEWAL, proxy=False), 0)) is None
