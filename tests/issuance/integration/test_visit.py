"""A citizen comes, is served step by step, and leaves with the card: over HTTP."""

from datetime import timedelta

from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.ids import PartyId, new_id
from tests.issuance.support import (
    CENTER,
    LICENCE,
    OFFICE,
    RENEWAL,
    WARD,
    City,
    Clerk,
    new_case,
    ok,
    opened,
    refused,
)


async def test_from_check_in_to_card_in_hand(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)

    answer = await clerk.check_in(booking_id=booking.booking_id)
    visit = ok(answer)
    assert answer.headers["location"] == f"/v1/visits/{visit['visit_id']}"
    assert visit["arrival"] == "booked"
    (case,) = visit["cases"]
    assert (case["next_step"], case["shelf_position"]) == ("call", "A-01")

    path = visit["visit_id"]
    assert ok(await clerk.call(path))["cases"][0]["next_step"] == "identity"
    ok(await clerk.step(path, case_id, "identity", LICENCE))
    ok(await clerk.step(path, case_id, "pin-set", {"confirmed": True}))
    done = ok(await clerk.step(path, case_id, "issue"))
    assert done["state"] == "ended"
    assert done["cases"][0]["state"] == "done"
    assert done["cases"][0]["documents"] == ["drivers_licence"]

    said = await city.said(case_id)
    assert [event["type"] for event in said] == [
        "visit.checked_in.v1",
        "visit.called.v1",
        "card.issued.v1",
        "visit.completed.v1",
    ]
    issued = said[2]
    assert issued["ward"] == WARD
    assert issued["kind"] == "renewal"
    assert issued["procedure"] == "card_issuance"
    assert issued["booking_id"] == str(booking.booking_id)
    assert await city.actions() == [
        "visit.check_in",
        "visit.call",
        "case.verify_identity",
        "case.confirm_pin",
        "card.issue",
    ]


async def test_a_party_is_one_visit_and_ends_with_its_last_case(city: City, clerk: Clerk) -> None:
    party = PartyId(new_id())
    first, second = await city.card(), await city.card()
    booking = await city.booking(first, party_id=party)
    await city.booking(second, party_id=party)

    visit_id, cases = await clerk.up_to_issue(booking_id=booking.booking_id)
    assert set(cases) == {str(first), str(second)}
    assert ok(await clerk.step(visit_id, first, "issue"))["state"] == "called"
    assert "visit.completed.v1" not in await city.types_said()
    assert ok(await clerk.step(visit_id, second, "issue"))["state"] == "ended"
    assert (await city.types_said()).count("visit.completed.v1") == 2


async def test_what_stands_in_the_way_of_one_defers_it_and_serves_the_other(
    city: City, clerk: Clerk
) -> None:
    party = PartyId(new_id())
    here, there = await city.card(), await city.card(CENTER)
    booking = await city.booking(there, party_id=party)
    await city.booking(here, party_id=party)

    visit = ok(await clerk.check_in(booking_id=booking.booking_id))
    states = {case["case_id"]: (case["state"], case["reason"]) for case in visit["cases"]}
    assert states == {str(here): ("open", None), str(there): ("deferred", "card_not_here")}
    assert await city.types_said(there) == ["visit.checked_in.v1", "visit.deferred.v1"]


async def test_a_walk_in_comes_with_the_notice_number(city: City, clerk: Clerk) -> None:
    await city.card(number="A1B-234567")
    visit = ok(await clerk.check_in(notice_number="a1b234567"))
    assert visit["arrival"] == "walk_in"
    assert visit["cases"][0]["booking_id"] is None


async def test_the_notice_number_finds_the_booking_of_today(city: City, clerk: Clerk) -> None:
    case_id = await city.card(number="A1B-234567")
    booking = await city.booking(case_id)
    visit = ok(await clerk.check_in(notice_number="A1B-234567"))
    assert visit["arrival"] == "booked"
    assert visit["cases"][0]["booking_id"] == str(booking.booking_id)


async def test_late_after_the_grace(city: City, clerk: Clerk, clock: FixedClock) -> None:
    booking = await city.booking(await city.card())
    clock.set(booking.starts_at + timedelta(minutes=10, seconds=1))
    assert ok(await clerk.check_in(booking_id=booking.booking_id))["arrival"] == "late"


async def test_no_step_is_skipped(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    body = refused(await clerk.step(visit_id, case_id, "issue"), "step-missing")
    assert body["next_step"] == "call"
    await clerk.call(visit_id)
    refused(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}), "step-missing")
    ok(await clerk.step(visit_id, case_id, "identity", LICENCE))
    body = refused(await clerk.step(visit_id, case_id, "issue"), "step-missing")
    assert body["next_step"] == "pin-set"
    refused(
        await clerk.step(visit_id, case_id, "renew", {"certificates": ["signing"]}),
        "wrong-procedure",
    )


async def test_identity_needs_proof(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    await clerk.call(visit_id)
    one_b = {"documents": [{"class": "B", "type": "pension_book"}]}
    refused(await clerk.step(visit_id, case_id, "identity", one_b), "identity-not-proved", 422)
    as_a = {"documents": [{"class": "A", "type": "pension_book"}]}
    body = refused(
        await clerk.step(visit_id, case_id, "identity", as_a), "document-class-wrong", 422
    )
    assert body["expected"] == "B"


async def test_missing_documents_defer_and_the_citizen_may_come_again(
    city: City, clerk: Clerk
) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    await clerk.call(visit_id)
    visit = ok(await clerk.step(visit_id, case_id, "defer", {"reason": "documents_missing"}))
    assert visit["state"] == "ended"
    refused(await clerk.step(visit_id, case_id, "identity", LICENCE), "case-closed")
    refused(await clerk.call(visit_id), "visit-ended")
    assert (await city.said(case_id))[-1]["reason"] == "documents_missing"
    again = ok(await clerk.check_in(booking_id=booking.booking_id))
    assert again["visit_id"] != visit_id


async def test_a_certificate_renewal_needs_no_card_from_the_shelf(city: City, clerk: Clerk) -> None:
    case_id = new_case()
    await city.hear_records([city.record(opened(case_id, RENEWAL), topic="reservation.events")])
    booking = await city.booking(case_id, procedure=Procedure.CERTIFICATE_RENEWAL)
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    await clerk.call(visit_id)
    refused(await clerk.step(visit_id, case_id, "issue"), "wrong-procedure")
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    both = {"certificates": ["user_authentication", "signing"]}
    assert ok(await clerk.step(visit_id, case_id, "renew", both))["state"] == "ended"
    renewed = (await city.said(case_id))[-2]
    assert renewed["type"] == "certificate.renewed.v1"
    assert renewed["certificates"] == ["signing", "user_authentication"]


async def test_a_call_to_another_counter_is_told_and_to_the_same_is_not(
    city: City, clerk: Clerk
) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    for counter in ("3", "3", "4"):
        ok(await clerk.call(visit_id, counter))
    assert (await city.types_said()).count("visit.called.v1") == 2


async def test_the_day_shows_who_is_expected_and_who_has_come(city: City, clerk: Clerk) -> None:
    here = await city.booking(await city.card())
    travelling = await city.booking(
        await city.card(CENTER), starts_at=here.starts_at + timedelta(hours=1)
    )
    ok(await clerk.check_in(booking_id=here.booking_id))
    day = ok(await clerk.get(f"/v1/sites/{OFFICE}/day"))
    assert day["date"] == "2026-07-14"
    assert [(case["booking_id"], case["state"], case["obstacle"]) for case in day["expected"]] == [
        (str(here.booking_id), "seen", None),
        (str(travelling.booking_id), "expected", "card-not-here"),
    ]
    assert len(day["visits"]) == 1
    other = ok(await clerk.get(f"/v1/sites/{OFFICE}/day?date=2026-07-15"))
    assert (other["expected"], other["visits"]) == ([], [])


async def test_a_visit_has_a_tag_that_changes_with_it(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    path = f"/v1/visits/{ok(await clerk.check_in(booking_id=booking.booking_id))['visit_id']}"
    tag = (await clerk.get(path)).headers["etag"]
    assert (await clerk.get(path, **{"If-None-Match": tag})).status_code == 304
    await clerk.call(path.removeprefix("/v1/visits/"))
    changed = await clerk.get(path, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
