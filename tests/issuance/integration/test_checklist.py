"""The checklist over HTTP: versions, proxies, old cards, receipts, and what to bring."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.clock import FixedClock
from shared.ids import CaseId
from tests.issuance.support import (
    LICENCE,
    TODAY,
    City,
    Clerk,
    ok,
    refused,
    replaces_another,
    version,
)

PROXY = {
    "reason": "illness",
    "documents": [{"class": "A", "type": "passport"}],
    "papers": ["power_of_attorney", "evidence_of_reason"],
}


async def replacing(city: City) -> CaseId:
    """A case whose card replaces another."""
    case_id = await city.card()
    await city.hear(replaces_another(case_id))
    return case_id


async def called(city: City, clerk: Clerk, case_id: CaseId) -> str:
    """A visit of the booked case, called to a counter."""
    booking = await city.booking(case_id)
    visit_id: str = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.call(visit_id))
    return visit_id


async def test_a_card_that_replaces_another_is_handed_over_against_it(
    city: City, clerk: Clerk
) -> None:
    case_id = await replacing(city)
    visit_id = await called(city, clerk, case_id)
    case = ok(await clerk.step(visit_id, case_id, "identity", LICENCE))["cases"][0]
    assert (case["next_step"], case["missing"]) == ("old-card", ["old-card", "pin-set"])
    refused(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}), "step-missing")
    body = refused(await clerk.step(visit_id, case_id, "issue"), "step-missing")
    assert body["missing"] == ["old-card", "pin-set"]
    none = await clerk.step(visit_id, case_id, "old-card", {"result": "none"})
    assert refused(none, "result-not-accepted", 422)["accepts"] == [
        "card_returned",
        "declared_lost",
    ]
    ok(await clerk.step(visit_id, case_id, "old-card", {"result": "declared_lost"}))
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    done = ok(await clerk.step(visit_id, case_id, "issue"))["cases"][0]
    assert {one["step"]: one["result"] for one in done["steps"]}["old-card"] == "declared_lost"
    assert "case.note_old_card" in await city.actions()


async def test_a_proxy_is_proved_or_the_case_cannot_end(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    visit_id = await called(city, clerk, case_id)
    half = {**PROXY, "documents": [], "papers": ["power_of_attorney"]}
    case = ok(await clerk.step(visit_id, case_id, "proxy", half))["cases"][0]
    assert (case["next_step"], case["steps"][0]["lacking"]) == ("proxy", ["evidence_of_reason"])
    refused(await clerk.step(visit_id, case_id, "identity", LICENCE), "step-missing")
    weak = {**PROXY, "documents": [{"class": "B", "type": "student_id"}]}
    refused(await clerk.step(visit_id, case_id, "proxy", weak), "identity-not-proved", 422)
    whole = ok(await clerk.step(visit_id, case_id, "proxy", PROXY))["cases"][0]
    assert whole["next_step"] == "identity"
    gone = ok(await clerk.step(visit_id, case_id, "proxy", {}))["cases"][0]
    assert gone["steps"][0]["state"] == "open"
    assert gone["next_step"] == "identity"


async def test_two_terminals_work_the_same_checklist_and_one_card_leaves(
    city: City, client: httpx.AsyncClient
) -> None:
    terminals = [Clerk(client, "clerk"), Clerk(client, "colleague")]
    case_id = await replacing(city)
    visit_id = await called(city, terminals[0], case_id)
    steps: list[tuple[str, object]] = [
        ("identity", LICENCE),
        ("old-card", {"result": "card_returned"}),
        ("pin-set", {"confirmed": True}),
        ("receipt", {"signed": True}),
        ("issue", None),
    ]

    async def work(clerk: Clerk) -> list[int]:
        return [
            (await clerk.step(visit_id, case_id, step, body)).status_code
            for step, body in steps
            for _ in range(2)
        ]

    answers = await asyncio.gather(*map(work, terminals))
    assert [answer[-1] for answer in answers] == [409, 409]
    assert sum(answer[-2:].count(200) for answer in answers) == 1
    assert (await city.types_said(case_id)).count("card.issued.v1") == 1
    actions = await city.actions()
    assert [actions.count(f"case.note_{step}") for step in ("old_card", "receipt")] == [1, 1]


async def test_deferring_says_what_to_bring(city: City, clerk: Clerk) -> None:
    case_id = await replacing(city)
    visit_id = await called(city, clerk, case_id)
    ok(await clerk.step(visit_id, case_id, "proxy", {"reason": "in_care"}))
    visit = ok(await clerk.step(visit_id, case_id, "defer", {"reason": "documents_missing"}))
    codes = [one["code"] for one in visit["cases"][0]["bring"]]
    assert codes == [
        "proxy_identity",
        "power_of_attorney",
        "evidence_of_reason",
        "identity_documents",
        "old_card",
    ]
    assert all(one["ja"] and one["en"] for one in visit["cases"][0]["bring"])
    said = (await city.said(case_id))[-1]
    assert (said["bring"], said["booking_id"] is not None) == (codes, True)


async def test_a_new_version_holds_from_its_date_for_who_is_checked_in_then(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    before = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=before.booking_id))["visit_id"]
    steps = version()["steps"]
    for number, step in reversed(list(enumerate(steps))):
        if step["step"] == "pin-set" and step["procedure"] == "card_issuance":
            steps = [*steps[: number + 1], {**step, "step": "receipt"}, *steps[number + 1 :]]
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    made = ok(await supervisor.post("/v1/checklists", version(valid_from=tomorrow, steps=steps)))
    assert made["version"] == 2
    assert ok(await clerk.get("/v1/checklists/2")) == made
    assert ok(await clerk.get("/v1/checklists"))["in_force"] == 1

    clock.set(clock.now() + timedelta(days=1))
    listed = ok(await clerk.get("/v1/checklists"))
    assert (listed["in_force"], [one["version"] for one in listed["items"]]) == (2, [1, 2])
    assert ok(await clerk.get(f"/v1/visits/{visit_id}"))["cases"][0]["checklist_version"] == 1
    case_id = await city.card(number="A1B-234567")
    visit = ok(await clerk.check_in(notice_number="A1B-234567"))
    assert visit["cases"][0]["checklist_version"] == 2
    ok(await clerk.call(visit["visit_id"]))
    licence = await clerk.step(visit["visit_id"], case_id, "identity", LICENCE)
    refused(licence, "document-not-accepted", 422)
    passport = {"documents": [{"class": "A", "type": "passport"}]}
    ok(await clerk.step(visit["visit_id"], case_id, "identity", passport))
    ok(await clerk.step(visit["visit_id"], case_id, "pin-set", {"confirmed": True}))
    body = refused(await clerk.step(visit["visit_id"], case_id, "issue"), "step-missing")
    assert body["missing"] == ["receipt"]
    ok(await clerk.step(visit["visit_id"], case_id, "receipt", {"signed": True}))
    ok(await clerk.step(visit["visit_id"], case_id, "issue"))


async def test_versions_published_at_once_have_numbers_of_their_own(supervisor: Clerk) -> None:
    answers = await asyncio.gather(
        *(supervisor.post("/v1/checklists", version()) for _ in range(6))
    )
    assert sorted(ok(answer)["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]


async def test_who_may_publish_and_what_may_not_be(clerk: Clerk, supervisor: Clerk) -> None:
    assert (await clerk.post("/v1/checklists", version())).status_code == 403
    body = refused(
        await supervisor.post("/v1/checklists", version(steps=version()["steps"][1:])),
        "checklist-unsound",
        422,
    )
    assert body["errors"][0]["field"] == "steps"
    late = await supervisor.post("/v1/checklists", version(valid_from=TODAY.isoformat()))
    assert refused(late, "checklist-unsound", 422)["errors"][0]["field"] == "valid_from"
    twice = {"A": ["passport", "passport"]}
    assert (await supervisor.post("/v1/checklists", version(documents=twice))).status_code == 422
    refused(await clerk.get("/v1/checklists/99"), "checklist-not-known", 404)


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("proxy", {"reason": "illness", "name": "X"}),
        ("proxy", {"reason": "illness", "documents": [{"class": "A", "type": "918273"}]}),
        ("old-card", {"result": "card_returned", "number": "918273"}),
        ("receipt", {"signed": "918273"}),
        ("receipt?pin=918273", {"signed": True}),
    ],
)
async def test_what_has_no_place_is_refused_and_not_repeated(
    city: City, clerk: Clerk, step: str, body: object
) -> None:
    case_id = await city.card()
    visit_id = await called(city, clerk, case_id)
    answer = await clerk.step(visit_id, case_id, step, body)
    assert answer.status_code == 422
    assert "918273" not in answer.text
