"""Tickets, counters and the next call over HTTP; races with and without their guards."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from services.issuance.domain.counter import Counter
from services.issuance.store import counters, tickets
from shared.clock import FixedClock
from shared.contracts.preparation import CardNotified
from shared.db import Connection, Database
from shared.ids import SiteId, VisitId
from tests.issuance.support import (
    LICENCE,
    OFFICE,
    TEN,
    TODAY,
    WARD,
    City,
    Clerk,
    card_life,
    new_case,
    ok,
    refused,
)


@pytest.fixture
def colleague(client: httpx.AsyncClient) -> Clerk:
    """A clerk beside the clerk."""
    return Clerk(client, "colleague")


async def test_numbers_count_per_site_and_day(clerk: Clerk, clock: FixedClock) -> None:
    labels = [(await clerk.draw())["ticket"] for _ in range(2)]
    renewal = await clerk.draw("certificate_renewal", ward=WARD)
    clock.advance(timedelta(days=1))
    assert [*labels, renewal["ticket"]] == ["C001", "C002", "B003"]
    assert (await clerk.draw())["ticket"] == "C001"


async def test_a_number_that_was_drawn_in_vain_is_drawn_again(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    assert ok(await clerk.check_in(booking_id=booking.booking_id))["ticket"] == "A001"
    refused(await clerk.check_in(booking_id=booking.booking_id), "already-checked-in")
    assert (await clerk.draw())["ticket"] == "C002"


async def test_a_party_has_one_ticket_for_all_its_cases(city: City, clerk: Clerk) -> None:
    first = await city.booking(await city.card())
    await city.booking(await city.card(), party_id=first.party_id)
    visit = ok(await clerk.check_in(booking_id=first.booking_id))
    assert (visit["ticket"], len(visit["cases"])) == ("A001", 2)
    page = ok(await clerk.get(f"/v1/tickets?site_id={OFFICE}"))
    assert [one["ticket"] for one in page["items"]] == ["A001"]


@pytest.mark.parametrize("form", ["{}", "https://yoyaku.example.jp/v#{}"])
async def test_a_scanned_booking_code_checks_in(city: City, clerk: Clerk, form: str) -> None:
    booking = await city.booking(await city.card())
    visit = ok(await clerk.check_in(code=form.format(booking.booking_id)))
    assert visit["arrival"] == "booked"


async def test_a_scanned_notice_number_checks_in(city: City, clerk: Clerk) -> None:
    await city.card(number="A1B-234567")
    visit = ok(await clerk.check_in(code="https://yoyaku.example.jp/?n=A1B-234567"))
    assert visit["arrival"] == "walk_in"


async def test_without_a_booking_something_has_to_expire_soon(city: City, clerk: Clerk) -> None:
    case_id = new_case()
    *life, notice = card_life(case_id, number="A1B-234567")
    assert isinstance(notice, CardNotified)
    late = notice.model_copy(update={"pickup_deadline": TODAY + timedelta(days=31)})
    await city.hear(*life, late)
    body = {"site_id": OFFICE, "purpose": "card_issuance", "notice_number": "A1B-234567"}
    problem = refused(await clerk.post("/v1/tickets", body), "booking-needed")
    assert problem["expires_by"] == "2026-08-13"
    refused(await clerk.check_in(notice_number="A1B-234567"), "booking-needed")
    await city.hear(notice)
    assert ok(await clerk.post("/v1/tickets", body))["ticket"] == "A001"


async def test_a_walk_in_renewal_opens_its_case(city: City, clerk: Clerk) -> None:
    visit = await clerk.draw("certificate_renewal", ward=WARD)
    (case,) = visit["cases"]
    assert (case["procedure"], case["ward"]) == ("certificate_renewal", WARD)
    assert await city.types_said() == ["case.opened.v1", "visit.checked_in.v1"]
    await clerk.open("1")
    await clerk.next("1")
    visit_id, case_id = visit["visit_id"], case["case_id"]
    ok(await clerk.step(visit_id, case_id, "pin-set", {"confirmed": True}))
    ok(await clerk.step(visit_id, case_id, "renew", {"certificates": ["signing"]}))
    assert (await city.types_said())[-2:] == ["certificate.renewed.v1", "visit.completed.v1"]


@pytest.mark.parametrize(
    "body",
    [
        {"purpose": "card_issuance"},
        {"purpose": "certificate_renewal"},
        {"purpose": "question", "ward": WARD},
        {"purpose": "question", "notice_number": "A1B-234567"},
    ],
)
async def test_a_walk_in_names_what_its_purpose_needs(clerk: Clerk, body: dict[str, str]) -> None:
    answer = await clerk.post("/v1/tickets", {"site_id": OFFICE, **body})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["remedy"]


async def test_a_question_is_called_answered_and_done(city: City, clerk: Clerk) -> None:
    visit_id = (await clerk.draw())["visit_id"]
    refused(await clerk.ticket(visit_id, "done"), "not-called")
    await clerk.open("1")
    called = await clerk.next("1")
    assert called is not None
    assert (called["visit_id"], called["counter"]) == (visit_id, "1")
    assert ok(await clerk.ticket(visit_id, "done"))["state"] == "ended"
    assert await clerk.next("1") is None
    assert await city.said() == []


async def test_the_next_is_called_by_the_rules(city: City, clerk: Clerk, clock: FixedClock) -> None:
    walk_in = (await clerk.draw())["ticket"]
    needy = (await clerk.draw(need="wheelchair"))["ticket"]
    clock.advance(timedelta(minutes=5))
    booking = await city.booking(await city.card(), starts_at=TEN)
    booked = ok(await clerk.check_in(booking_id=booking.booking_id))["ticket"]
    await clerk.open("1")
    order = []
    while visit := await clerk.next("1"):
        order.append(visit["ticket"])
        ok(await clerk.ticket(visit["visit_id"], "leave"))
    assert order == [booked, needy, walk_in]


async def test_a_counter_calls_only_what_it_does(clerk: Clerk) -> None:
    await clerk.draw("certificate_renewal", ward=WARD)
    question = await clerk.draw()
    await clerk.open("1", "question")
    called = await clerk.next("1")
    assert called is not None
    assert called["ticket"] == question["ticket"]


async def test_a_second_click_calls_nobody_else(clerk: Clerk) -> None:
    await clerk.draw()
    await clerk.draw()
    await clerk.open("1")
    assert await clerk.next("1") == await clerk.next("1")


async def test_a_paused_or_closed_counter_calls_nobody(clerk: Clerk) -> None:
    await clerk.draw()
    await clerk.open("1")
    for state in ("pause", "close"):
        ok(await clerk.post(f"/v1/counters/{OFFICE}/1:{state}"))
        refused(await clerk.post(f"/v1/counters/{OFFICE}/1:next"), "counter-not-open")
    ok(await clerk.post(f"/v1/counters/{OFFICE}/1:open"))
    assert await clerk.next("1") is not None


async def test_an_unknown_counter_says_what_to_do(clerk: Clerk) -> None:
    answer = await clerk.post(f"/v1/counters/{OFFICE}/9:next")
    assert refused(answer, "counter-not-known", 404)["remedy"]
    refused(await clerk.post(f"/v1/counters/{OFFICE}/9:open"), "counter-not-known", 404)


async def test_nobody_is_called_by_hand_to_a_busy_counter(clerk: Clerk) -> None:
    first, second = await clerk.draw(), await clerk.draw()
    await clerk.open("1")
    ok(await clerk.call(first["visit_id"], "1"))
    problem = refused(await clerk.call(second["visit_id"], "1"), "counter-busy")
    assert problem["visit_id"] == first["visit_id"]


async def test_who_does_not_come_waits_behind_and_at_last_has_left(
    city: City, clerk: Clerk, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card(), starts_at=TEN)
    absent = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    await clerk.open("1")
    for _ in range(3):
        question = (await clerk.draw())["visit_id"]
        called = await clerk.next("1")
        assert called is not None
        assert called["visit_id"] == absent
        ok(await clerk.ticket(absent, "recall"))
        state = ok(await clerk.ticket(absent, "skip"))["state"]
        clock.advance(timedelta(minutes=1))
        other = await clerk.next("1")
        assert other is not None
        assert other["visit_id"] == question
        ok(await clerk.ticket(question, "done"))
        clock.advance(timedelta(minutes=30))
    assert state == "ended"
    assert (await city.types_said(booking.case_id))[-1] == "visit.abandoned.v1"
    ticket = ok(await clerk.get(f"/v1/tickets/{absent}"))
    assert (ticket["skips"], ticket["calls"]) == (3, 6)


async def test_who_is_being_served_cannot_be_skipped(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    refused(await clerk.ticket(visit_id, "skip"), "not-called")
    await clerk.open("1")
    await clerk.next("1")
    ok(await clerk.step(visit_id, booking.case_id, "identity", LICENCE))
    refused(await clerk.ticket(visit_id, "skip"), "being-served")
    refused(await clerk.ticket(visit_id, "done"), "cases-open")


async def test_a_party_that_was_sent_on_goes_first_there_and_only_there(
    city: City, clerk: Clerk, colleague: Clerk
) -> None:
    await clerk.open("1")
    await clerk.open("2")
    sent, other, third = [await clerk.draw() for _ in range(3)]
    await clerk.next("1")
    refused(await clerk.ticket(sent["visit_id"], "transfer", {"counter": "9"}), *UNKNOWN)
    ok(await clerk.ticket(sent["visit_id"], "transfer", {"counter": "2"}))
    mine, theirs = await clerk.next("1"), await colleague.next("2")
    assert mine is not None
    assert theirs is not None
    assert (mine["visit_id"], theirs["visit_id"]) == (other["visit_id"], sent["visit_id"])
    ok(await clerk.ticket(mine["visit_id"], "done"))
    ok(await colleague.ticket(sent["visit_id"], "transfer", {"counter": "1"}))
    ok(await clerk.post(f"/v1/counters/{OFFICE}/1:close"))
    again = await colleague.next("2")
    assert again is not None
    assert again["visit_id"] == sent["visit_id"], "its counter closed: any other will do"
    assert third["state"] == "waiting"


UNKNOWN = ("counter-not-known", 404)


async def test_another_sites_clerk_reaches_no_ticket(
    clerk: Clerk, client: httpx.AsyncClient
) -> None:
    visit_id = (await clerk.draw())["visit_id"]
    await clerk.open("1")
    stranger = Clerk(client, "elsewhere")
    answers = [
        await stranger.get(f"/v1/tickets/{visit_id}"),
        await stranger.get(f"/v1/tickets?site_id={OFFICE}"),
        await stranger.get(f"/v1/counters?site_id={OFFICE}"),
        await stranger.post(f"/v1/counters/{OFFICE}/1:next"),
        *[await stranger.ticket(visit_id, what) for what in ("recall", "skip", "leave", "done")],
        await stranger.ticket(visit_id, "transfer", {}),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)


async def race(clerk: Clerk, colleague: Clerk) -> list[str]:
    """Two clerks call in the same moment while two wait; whom they got."""
    visits = await asyncio.gather(clerk.next("1"), colleague.next("2"))
    return sorted(visit["visit_id"] for visit in visits if visit)


async def test_two_clerks_who_call_at_once_get_two_parties(clerk: Clerk, colleague: Clerk) -> None:
    await clerk.open("1")
    await clerk.open("2")
    for _ in range(10):
        waiting = sorted([(await clerk.draw())["visit_id"] for _ in range(2)])
        assert await race(clerk, colleague) == waiting
        for visit_id in waiting:
            ok(await clerk.ticket(visit_id, "done"))


async def test_without_the_lock_on_the_visit_both_call_the_same(
    clerk: Clerk, colleague: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Barrier(2)

    async def look_only(conn: Connection, visit_id: VisitId) -> bool:
        found = await conn.fetchval(
            "SELECT state = 'waiting' FROM visit WHERE visit_id = $1", visit_id
        )
        await gate.wait()
        return bool(found)

    await clerk.open("1")
    await clerk.open("2")
    [await clerk.draw() for _ in range(2)]
    monkeypatch.setattr(tickets, "take", look_only)
    first, second = await race(clerk, colleague)
    assert first == second, "two clerks have called one party"


async def test_without_the_lock_on_the_counter_the_database_refuses(
    clerk: Clerk, colleague: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Barrier(2)

    async def look_only(conn: Connection, site_id: SiteId, counter: str) -> Counter | None:
        found = await counters.find(conn, site_id, counter)
        await gate.wait()
        return found

    await clerk.open("1")
    [await clerk.draw() for _ in range(2)]
    monkeypatch.setattr(counters, "lock", look_only)
    answers = await asyncio.gather(
        clerk.post(f"/v1/counters/{OFFICE}/1:next"), colleague.post(f"/v1/counters/{OFFICE}/1:next")
    )
    assert sorted(answer.status_code for answer in answers) == [200, 500]


async def test_the_database_keeps_one_party_at_a_counter(database: Database, clerk: Clerk) -> None:
    first, second = await clerk.draw(), await clerk.draw()
    await clerk.open("1")
    await clerk.next("1")
    assert first["state"] == "waiting"
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as conn:
            await conn.execute(
                "INSERT INTO counter_turn (visit_id, site_id, business_date, counter, is_known,"
                " began_at) VALUES ($1, $2, $3, '1', true, $4)",
                second["visit_id"],
                OFFICE,
                TODAY,
                TEN,
            )


async def test_pages_of_counters_and_their_tags(clerk: Clerk) -> None:
    for name in ("1", "2", "3"):
        await clerk.open(name)
    page = ok(await clerk.get(f"/v1/counters?site_id={OFFICE}&limit=2"))
    rest = ok(await clerk.get(f"/v1/counters?site_id={OFFICE}&cursor={page['next_cursor']}"))
    assert [one["counter"] for one in (*page["items"], *rest["items"])] == ["1", "2", "3"]
    path = f"/v1/counters/{OFFICE}/1"
    tag = (await clerk.get(path)).headers["ETag"]
    assert (await clerk.get(path, **{"If-None-Match": tag})).status_code == 304
    await clerk.draw()
    await clerk.next("1")
    assert (await clerk.get(path, **{"If-None-Match": tag})).status_code == 200


async def test_the_tickets_of_a_day_as_a_file(clerk: Clerk) -> None:
    await clerk.open("1")
    await clerk.draw(need="wheelchair")
    await clerk.next("1")
    path = f"/v1/tickets?site_id={OFFICE}&format="
    sheet = await clerk.get(f"{path}csv", **{"Accept-Language": "en"})
    head, row = sheet.text.splitlines()
    assert head.startswith("Ticket,Purposes,Served sooner for,Arrival,State,Counter")
    assert row.startswith("C001,question,wheelchair,walk_in,called,1,,2026-07-14T10:00:00+09:00")
    assert (await clerk.get(f"{path}xlsx")).content.startswith(b"PK")
    assert ok(await clerk.get(f"{path}json"))["items"][0]["ticket"] == "C001"
