"""A card is issued exactly once, whoever races; each race is also run with its guard taken away,
and then it must be lost, or the test would prove nothing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.issuance.domain.case_file import AlreadyDone, CaseFile
from services.issuance.domain.day import DaySignedOff
from services.issuance.domain.visit import CaseState, Visit
from services.issuance.handlers import hand_over
from services.issuance.store import case_files, days, visits
from shared.contracts.preparation import CardVoided, VoidReason
from shared.db import Connection, Database
from shared.ids import CaseId, VisitId, new_id
from shared.security.principal import Principal
from tests.issuance.support import OFFICE, PEOPLE, City, Clerk, ok, refused
from tests.support.waits import waiting

RACERS = 20


@pytest.fixture
def two_terminals(client: httpx.AsyncClient) -> list[Clerk]:
    """Two clerks at two terminals."""
    return [Clerk(client, "clerk"), Clerk(client, "colleague")]


@pytest.fixture
async def ready(city: City, clerk: Clerk) -> tuple[str, CaseId]:
    """A visit with one case that only waits for its hand-over."""
    case_id = await city.card()
    booking = await city.booking(case_id)
    visit_id, _ = await clerk.up_to_issue(booking_id=booking.booking_id)
    return visit_id, case_id


async def race_to_issue(
    terminals: list[Clerk], ready: tuple[str, CaseId]
) -> Counter[tuple[int, str]]:
    """Twenty clicks on two terminals; how many got which answer."""
    visit_id, case_id = ready
    answers = await asyncio.gather(
        *(terminals[n % 2].step(visit_id, case_id, "issue") for n in range(RACERS))
    )
    return Counter((a.status_code, a.json().get("type", "")) for a in answers)


async def test_twenty_clicks_on_two_terminals(
    city: City, two_terminals: list[Clerk], ready: tuple[str, CaseId]
) -> None:
    answers = await race_to_issue(two_terminals, ready)
    assert answers == {
        (200, ""): 1,
        (409, "urn:madoguchi:problem:case-already-done"): RACERS - 1,
    }
    assert (await city.types_said()).count("card.issued.v1") == 1
    assert (await city.types_said()).count("visit.completed.v1") == 1


async def without_guards(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the lock on the visit, the lock on the case and the unique key away."""
    gate = asyncio.Barrier(2)

    async def read_only(conn: Connection, ids: Iterable[CaseId]) -> dict[CaseId, CaseFile]:
        files = await case_files.read(conn, ids)
        # Both racers have read before either writes: the moment the guards are for.
        await gate.wait()
        return files

    monkeypatch.setattr(visits, "lock", visits.find)
    monkeypatch.setattr(case_files, "lock", read_only)
    async with database.transaction() as conn:
        await conn.execute("ALTER TABLE procedure_ended DROP CONSTRAINT procedure_ended_pkey")


async def test_without_its_guards_the_race_is_lost(
    city: City,
    database: Database,
    two_terminals: list[Clerk],
    ready: tuple[str, CaseId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await without_guards(database, monkeypatch)
    await asyncio.gather(*(clerk.step(*ready, "issue") for clerk in two_terminals))
    assert (await city.types_said()).count("card.issued.v1") == 2


async def test_the_unique_key_alone_holds(
    city: City,
    database: Database,
    two_terminals: list[Clerk],
    ready: tuple[str, CaseId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await without_guards(database, monkeypatch)
    async with database.transaction() as conn:
        await conn.execute("ALTER TABLE procedure_ended ADD PRIMARY KEY (case_id)")
    answers = await asyncio.gather(*(clerk.step(*ready, "issue") for clerk in two_terminals))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert (await city.types_said()).count("card.issued.v1") == 1


async def test_a_double_click_gets_the_same_answer(
    city: City, clerk: Clerk, ready: tuple[str, CaseId]
) -> None:
    visit_id, case_id = ready
    path, key = f"/v1/visits/{visit_id}/cases/{case_id}/issue", str(new_id())
    first = await clerk.post(path, key=key)
    again = await clerk.post(path, key=key)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert (await city.types_said()).count("card.issued.v1") == 1


async def test_twenty_check_ins_make_one_visit(
    city: City, two_terminals: list[Clerk], database: Database
) -> None:
    booking = await city.booking(await city.card())
    answers = await asyncio.gather(
        *(two_terminals[n % 2].check_in(booking_id=booking.booking_id) for n in range(RACERS))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: RACERS - 1}
    made = next(answer.json()["visit_id"] for answer in answers if answer.status_code == 201)
    told = {a.json()["visit_id"] for a in answers if a.status_code == 409}
    assert told == {made}
    assert (await city.types_said()).count("visit.checked_in.v1") == 1


async def test_without_the_unique_key_a_case_is_in_two_visits(
    city: City, two_terminals: list[Clerk], database: Database
) -> None:
    booking = await city.booking(await city.card())
    async with database.transaction() as conn:
        await conn.execute("DROP INDEX visit_case_open")
    for clerk in two_terminals:
        ok(await clerk.check_in(booking_id=booking.booking_id))
    assert (await city.types_said()).count("visit.checked_in.v1") == 2


@asynccontextmanager
async def news_in_flight(city: City, case_id: CaseId) -> AsyncIterator[None]:
    """The card's voiding is handled but not committed until the block ends."""
    record = city.record(CardVoided(case_id=case_id, reason=VoidReason.MOVED_OUT))
    async with city.units.begin(Principal.system("issuance")) as unit:
        await city.processor.handle(unit, [record])
        yield


async def issue_beside_the_news(city: City, clerk: Clerk, ready: tuple[str, CaseId]) -> int:
    """Issue while the card is being voided; the status of the answer."""
    async with news_in_flight(city, ready[1]):
        issuing = asyncio.create_task(clerk.step(*ready, "issue"))
        await waits_or_ends(city.database, issuing)
    return (await issuing).status_code


async def waits_or_ends(database: Database, task: "asyncio.Task[Any]") -> None:
    """Until ``task`` is done or somebody waits for a lock in the database."""
    async with database.reader() as conn:
        while not task.done() and await waiting(conn) is None:  # noqa: ASYNC110  it says so
            await asyncio.sleep(0.01)


async def test_a_card_voided_in_the_same_moment_is_not_handed_over(
    city: City, clerk: Clerk, ready: tuple[str, CaseId]
) -> None:
    assert await issue_beside_the_news(city, clerk, ready) == 409
    assert "card.issued.v1" not in await city.types_said()


async def test_without_the_lock_on_its_file_it_would_be(
    city: City, clerk: Clerk, ready: tuple[str, CaseId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_files, "lock", case_files.read)
    assert await issue_beside_the_news(city, clerk, ready) == 200


async def seen_behind_another(city: City, ready: tuple[str, CaseId]) -> CaseState:
    """A visit's case as it is read by who waits while somebody closes it."""
    visit_id, case_id = VisitId(UUID(ready[0])), ready[1]

    async def wait() -> Visit | None:
        async with city.database.transaction() as conn:
            return await visits.lock(conn, visit_id)

    async with city.database.transaction() as conn:
        await visits.lock(conn, visit_id)
        state, at = CaseState.DEFERRED, city.clock.now()
        await visits.close_case(conn, visit_id, case_id, state, reason="other", at=at)
        second = asyncio.create_task(wait())
        await waits_or_ends(city.database, second)
    seen = await second
    assert seen is not None
    return seen.cases[0].state


async def test_who_waited_for_a_visit_sees_what_was_done_meanwhile(
    city: City, ready: tuple[str, CaseId]
) -> None:
    assert await seen_behind_another(city, ready) is CaseState.DEFERRED


async def test_without_the_second_look_its_case_would_be_as_old_as_the_question(
    city: City, ready: tuple[str, CaseId], monkeypatch: pytest.MonkeyPatch
) -> None:
    blind = visits._LOCK.replace("v.version = (", "true OR v.version = (")
    monkeypatch.setattr(visits, "_LOCK", blind)
    assert await seen_behind_another(city, ready) is CaseState.OPEN


async def check_in_beside_sign_off(city: City, clerk: Clerk, supervisor: Clerk) -> tuple[int, int]:
    """A citizen checks in while the sign-off is about to commit; status of the check-in."""
    await city.card(number="A1B-234567")
    async with city.units.begin(PEOPLE["supervisor"]) as unit:
        day = unit.now.date()
        assert await days.take(unit.conn, OFFICE, day) is None
        await days.sign_off(unit.conn, OFFICE, day, unit.now, "staff:super")
        coming = asyncio.create_task(clerk.check_in(notice_number="A1B-234567"))
        await waits_or_ends(city.database, coming)
    return (await coming).status_code, len(await city.types_said())


async def test_nobody_comes_in_behind_a_sign_off(
    city: City, clerk: Clerk, supervisor: Clerk
) -> None:
    assert await check_in_beside_sign_off(city, clerk, supervisor) == (409, 0)
    refused(await clerk.check_in(notice_number="A1B-234567"), DaySignedOff.slug)


async def test_without_the_shared_lock_somebody_does(
    city: City, clerk: Clerk, supervisor: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "share_one", days.signed_off_at)
    assert await check_in_beside_sign_off(city, clerk, supervisor) == (201, 1)


async def test_a_failed_hand_over_leaves_no_trace(
    city: City, ready: tuple[str, CaseId], database: Database
) -> None:
    async def issue_twice_in_one_unit() -> None:
        async with city.units.begin(PEOPLE["clerk"]) as unit:
            for _ in range(2):
                await hand_over.issue(unit, VisitId(UUID(ready[0])), ready[1])

    before = await city.types_said()
    with pytest.raises(AlreadyDone):
        await issue_twice_in_one_unit()
    assert await city.types_said() == before
    async with database.reader() as conn:
        assert await conn.fetchval("SELECT count(*) FROM procedure_ended") == 0
