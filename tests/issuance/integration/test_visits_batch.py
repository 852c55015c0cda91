"""``visits:batch`` is the single doors for many: same rules and traces, a result for every row."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.issuance.store import case_files
from shared.clock import FixedClock
from shared.contracts.preparation import CardHeld, CardVoided, HoldReason, VoidReason
from shared.contracts.reservation import BookingCancelled, CancelReason
from shared.db import Database
from shared.ids import CaseId, new_id
from tests.issuance.batches import renewed, results, row, send, served, slug
from tests.issuance.support import (
    CENTER,
    LICENCE,
    OFFICE,
    TEN,
    City,
    Clerk,
    new_case,
    ok,
    refused,
)

_LEFT = {
    "visit": "SELECT * FROM visit ORDER BY visit_id",
    "visit_case": "SELECT * FROM visit_case ORDER BY visit_id, case_id",
    "ticket": "SELECT * FROM ticket ORDER BY number",
    "counter_turn": "SELECT * FROM counter_turn ORDER BY turn_id",
    "procedure_ended": "SELECT * FROM procedure_ended ORDER BY ended_at",
}
_OWN = {"visit_id", "case_id", "booking_id", "number", "turn_id", "version", "calls"}


async def left_by(database: Database, visit_id: str) -> dict[str, list[dict[str, Any]]]:
    """What a visit has left in every table, without what must differ from visit to visit."""
    async with database.reader() as conn:
        return {
            table: [
                {name: value for name, value in found.items() if name not in _OWN}
                for found in await conn.fetch(query)
                if str(found["visit_id"]) == visit_id
            ]
            for table, query in _LEFT.items()
        }


async def one_by_one(clerk: Clerk, clock: FixedClock, booking_id: UUID, case_id: CaseId) -> str:
    """A visit through the single doors, at the moments that ``served`` has."""
    visit = ok(await clerk.check_in(booking_id=booking_id))
    visit_id: str = visit["visit_id"]
    clock.advance(timedelta(minutes=5))
    ok(await clerk.call(visit_id))
    clock.advance(timedelta(minutes=4))
    ok(await clerk.step(visit_id, case_id, "identity", LICENCE))
    clock.advance(timedelta(minutes=6))
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    clock.advance(timedelta(minutes=5))
    ok(await clerk.step(visit_id, case_id, "issue"))
    return visit_id


async def told(city: City, case_id: CaseId) -> list[tuple[str, datetime, dict[str, Any]]]:
    own = {"type", "time", "case_id", "visit_id", "booking_id"}
    return [
        (one["type"], one["time"], {k: v for k, v in one.items() if k not in own})
        for one in await city.said(case_id)
    ]


async def test_a_visit_told_at_once_leaves_what_single_commands_leave(
    city: City, clerk: Clerk, clock: FixedClock, database: Database
) -> None:
    cases = [await city.card(), await city.card(), await city.card()]
    bookings = [(await city.booking(case)).booking_id for case in cases]
    single = await one_by_one(clerk, clock, bookings[0], cases[0])
    own = new_id()
    steps = await results(
        clerk,
        row("check_in", 0, site_id=OFFICE, booking_id=bookings[2], visit_id=own),
        row("call", 5, visit_id=own, counter="3"),
        row("identity", 9, visit_id=own, case_id=cases[2], **LICENCE),
        row("pin_set", 15, visit_id=own, case_id=cases[2]),
        row("issue", 20, visit_id=own, case_id=cases[2]),
    )
    (whole,) = await results(clerk, served(0, booking_id=bookings[1]))
    assert whole["cases"] == [{"case_id": str(cases[1]), "state": "done", "reason": None}]
    assert steps[-1]["cases"][0]["state"] == "done"
    expected = await left_by(database, single)
    assert await left_by(database, whole["visit_id"]) == expected
    assert await left_by(database, str(own)) == expected
    assert await told(city, cases[1]) == await told(city, cases[0])
    assert await told(city, cases[2]) == await told(city, cases[0])
    tickets = ok(await clerk.get(f"/v1/tickets?site_id={OFFICE}"))["items"]
    assert [one["ticket"] for one in tickets] == ["A001", "A002", "A003"]
    assert "visit.serve" in await city.actions()


async def test_walk_ins_parties_and_other_ends(city: City, clerk: Clerk) -> None:
    soon = await city.card(number="A1B234567")
    also_soon = await city.card()
    party = [await city.card(), await city.card()]
    first = await city.booking(party[0])
    await city.booking(party[1], party_id=first.party_id)
    await city.hear(CardHeld(case_id=party[1], reason=HoldReason.OTHER))
    later, gone = await city.card(), await city.card()
    deferred = (await city.booking(later)).booking_id
    left = (await city.booking(gone)).booking_id
    found = await results(
        clerk,
        served(-60, notice_number="A1B-234567"),
        served(-60, case_id=also_soon),
        served(-55, booking_id=first.booking_id),
        renewed(-50),
        served(-50, booking_id=deferred, outcome="deferred", reason="documents_missing"),
        served(-50, booking_id=left, outcome="left", called_at=None, counter=None),
    )
    ends = [[(one["state"], one["reason"]) for one in each["cases"]] for each in found]
    assert sorted(ends.pop(2)) == [("deferred", "card_held"), ("done", None)]
    assert ends == [
        [("done", None)],
        [("done", None)],
        [("done", None)],
        [("deferred", "documents_missing")],
        [("abandoned", "left")],
    ]
    renewal = CaseId(UUID(found[3]["cases"][0]["case_id"]))
    assert await city.types_said(renewal) == [
        "case.opened.v1",
        "visit.checked_in.v1",
        "visit.called.v1",
        "certificate.renewed.v1",
        "visit.completed.v1",
    ]
    assert await city.types_said(gone) == ["visit.checked_in.v1", "visit.abandoned.v1"]
    assert (await city.types_said(party[1])).count("visit.deferred.v1") == 1
    assert (await city.types_said(later))[-1] == "visit.deferred.v1"
    assert "visit.called.v1" not in await city.types_said(party[1])
    assert soon != also_soon


async def test_what_an_earlier_visit_has_written_counts_too(city: City, clerk: Clerk) -> None:
    visit = await clerk.draw("certificate_renewal", ward="141313")
    visit_id, case_id = visit["visit_id"], visit["cases"][0]["case_id"]
    ok(await clerk.call(visit_id))
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    broken = {"certificates": ["user_authentication"], "written": ["signing"]}
    why = {"reason": "national_system", "then": "rebook"}
    ok(await clerk.step(visit_id, case_id, "certificate-failed", broken | why))
    again = renewed(ward=None, case_id=case_id, certificates=["user_authentication"])
    (told,) = await results(clerk, again)
    assert told["cases"][0]["state"] == "done"
    (event,) = [one for one in await city.said() if one["type"] == "certificate.renewed.v1"]
    assert event["certificates"] == ["signing", "user_authentication"]


async def test_each_row_is_refused_as_its_single_door_would(
    city: City, clerk: Clerk, clock: FixedClock
) -> None:
    cases = [await city.card() for _ in range(7)]
    bookings = [(await city.booking(case)).booking_id for case in cases]
    await city.hear(CardVoided(case_id=cases[0], reason=VoidReason.MOVED_OUT))
    elsewhere = await city.card(CENTER)
    away = await city.booking(elsewhere, site_id=CENTER)
    ok(await clerk.check_in(booking_id=bookings[1]))
    taken = new_id()
    rows = [
        (served(booking_id=bookings[0]), "card-void"),
        (served(booking_id=bookings[1]), "already-checked-in"),
        (served(booking_id=away.booking_id), "booking-elsewhere"),
        (served(booking_id=new_id()), "booking-not-known"),
        (served(notice_number="A1B-999999"), "notice-not-known"),
        (served(case_id=new_case()), "case-not-known"),
        (served(case_id=elsewhere), "card-not-here"),
        (served(booking_id=bookings[2], visit_id=taken), None),
        (served(booking_id=bookings[2]), "case-already-done"),
        (served(booking_id=bookings[3], visit_id=taken), "visit-exists"),
        (served(-10, booking_id=bookings[3]), "moment-ahead"),
        (served(booking_id=bookings[3], called_at=TEN.isoformat()), "moment-out-of-order"),
        (served(booking_id=bookings[3], documents=None), "identity-not-proved"),
        (served(booking_id=bookings[3], pin_set=False), "step-missing"),
        (renewed(certificates=None), "certificates-missing"),
        (row("check_in", 1, site_id=OFFICE, booking_id=bookings[4]), "moment-ahead"),
        (row("call", -1, visit_id=new_id(), counter="3"), "visit-not-known"),
        (row("call", -1, visit_id=taken, counter="3"), "visit-ended"),
    ]
    answer = ok(await send(clerk, *(one for one, _ in rows)))
    found = [slug(one["problem"]) if one["problem"] else None for one in answer["results"]]
    assert found == [expected for _, expected in rows]
    assert answer["results"][10]["problem"]["errors"][0]["field"] == "ended_at"
    assert all(one["problem"]["remedy"] for one in answer["results"] if one["problem"])
    assert (await city.types_said()).count("card.issued.v1") == 1
    clock.advance(timedelta(hours=2))
    supervisor = Clerk(clerk.client, "supervisor")
    ok(await supervisor.post(f"/v1/sites/{OFFICE}/day:sign-off"))
    assert await results(clerk, served(booking_id=bookings[5])) == ["day-signed-off"]


async def test_steps_of_one_visit_are_never_told_backwards(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    own = new_id()
    found = await results(
        clerk,
        row("check_in", -20, site_id=OFFICE, booking_id=booking.booking_id, visit_id=own),
        row("call", -21, visit_id=own, counter="3"),
        row("call", -20, visit_id=own, counter="3"),
        row("check_in", -9, site_id=OFFICE, ward="141313", visit_id=own),
        row("leave", -8, visit_id=own),
    )
    assert [each if isinstance(each, str) else each["state"] for each in found] == [
        "waiting",
        "moment-out-of-order",
        "called",
        "visit-exists",
        "ended",
    ]


async def test_steps_of_the_checklist_are_told_too(city: City, clerk: Clerk) -> None:
    case_id = await city.card()
    booking = await city.booking(case_id)
    own = new_id()
    of_case = {"visit_id": own, "case_id": case_id}
    found = await results(
        clerk,
        row("check_in", -30, site_id=OFFICE, case_id=case_id, visit_id=own),
        row("call", -29, visit_id=own, counter="3"),
        row("proxy", -28, **of_case, reason="illness", **LICENCE),
        row("identity", -27, **of_case, **LICENCE),
        row("proxy", -26, **of_case),
        row("identity", -25, **of_case, **LICENCE),
        row("pin_set", -24, **of_case),
        row("receipt", -23, **of_case),
        row("issue", -22, **of_case),
    )
    assert [one for one in found if isinstance(one, str)] == ["step-missing"]
    assert found[0]["cases"][0]["booking_id"] == str(booking.booking_id)
    assert found[-1]["state"] == "ended"


async def test_sent_again_what_was_done_stays_and_what_was_refused_is_tried(
    city: City, clerk: Clerk
) -> None:
    ready, late = await city.card(), await city.card()
    first = await city.booking(ready)
    unheard = new_id()
    rows = [
        served(booking_id=first.booking_id),
        served(booking_id=unheard),
        row("check_in", -5, site_id=OFFICE, ward="141313"),
    ]
    before = ok(await send(clerk, *rows, key="again"))
    assert (before["done"], before["refused"]) == (2, 1)
    await city.booking(late, booking_id=unheard)
    after = ok(await send(clerk, *rows, key="again"))
    assert [one["replayed"] for one in after["results"]] == [True, False, True]
    assert after["refused"] == 0
    assert after["results"][0]["body"] == before["results"][0]["body"]
    refused(await send(clerk, *rows[:1], key="again"), "idempotency-key-reused", 422)
    assert (await city.types_said()).count("card.issued.v1") == 2


async def test_a_site_that_is_not_the_callers_refuses_all(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    rows = [served(booking_id=booking.booking_id), renewed(site_id=CENTER)]
    refused(await send(clerk, *rows), "forbidden", 403)
    assert "visit.checked_in.v1" not in await city.types_said()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"booking_id": str(new_id()), "ward": "141313"}, "rows.0"),
        ({}, "rows.0"),
        ({"ward": "141313", "counter": None}, "rows.0"),
        ({"ward": "141313", "outcome": "deferred"}, "rows.0"),
        ({"ward": "141313", "pin": "1234"}, "rows.0"),
    ],
)
async def test_rows_without_their_form_refuse_the_whole(
    clerk: Clerk, changes: dict[str, Any], field: str
) -> None:
    problem = refused(await send(clerk, served(**changes)), "invalid-request", 422)
    assert problem["errors"][0]["field"].startswith(field)


async def test_a_journal_is_told_by_satellites_alone(clerk: Clerk, supervisor: Clerk) -> None:
    close = row("sign_off", -1, site_id=OFFICE, date="2026-07-14")
    journal = {"site_id": OFFICE, "lease": 1, "entries": [{"number": 1, "actor": "staff:x"}]}
    refused(await send(clerk, close), "invalid-request", 422)
    for rows in ([served(ward="141313")], [close, close]):
        body = {"rows": rows, "journal": journal}
        refused(await clerk.post("/v1/visits:batch", body), "invalid-request", 422)
    body = {"rows": [close], "journal": journal}
    refused(await clerk.post("/v1/visits:batch", body), "forbidden", 403)
    answer = ok(await supervisor.post("/v1/visits:batch", body))
    assert [slug(one["problem"]) for one in answer["results"]] == ["satellite-not-known"]


async def race(city: City, clerk: Clerk) -> Counter[str]:
    """The same party told of by four batches in the same moment; how many were done."""
    case_id = await city.card()
    booking = await city.booking(case_id)
    answers = await asyncio.gather(
        *(send(clerk, served(booking_id=booking.booking_id)) for _ in range(4)),
        return_exceptions=True,
    )
    ends: Counter[str] = Counter()
    for answer in answers:
        if isinstance(answer, BaseException) or answer.status_code != 200:
            ends["failed"] += 1
        else:
            found = answer.json()["results"][0]["problem"]
            ends[slug(found) if found else "done"] += 1
    return ends


async def test_batches_that_race_end_a_case_once(
    city: City, clerk: Clerk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await race(city, clerk) == {"done": 1, "case-already-done": 3}
    # Without the lock on the files and the unique key both believe to be the first.
    gate = asyncio.Barrier(4)
    read = case_files.read

    async def unlocked(conn: Any, cases: Any) -> Any:
        files = await read(conn, cases)
        await gate.wait()
        return files

    monkeypatch.setattr(case_files, "lock", unlocked)
    async with database.transaction() as conn:
        await conn.execute("ALTER TABLE procedure_ended DROP CONSTRAINT procedure_ended_pkey")
    assert (await race(city, clerk))["done"] > 1


async def test_a_booking_cancelled_meanwhile_is_refused(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    await city.hear(
        BookingCancelled(
            case_id=booking.case_id,
            booking_id=booking.booking_id,
            party_id=booking.party_id,
            site_id=booking.site_id,
            starts_at=booking.starts_at,
            procedure=booking.procedure,
            reason=CancelReason.CITIZEN,
        )
    )
    assert await results(clerk, served(booking_id=booking.booking_id)) == ["booking-not-active"]


async def test_days_are_signed_off_together(city: City, clerk: Clerk, clock: FixedClock) -> None:
    missed = await city.booking(await city.card())
    deferred = await city.booking(await city.card())
    (told,) = await results(
        clerk, served(booking_id=deferred.booking_id, outcome="deferred", reason="other")
    )
    assert told["cases"][0]["state"] == "deferred"
    clock.advance(timedelta(hours=2))
    today: dict[str, Any] = {"site_id": OFFICE, "date": "2026-07-14"}
    body = {"rows": [today, {**today, "date": "2026-07-15"}]}
    supervisor = Clerk(clerk.client, "supervisor")
    before = ok(await supervisor.post("/v1/days:sign-off", body, "night"))
    found = [slug(one["problem"]) for one in before["results"]]
    assert found == ["cards-not-counted", "day-not-over"]
    body = {"rows": [{**today, "all_back": True}, today]}
    first, again = ok(await supervisor.post("/v1/days:sign-off", body))["results"]
    assert (first["body"]["missed"], first["body"]["cards_back"]) == (1, 1)
    assert again["body"] == first["body"]
    assert "visit.missed.v1" in await city.types_said(missed.case_id)
    refused(await clerk.post("/v1/days:sign-off", body), "forbidden", 403)
