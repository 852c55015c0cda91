"""Renewals over HTTP: locks and resets, proxies in two visits, and a system that fails midway."""

import asyncio
from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.issuance.domain.certificates import Renewal, Switch
from services.issuance.handlers import certificates
from services.issuance.handlers.certificates import SwitchNotOffered
from services.issuance.store import certificates as store
from services.issuance.store import visits
from shared.contracts.base import Certificate
from shared.db import Connection
from shared.ids import CaseId, VisitId
from tests.issuance.support import OFFICE, PEOPLE, TODAY, WARD, City, Clerk, ok, refused

VALID = {"signing": "valid", "user_authentication": "renewable"}
BOTH = {"certificates": ["signing", "user_authentication"]}
PROXY = {
    "reason": "in_care",
    "documents": [{"class": "A", "type": "passport"}],
    "papers": ["power_of_attorney"],
}
PIN = {"confirmed": True}


async def come(clerk: Clerk) -> tuple[str, str]:
    """A walk-in who has been called: visit and case."""
    visit = await clerk.draw("certificate_renewal", ward=WARD)
    ok(await clerk.call(visit["visit_id"]))
    return visit["visit_id"], visit["cases"][0]["case_id"]


async def again(city: City, clerk: Clerk, case_id: str) -> str:
    """The same case comes with a booking and is called."""
    booking = await city.booking(CaseId(UUID(case_id)))
    visit = ok(await clerk.check_in(booking_id=booking.booking_id))
    ok(await clerk.call(visit["visit_id"]))
    return str(visit["visit_id"])


def state_of(view: dict[str, Any]) -> dict[str, str]:
    """The states by certificate."""
    return {one["certificate"]: one["state"] for one in view["certificates"]}


async def test_a_locked_certificate_is_reset_and_then_written(city: City, clerk: Clerk) -> None:
    visit_id, case_id = await come(clerk)
    ok(await clerk.step(visit_id, case_id, "certificates", VALID))
    for _ in range(3):
        view = ok(
            await clerk.step(visit_id, case_id, "wrong-pin", {"certificate": "user_authentication"})
        )
    assert state_of(view) == {"signing": "valid", "user_authentication": "locked"}
    assert view["next_task"] == "reset_pin"
    ok(await clerk.step(visit_id, case_id, "pin-set", PIN))
    body = refused(await clerk.step(visit_id, case_id, "renew", BOTH), "certificate-locked")
    assert body["locked"] == ["user_authentication"]
    signing = {"certificates": ["signing"], "confirmed": True}
    refused(await clerk.step(visit_id, case_id, "pin-reset", signing), "certificate-not-locked")
    user = {"certificates": ["user_authentication"], "confirmed": True}
    assert ok(await clerk.step(visit_id, case_id, "pin-reset", user))["next_task"] == "write"
    assert ok(await clerk.step(visit_id, case_id, "renew", BOTH))["state"] == "ended"
    reset = next(one for one in await city.said() if one["type"] == "pin.reset.v1")
    assert reset["certificates"] == ["user_authentication"]


async def test_the_system_fails_midway_and_the_visit_is_resumed(city: City, clerk: Clerk) -> None:
    await clerk.open("3")
    visit_id, case_id = await come(clerk)
    ok(await clerk.step(visit_id, case_id, "pin-set", PIN))
    broken = {
        "certificates": ["user_authentication"],
        "written": ["signing"],
        "reason": "national_system",
        "then": "wait",
    }
    assert ok(await clerk.step(visit_id, case_id, "certificate-failed", broken))["state"] == (
        "waiting"
    )
    back = await clerk.next("3")
    assert back is not None
    assert (back["visit_id"], back["cases"][0]["next_step"]) == (visit_id, "renew")
    rest = {"certificates": ["user_authentication"]}
    ok(await clerk.step(visit_id, case_id, "renew", rest))
    told = [one for one in await city.said() if one["type"].startswith("certificate.")]
    assert [(one["type"], one["certificates"]) for one in told] == [
        ("certificate.failed.v1", ["user_authentication"]),
        ("certificate.renewed.v1", ["signing", "user_authentication"]),
    ]
    paused = [one for one in await city.said() if one["type"] == "visit.paused.v1"]
    assert [(one["case_id"], one["visit_id"]) for one in paused] == [(case_id, visit_id)]


async def test_or_it_is_rebooked_and_goes_on_another_day(city: City, clerk: Clerk) -> None:
    visit_id, case_id = await come(clerk)
    ok(await clerk.step(visit_id, case_id, "pin-set", PIN))
    broken = {
        "certificates": ["signing"],
        "written": ["user_authentication"],
        "reason": "national_system",
        "then": "rebook",
    }
    visit = ok(await clerk.step(visit_id, case_id, "certificate-failed", broken))
    assert (visit["state"], visit["cases"][0]["reason"]) == ("ended", "national_system")
    second = await again(city, clerk, case_id)
    view = ok(await clerk.get(f"/v1/visits/{second}/cases/{case_id}/certificates"))
    assert {one["certificate"]: one["is_written"] for one in view["certificates"]} == {
        "signing": False,
        "user_authentication": True,
    }
    ok(await clerk.step(second, case_id, "pin-set", PIN))
    ok(await clerk.step(second, case_id, "renew", {"certificates": ["signing"]}))
    assert (await city.types_said()).count("certificate.renewed.v1") == 1


async def test_a_proxy_with_everything_is_served_the_same_day(city: City, clerk: Clerk) -> None:
    visit_id, case_id = await come(clerk)
    sealed = {**PROXY, "papers": ["power_of_attorney", "sealed_reply"]}
    ok(await clerk.step(visit_id, case_id, "proxy", sealed))
    ok(await clerk.step(visit_id, case_id, "pin-set", PIN))
    refused(await clerk.step(visit_id, case_id, "renew", BOTH), "certificate-states-missing")
    ok(await clerk.step(visit_id, case_id, "certificates", VALID))
    refused(await clerk.step(visit_id, case_id, "inquiry-letter"), "no-letter-needed")
    ok(await clerk.step(visit_id, case_id, "renew", BOTH))


async def test_any_other_proxy_comes_twice(
    city: City, clerk: Clerk, supervisor: Clerk, client: httpx.AsyncClient
) -> None:
    visit_id, case_id = await come(clerk)
    ok(await clerk.step(visit_id, case_id, "proxy", PROXY))
    expired = {"signing": "expired", "user_authentication": "valid"}
    view = ok(await clerk.step(visit_id, case_id, "certificates", expired))
    assert view["next_task"] == "ask_letter"
    ok(await clerk.step(visit_id, case_id, "pin-set", PIN))
    refused(await clerk.step(visit_id, case_id, "renew", BOTH), "two-visits-needed")
    visit = ok(await clerk.step(visit_id, case_id, "inquiry-letter"))
    assert [one["code"] for one in visit["cases"][0]["bring"]] == ["sealed_reply", "card"]

    path = f"/v1/inquiry-letters?site_id={OFFICE}"
    listed = ok(await clerk.get(f"{path}&state=to_mail"))["items"]
    assert [one["case_id"] for one in listed] == [case_id]
    sheet = await clerk.get(f"{path}&format=csv")
    assert case_id in sheet.text
    mailed = f"/v1/inquiry-letters/{case_id}:mailed"
    assert (await Clerk(client, "elsewhere").post(mailed)).status_code == 403
    assert ok(await clerk.post(mailed))["state"] == "mailed"
    assert ok(await clerk.post(mailed))["state"] == "mailed"

    lost = await again(city, clerk, case_id)
    ok(await clerk.step(lost, case_id, "proxy", PROXY))
    ok(await clerk.step(lost, case_id, "inquiry-letter"))
    assert len(ok(await clerk.get(f"{path}&state=to_mail"))["items"]) == 1
    ok(await clerk.post(mailed))

    second = await again(city, clerk, case_id)
    sealed = {**PROXY, "papers": ["power_of_attorney", "sealed_reply"]}
    ok(await clerk.step(second, case_id, "proxy", sealed))
    locked = {"signing": "locked", "user_authentication": "valid"}
    view = ok(await clerk.step(second, case_id, "certificates", locked))
    assert (view["letter"], view["next_task"]) == ("returned", "reset_pin")
    reset = {"certificates": ["signing"], "confirmed": True}
    ok(await clerk.step(second, case_id, "pin-reset", reset))
    ok(await clerk.step(second, case_id, "pin-set", PIN))
    ok(await clerk.step(second, case_id, "renew", BOTH))
    assert [one["state"] for one in ok(await clerk.get(path))["items"]] == ["returned"]


async def test_twenty_clicks_write_once(city: City, client: httpx.AsyncClient) -> None:
    terminals = [Clerk(client, "clerk"), Clerk(client, "colleague")]
    visit_id, case_id = await come(terminals[0])
    ok(await terminals[0].step(visit_id, case_id, "certificates", VALID))
    ok(await terminals[0].step(visit_id, case_id, "pin-set", PIN))
    answers = await asyncio.gather(
        *(terminals[n % 2].step(visit_id, case_id, "renew", BOTH) for n in range(20))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
    assert (await city.types_said()).count("certificate.renewed.v1") == 1


async def test_two_terminals_count_each_wrong_pin_once(
    city: City, client: httpx.AsyncClient
) -> None:
    terminals = [Clerk(client, "clerk"), Clerk(client, "colleague")]
    visit_id, case_id = await come(terminals[0])
    ok(await terminals[0].step(visit_id, case_id, "certificates", VALID))
    wrong = {"certificate": "signing"}
    answers = await asyncio.gather(
        *(terminals[n % 2].step(visit_id, case_id, "wrong-pin", wrong) for n in range(8))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 5, 409: 3}


async def test_without_the_lock_on_the_visit_a_wrong_pin_is_lost(
    city: City, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit_id, case_id = await come(clerk)
    ok(await clerk.step(visit_id, case_id, "certificates", VALID))
    gate, read = asyncio.Barrier(2), store.read

    async def read_together(conn: Connection, case: CaseId, visit: VisitId) -> Renewal:
        found = await read(conn, case, visit)
        await gate.wait()
        return found

    async def mistype() -> None:
        async with city.units.begin(PEOPLE["clerk"]) as unit:
            ids = VisitId(UUID(visit_id)), CaseId(UUID(case_id))
            await certificates.wrong_pin(unit, *ids, Certificate.SIGNING)

    monkeypatch.setattr(visits, "lock", visits.find)
    monkeypatch.setattr(store, "read", read_together)
    await asyncio.gather(mistype(), mistype())
    monkeypatch.undo()
    view = ok(await clerk.get(f"/v1/visits/{visit_id}/cases/{case_id}/certificates"))
    assert view["certificates"][0]["wrong_pins"] == 1, "two were entered"


async def test_the_card_switch_is_offered_from_its_date(city: City, clerk: Clerk) -> None:
    visit_id, case_id = await come(clerk)
    refused(
        await clerk.step(visit_id, case_id, "card-switch", {"accepted": True}),
        "card-switch-not-offered",
    )
    ids = VisitId(UUID(visit_id)), CaseId(UUID(case_id))
    async with city.units.begin(PEOPLE["clerk"]) as unit:
        with pytest.raises(SwitchNotOffered):
            await certificates.answer_switch(unit, *ids, Switch.ACCEPTED, date(2099, 1, 1))
        declined = await certificates.answer_switch(unit, *ids, Switch.DECLINED, TODAY)
        assert declined.cases[0].state == "open"
        accepted = await certificates.answer_switch(unit, *ids, Switch.ACCEPTED, TODAY)
        assert accepted.cases[0].state == "deferred"
    told = [one for one in await city.said() if one["type"] == "card_switch.accepted.v1"]
    assert [(one["case_id"], one["ward"]) for one in told] == [(case_id, WARD)]


async def test_a_card_has_no_certificates_to_renew(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "proxy", {**PROXY, "papers": []}))
    bodies: dict[str, object] = {
        "certificates": VALID,
        "wrong-pin": {"certificate": "signing"},
        "pin-reset": {"certificates": ["signing"], "confirmed": True},
        "certificate-failed": {"certificates": ["signing"], "reason": "other"},
        "inquiry-letter": None,
        "card-switch": {"accepted": True},
    }
    answers = [await clerk.step(visit_id, case_id, step, body) for step, body in bodies.items()]
    assert [answer.status_code for answer in answers] == [409] * len(bodies)
    assert ok(await clerk.get(f"/v1/visits/{visit_id}"))["cases"][0]["state"] == "open"


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("certificates", {**VALID, "serial": "918273"}),
        ("wrong-pin", {"certificate": "signing", "pin": "918273"}),
        ("pin-reset", {"certificates": ["signing"], "confirmed": "918273"}),
        ("card-switch?pin=918273", {"accepted": False}),
    ],
)
async def test_neither_pins_nor_numbers_come_in(clerk: Clerk, step: str, body: object) -> None:
    visit_id, case_id = await come(clerk)
    answer = await clerk.step(visit_id, case_id, step, body)
    assert answer.status_code == 422
    assert "918273" not in answer.text
