"""The end of a day: cards counted back, counters closed, the report, and measures told once."""

from datetime import timedelta

from services.issuance.domain.ticket import Purpose
from services.issuance.handlers.measuring import Learning
from services.issuance.store import board, measures
from shared.clock import FixedClock
from tests.issuance.support import OFFICE, TEN, TODAY, City, Clerk, ok, refused

DAY = f"/v1/sites/{OFFICE}/day"
SIGN_OFF = f"{DAY}:sign-off"
EVENING = TEN + timedelta(hours=7)


async def test_no_sign_off_while_nobody_knows_where_a_card_is(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    issued, deferred, open_ = [await city.booking(await city.card()) for _ in range(3)]
    visit_id, _ = await clerk.up_to_issue(booking_id=issued.booking_id)
    ok(await clerk.step(visit_id, issued.case_id, "issue"))
    for booking in (deferred, open_):
        visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
        clock.advance(timedelta(minutes=1))
        if booking is deferred:
            ok(await clerk.step(visit_id, booking.case_id, "defer", {"reason": "other"}))
    clock.set(EVENING)
    problem = refused(await supervisor.post(SIGN_OFF), "cards-not-counted")
    assert set(problem["case_ids"]) == {str(deferred.case_id), str(open_.case_id)}
    ok(await clerk.count_back(deferred.case_id))
    assert refused(await supervisor.post(SIGN_OFF), "cards-not-counted")["case_ids"] == [
        str(open_.case_id)
    ]
    ok(await clerk.count_back(missing=[open_.case_id]))
    report = ok(await supervisor.post(SIGN_OFF))
    assert (report["cards_back"], report["cards_missing"]) == (1, 1)
    assert (report["done"], report["deferred"], report["parties"]) == (1, 2, 3)
    assert ok(await supervisor.get(f"{DAY}/report")) == report
    refused(await clerk.count_back(open_.case_id), "day-signed-off")
    actions = await city.actions()
    assert {"card.count_back", "card.count_missing", "day.sign_off"} <= set(actions)


async def test_a_card_that_was_not_at_a_counter_cannot_be_counted(city: City, clerk: Clerk) -> None:
    booking = await city.booking(await city.card())
    ok(await clerk.check_in(booking_id=booking.booking_id))
    refused(await clerk.count_back(booking.case_id), "card-not-out", 422)


async def test_there_is_no_report_of_an_open_day(clerk: Clerk, supervisor: Clerk) -> None:
    refused(await supervisor.get(f"{DAY}/report"), "day-not-signed-off", 404)
    assert (await clerk.get(f"{DAY}/report")).status_code == 403


async def test_counters_close_with_the_day(clerk: Clerk, supervisor: Clerk) -> None:
    await clerk.open("1")
    ok(await supervisor.post(SIGN_OFF))
    counter = ok(await clerk.get(f"/v1/counters/{OFFICE}/1"))
    assert counter["state"] == "closed"
    refused(await clerk.post(f"/v1/counters/{OFFICE}/1:open"), "day-signed-off")
    body = {"site_id": OFFICE, "purpose": "question"}
    refused(await clerk.post("/v1/tickets", body), "day-signed-off")


async def test_measures_are_told_once_and_say_what_was(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    kept = await city.booking(await city.card(), starts_at=TEN)
    await city.booking(await city.card())
    await clerk.open("1")
    visit_id = ok(await clerk.check_in(booking_id=kept.booking_id))["visit_id"]
    clock.advance(timedelta(minutes=10))
    await clerk.next("1")
    clock.advance(timedelta(minutes=10))
    documents = {"documents": [{"class": "A", "type": "passport"}]}
    ok(await clerk.step(visit_id, kept.case_id, "identity", documents))
    ok(await clerk.step(visit_id, kept.case_id, "pin-set", {"confirmed": True}))
    clock.advance(timedelta(minutes=5))
    ok(await clerk.step(visit_id, kept.case_id, "issue"))
    left = (await clerk.draw("certificate_renewal", ward="141313"))["visit_id"]
    ok(await clerk.ticket(left, "leave"))
    clock.set(EVENING)
    ok(await supervisor.post(SIGN_OFF))
    ok(await supervisor.post(SIGN_OFF))
    quarters = await city.measured()
    first, second, third = quarters
    assert {quarter["site_id"] for quarter in quarters} == {OFFICE}
    assert (first["booked"], first["called"], first["waited_seconds"]) == (1, 1, 600)
    assert (first["open_seconds"], first["busy_seconds"]) == (900, 300)
    times = {(t["service"], t["step"]): t["seconds"] for t in second["service_times"]}
    assert times == {
        ("card_issuance", None): 900,
        ("card_issuance", "identity"): 600,
        ("card_issuance", "pin_set"): 0,
        ("card_issuance", "finish"): 300,
    }
    assert (second["walk_in"], second["abandoned"]) == (1, 1)
    assert second["open_seconds"] == 600, "nobody closed it: open until its last party"
    assert (third["expected"], third["missed"]) == (1, 1)


async def test_measures_come_as_a_table(clerk: Clerk, supervisor: Clerk) -> None:
    await clerk.draw()
    table = ok(await supervisor.get(f"{DAY}/measures"))
    assert table["rows"][0]["walk_in"] == 1
    sheet = await supervisor.get(f"{DAY}/measures?format=csv")
    assert "Utilisation" in sheet.text.splitlines()[0]
    book = await supervisor.get(f"{DAY}/measures?format=xlsx")
    assert book.content.startswith(b"PK")


async def test_measured_times_replace_the_defaults_once_there_are_enough(
    city: City, clerk: Clerk, clock: FixedClock
) -> None:
    await clerk.open("1")
    for _ in range(3):
        await clerk.draw()
        visit = await clerk.next("1")
        assert visit is not None
        clock.advance(timedelta(minutes=8))
        ok(await clerk.ticket(visit["visit_id"], "done"))
    enough, too_few = Learning(28, 3), Learning(28, 4)
    async with city.database.transaction() as conn:
        assert not await measures.learn(conn, OFFICE, TODAY, days=too_few.days, least=too_few.least)
        await measures.learn(conn, OFFICE, TODAY, days=enough.days, least=enough.least)
        assert await board.times(conn, OFFICE) == {Purpose.QUESTION: timedelta(minutes=8)}
        last = TODAY + timedelta(days=27)
        assert await measures.learn(conn, OFFICE, last, days=28, least=3), "the day still counts"
        assert not await measures.learn(conn, OFFICE, last + timedelta(days=1), days=28, least=1)


async def test_a_party_that_was_forgotten_counts_as_no_time(
    city: City, clerk: Clerk, supervisor: Clerk, clock: FixedClock
) -> None:
    await clerk.draw()
    await clerk.open("1")
    await clerk.next("1")
    clock.set(EVENING)
    ok(await supervisor.post(SIGN_OFF))
    assert sum(quarter["busy_seconds"] for quarter in await city.measured()) == 0
    assert not any(quarter["service_times"] for quarter in await city.measured())
    async with city.database.transaction() as conn:
        assert not await measures.learn(conn, OFFICE, TODAY, days=28, least=1)
