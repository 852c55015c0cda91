"""A step whose answer was lost is sent again under its key, and gives the first answer again."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from shared.clock import FixedClock
from shared.ids import new_id
from tests.issuance.support import LICENCE, OFFICE, TEN, WARD, City, Clerk, ok, refused

STATES = {"signing": "valid", "user_authentication": "valid"}


async def twice(clerk: Clerk, path: str, body: object = None) -> Mapping[str, object]:
    """The answer, which is the same the second time and under the same key alone."""
    key = str(new_id())
    first = await clerk.post(path, body, key)
    again = await clerk.post(path, body, key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    return ok(first)


async def test_every_step_of_a_hand_over_can_be_sent_again(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    await clerk.open("1")
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    await twice(clerk, f"/v1/counters/{OFFICE}/1:next")
    await twice(clerk, f"/v1/tickets/{visit_id}:recall")
    ticket = ok(await clerk.get(f"/v1/tickets/{visit_id}"))
    assert ticket["calls"] == 2, "called, and called again once"
    await twice(clerk, f"/v1/tickets/{visit_id}:skip")
    await twice(clerk, f"/v1/visits/{visit_id}:call", {"counter": "1"})
    case = f"/v1/visits/{visit_id}/cases/{booking.case_id}"
    proved = await twice(clerk, f"{case}/identity", LICENCE)
    assert ok(await clerk.get(f"/v1/visits/{visit_id}")) == proved
    await twice(clerk, f"{case}/old-card", {"result": "card_returned"})
    is_set = await twice(clerk, f"{case}/pin-set", {"confirmed": True})
    assert ok(await clerk.get(f"/v1/visits/{visit_id}")) == is_set
    await twice(clerk, f"{case}/receipt", {"signed": True})
    assert (await twice(clerk, f"{case}/issue"))["state"] == "ended"
    assert (await city.types_said(booking.case_id)).count("card.issued.v1") == 1


async def test_a_wrong_pin_that_is_told_twice_counts_once(city: City, clerk: Clerk) -> None:
    visit = await clerk.draw("certificate_renewal", ward=WARD)
    ok(await clerk.call(visit["visit_id"]))
    case = f"/v1/visits/{visit['visit_id']}/cases/{visit['cases'][0]['case_id']}"
    await twice(clerk, f"{case}/certificates", STATES)
    told = await twice(clerk, f"{case}/wrong-pin", {"certificate": "signing"})
    assert [one["wrong_pins"] for one in told["certificates"]] == [1, 0]  # type: ignore[attr-defined]
    unnamed = await clerk.client.post(
        f"{case}/wrong-pin", json={"certificate": "signing"}, headers=clerk.headers
    )
    refused(unnamed, "idempotency-key-missing", 400)


@pytest.mark.parametrize("step", ["defer", "inquiry-letter", "leave"])
async def test_an_end_that_is_told_twice_is_the_same_end(
    city: City, clerk: Clerk, step: str
) -> None:
    visit = await clerk.draw("certificate_renewal", ward=WARD)
    visit_id = visit["visit_id"]
    ok(await clerk.call(visit_id))
    case = f"/v1/visits/{visit_id}/cases/{visit['cases'][0]['case_id']}"
    if step == "inquiry-letter":
        ok(await clerk.post(f"{case}/proxy", {"reason": "illness"}))
    path = f"/v1/tickets/{visit_id}:leave" if step == "leave" else f"{case}/{step}"
    body = {"reason": "documents_missing"} if step == "defer" else None
    assert (await twice(clerk, path, body))["state"] == "ended"
    refused(await clerk.post(path, body), "visit-ended" if step == "leave" else "case-closed")


async def test_a_late_repeat_of_a_count_does_not_undo_a_newer_one(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    await clerk.up_to_issue(booking_id=booking.booking_id)
    clock.set(TEN + timedelta(hours=7))
    day = f"/v1/sites/{OFFICE}/day"
    missing = {"missing": [str(booking.case_id)]}
    key = str(new_id())
    first = await clerk.post(f"{day}/cards:count", missing, key)
    ok(await clerk.count_back(booking.case_id))
    again = await clerk.post(f"{day}/cards:count", missing, key)
    assert again.content == first.content
    (card,) = ok(await clerk.get(f"{day}/cards"))["cards"]
    assert card["is_back"], "what was said last holds"
    assert (await twice(supervisor, f"{day}:sign-off"))["cards_back"] == 1


async def test_a_late_repeat_does_not_set_a_satellite_up_that_was_taken_back(
    supervisor: Clerk,
) -> None:
    key, site = str(new_id()), {"site_id": OFFICE}
    first = await supervisor.post("/v1/satellites", site, key)
    await twice(supervisor, f"/v1/satellites/{OFFICE}:take-back")
    again = await supervisor.post("/v1/satellites", site, key)
    assert again.content == first.content
    (now,) = ok(await supervisor.get("/v1/satellites"))["items"]
    assert now["state"] == "back"


async def test_without_a_key_a_step_is_judged_anew(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.call(visit_id))
    path = f"/v1/visits/{visit_id}/cases/{booking.case_id}/identity"
    for _ in range(2):
        ok(await clerk.client.post(path, json=LICENCE, headers=clerk.headers))
    assert (await city.actions()).count("case.verify_identity") == 1
