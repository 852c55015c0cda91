"""Whole visits of proxies: what the single doors demand, and what they leave."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.clock import FixedClock
from shared.db import Database
from shared.ids import CaseId
from tests.issuance.batches import renewed, results, served
from tests.issuance.support import LICENCE, OFFICE, WARD, City, Clerk, ok

PASSPORT = [{"class": "A", "type": "passport"}]
CARD_PROXY = {
    "reason": "illness",
    "documents": PASSPORT,
    "papers": ["power_of_attorney", "evidence_of_reason"],
}
FIRST = {"reason": "in_care", "documents": PASSPORT, "papers": ["power_of_attorney"]}
SECOND = FIRST | {"papers": ["power_of_attorney", "sealed_reply"]}
VALID = {"signing": "valid", "user_authentication": "renewable"}
EXPIRED = {"signing": "expired", "user_authentication": "valid"}
LETTER = {"outcome": "deferred", "reason": "inquiry_letter", "certificates": None}
_LEFT = (
    "SELECT step, result, documents, papers, done_at FROM case_step WHERE case_id = $1"
    " ORDER BY step",
    "SELECT signing, signing_wrong, user_authentication, failed FROM certificate_work"
    " WHERE case_id = $1",
    "SELECT site_id, ward, state, asked_at, mailed_at, returned_at FROM inquiry_letter"
    " WHERE case_id = $1",
)


async def left_of(database: Database, case_id: CaseId) -> list[list[dict[str, Any]]]:
    """What a case has left of its steps, its certificates and its letter."""
    async with database.reader() as conn:
        return [[dict(row) for row in await conn.fetch(query, case_id)] for query in _LEFT]


async def told(city: City, case_id: CaseId) -> list[dict[str, Any]]:
    """What was said of a case, without ids."""
    own = {"case_id", "visit_id", "booking_id"}
    return [
        {name: value for name, value in one.items() if name not in own}
        for one in await city.said(case_id)
    ]


async def test_a_card_that_a_proxy_fetches_leaves_what_single_commands_leave(
    city: City, clerk: Clerk, clock: FixedClock, database: Database
) -> None:
    single, whole = await city.card(), await city.card()
    bookings = [(await city.booking(case)).booking_id for case in (single, whole)]
    visit_id = ok(await clerk.check_in(booking_id=bookings[0]))["visit_id"]
    clock.advance(timedelta(minutes=5))
    ok(await clerk.call(visit_id))
    clock.advance(timedelta(minutes=4))
    ok(await clerk.step(visit_id, single, "proxy", CARD_PROXY))
    ok(await clerk.step(visit_id, single, "identity", LICENCE))
    clock.advance(timedelta(minutes=6))
    ok(await clerk.step(visit_id, single, "pin-set", {"confirmed": True}))
    clock.advance(timedelta(minutes=5))
    ok(await clerk.step(visit_id, single, "issue"))
    (end,) = await results(clerk, served(0, booking_id=bookings[1], proxy=CARD_PROXY))
    assert end["cases"][0]["state"] == "done"
    assert await left_of(database, whole) == await left_of(database, single)
    assert await told(city, whole) == await told(city, single)


async def test_a_renewal_by_proxy_takes_two_visits_and_a_letter(
    city: City, clerk: Clerk, database: Database
) -> None:
    (first,) = await results(clerk, renewed(-60, proxy=FIRST, states=EXPIRED, **LETTER))
    case_id = CaseId(UUID(first["cases"][0]["case_id"]))
    assert first["cases"][0]["reason"] == "inquiry_letter"
    deferred = (await city.said(case_id))[-1]
    assert deferred["type"] == "visit.deferred.v1"
    assert deferred["bring"] == ["sealed_reply", "card"]
    path = f"/v1/inquiry-letters?site_id={OFFICE}&state=to_mail"
    (letter,) = ok(await clerk.get(path))["items"]
    assert (letter["case_id"], letter["ward"]) == (str(case_id), WARD)
    ok(await clerk.post(f"/v1/inquiry-letters/{case_id}:mailed"))
    booking = await city.booking(case_id)
    second = renewed(-20, ward=None, booking_id=booking.booking_id, proxy=SECOND)
    assert await results(clerk, second) == ["certificate-states-missing"]
    (end,) = await results(clerk, second | {"states": EXPIRED})
    assert end["cases"][0]["state"] == "done"
    steps, (work,), (letter,) = await left_of(database, case_id)
    assert [step["step"] for step in steps] == ["certificates", "certificates", "proxy", "proxy"]
    assert (work["signing"], work["user_authentication"]) == ("expired", "valid")
    assert letter["state"] == "returned"


async def test_a_proxy_with_everything_renews_the_same_day(city: City, clerk: Clerk) -> None:
    (end,) = await results(clerk, renewed(-60, proxy=SECOND, states=VALID))
    case_id = CaseId(UUID(end["cases"][0]["case_id"]))
    assert "certificate.renewed.v1" in await city.types_said(case_id)


async def test_each_is_refused_as_at_the_counter(city: City, clerk: Clerk) -> None:
    fetched = {"booking_id": (await city.booking(await city.card())).booking_id}
    weak = CARD_PROXY | {"documents": [{"class": "B", "type": "pension_book"}]}
    locked = VALID | {"signing": "locked"}
    assert await results(
        clerk,
        served(-60, **fetched, proxy=CARD_PROXY | {"papers": ["power_of_attorney"]}),
        served(-60, **fetched, proxy=CARD_PROXY | {"documents": []}),
        served(-60, **fetched, proxy=weak),
        renewed(-60, proxy=SECOND),
        renewed(-60, proxy=FIRST, states=VALID),
        renewed(-60, proxy=SECOND, states=EXPIRED),
        renewed(-60, states=locked),
        renewed(-60, proxy=SECOND, states=VALID, **LETTER),
    ) == [
        *("step-missing", "step-missing", "identity-not-proved"),
        *("certificate-states-missing", "two-visits-needed", "two-visits-needed"),
        *("certificate-locked", "no-letter-needed"),
    ]


async def test_of_two_letters_in_one_batch_one_is_asked_for(city: City, clerk: Clerk) -> None:
    (first,) = await results(clerk, renewed(-90, outcome="left", called_at=None, counter=None))
    case_id = CaseId(UUID(first["cases"][0]["case_id"]))
    booking = (await city.booking(case_id)).booking_id
    come = {"ward": None, "booking_id": booking, "proxy": FIRST, "states": EXPIRED, **LETTER}
    found = await results(clerk, renewed(-60, **come), renewed(-30, **come))
    assert found[1] == "no-letter-needed"
    assert len(ok(await clerk.get(f"/v1/inquiry-letters?site_id={OFFICE}"))["items"]) == 1
