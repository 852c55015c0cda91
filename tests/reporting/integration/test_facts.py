"""Facts do not depend on how they come: any order, any repetition, any batches."""

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.reporting.events import PROJECTIONS, SUBSCRIBES
from services.reporting.store import reports
from shared.calendar import FiscalYear, business_date
from shared.contracts.base import CaseOpened, Event
from shared.contracts.preparation import CardReleased
from shared.contracts.reservation import BookingMoved
from shared.contracts.site import CapacityPublished, SiteChanged, SiteState
from shared.messaging.subscriptions import waves
from shared.security.principal import Principal
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.histories import (
    WARDS,
    Happening,
    case_of,
    completed,
    counts_of,
    facts_of,
    opened,
    tokyo,
    told,
)
from tests.reporting.site_days import deliveries as day_deliveries
from tests.reporting.strategies import deliveries
from tests.support.sizes import proof_size
from tests.support.state import state_hash

HANDLERS = {each.event_type.type: each.handler for each in SUBSCRIBES}
Delivery = tuple[list[Happening], list[list[Happening]]]
QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def known(reporting: Reporting) -> dict[Any, dict[str, Any]]:
    """Every row without its empty columns."""
    async with reporting.database.reader() as conn:
        rows = await conn.fetch("SELECT * FROM case_fact")
    return {
        row["case_id"]: {k: v for k, v in row.items() if v is not None and k != "case_id"}
        for row in rows
    }


async def forget(reporting: Reporting) -> None:
    async with reporting.database.transaction() as conn:
        await conn.execute(
            f"TRUNCATE {', '.join(t for each in PROJECTIONS for t in each.tables)}, inbox"
        )


@QUICK
@given(deliveries())
async def test_any_delivery_gives_the_facts_of_the_history(
    reporting: Reporting, delivery: tuple[list[Happening], list[list[Happening]]]
) -> None:
    history, batches = delivery
    await forget(reporting)
    for batch in batches:
        await reporting.hear(batch)
    assert await known(reporting) == facts_of(history)
    await _assert_counts(reporting, history)


@QUICK
@given(deliveries())
async def test_the_handlers_alone_stand_repetition(
    reporting: Reporting, delivery: tuple[list[Happening], list[list[Happening]]]
) -> None:
    history, batches = delivery
    await forget(reporting)
    for batch in batches:
        async with reporting.units.begin(Principal.system("reporting")) as unit:
            for kind, group in waves([each.message() for each in batch]):
                await HANDLERS[kind](unit, group)
    assert await known(reporting) == facts_of(history)


@settings(QUICK, max_examples=proof_size(15, 300))
@given(deliveries(), day_deliveries())
async def test_any_split_of_a_stream_into_batches_gives_the_same_state(
    reporting: Reporting, cases: Delivery, days: Delivery
) -> None:
    """Also of the tables that no oracle reads: all at once, as it came, and one by one."""
    batches = [*cases[1], *days[1]]
    stream = [each for batch in batches for each in batch]
    hashes = set()
    for split in ([stream], batches, [[each] for each in cases[0] + days[0]]):
        await forget(reporting)
        for batch in split:
            await reporting.hear(batch)
        async with reporting.database.reader() as conn:
            hashes.add(await state_hash(conn))
    assert len(hashes) == 1


async def test_a_batch_writes_each_case_once(reporting: Reporting) -> None:
    """However many events tell of it: a case's row is the dearest that is written."""
    case_id = case_of(1)
    at = tokyo(2026, 4, 1, 9)
    kinds = ("card.applied", "card.shipped", "card.received", "card.inspected", "card.notified")
    samples = [SAMPLES[f"{kind}.v1"].model_copy(update={"case_id": case_id}) for kind in kinds]
    history = told([(opened(case_id), at, "preparation.events")])
    history += told([(each, at, "preparation.events") for each in samples])
    await reporting.hear(history[:1])
    async with reporting.database.reader() as conn:
        before = await conn.fetchval("SELECT ctid FROM case_fact")
    await reporting.hear(history[1:])
    async with reporting.database.reader() as conn:
        block, line = await conn.fetchval("SELECT ctid FROM case_fact")
    assert (block, line) == (before[0], before[1] + 1)


async def _assert_counts(reporting: Reporting, history: list[Happening]) -> None:
    counts: dict[Any, int] = {}
    async with reporting.database.reader() as conn:
        for year in (FiscalYear(7), FiscalYear(8)):
            counts |= await reports.counts(conn, reports.Span(year.first, year.last))
    assert counts == counts_of(history)


def everything() -> list[Happening]:
    """One of every event there is, on every topic where it can be."""
    samples: list[tuple[Event, Any, str]] = []
    for subscription in SUBSCRIBES:
        event = SAMPLES[subscription.event_type.type]
        at = tokyo(2026, 4, 1, 9, len(samples) % 60)
        samples += [(event, at, topic) for topic in subscription.topics]
    return told(samples)


async def test_each_event_twice_then_all_again_changes_nothing(reporting: Reporting) -> None:
    for each in everything():
        await reporting.hear([each])
    async with reporting.database.reader() as conn:
        once = await state_hash(conn)
    for each in everything():
        await reporting.hear([each, each])
    await reporting.hear(everything())
    async with reporting.database.reader() as conn:
        assert await state_hash(conn) == once


@settings(QUICK, max_examples=15)
@given(st.integers())
async def test_site_facts_do_not_depend_on_order(reporting: Reporting, seed: int) -> None:
    await forget(reporting)
    await reporting.hear(everything())
    async with reporting.database.reader() as conn:
        in_order = await state_hash(conn)
    await forget(reporting)
    shuffled = everything()
    random.Random(seed).shuffle(shuffled)
    for start in range(0, len(shuffled), 7):
        await reporting.hear(shuffled[start : start + 7])
    async with reporting.database.reader() as conn:
        assert await state_hash(conn) == in_order


async def test_the_latest_ward_counts_even_within_one_batch(reporting: Reporting) -> None:
    case_id = case_of(1)
    moved = [
        (CardReleased(case_id=case_id, ward=ward), tokyo(2026, 4, 2, hour), "preparation.events")
        for ward, hour in ((WARDS[0], 9), (WARDS[1], 15), (WARDS[0], 11), (WARDS[0], 10))
    ]
    await reporting.hear(told(moved))
    assert (await known(reporting))[case_id]["ward"] == WARDS[1]


async def test_every_change_of_a_booking_is_kept_once(reporting: Reporting) -> None:
    moved, cancelled = SAMPLES["booking.moved.v1"], SAMPLES["booking.cancelled.v1"]
    assert isinstance(moved, BookingMoved)
    history = told(
        [
            (moved, tokyo(2026, 4, 1, 9), "reservation.events"),
            (moved, tokyo(2026, 4, 2, 9), "reservation.events"),
            (cancelled, tokyo(2026, 4, 3, 9), "reservation.events"),
        ]
    )
    for batch in (history[1:], history, history[::-1]):
        await reporting.hear(batch)
    async with reporting.database.reader() as conn:
        rows = await conn.fetch(
            "SELECT kind, told_on::text, left_on, left_minutes FROM booking_change ORDER BY told_at"
        )
    left = (business_date(moved.previous_starts_at), moved.minutes)
    assert [tuple(row) for row in rows] == [
        ("moved", "2026-04-01", *left),
        ("moved", "2026-04-02", *left),
        ("cancelled", "2026-04-03", None, None),
    ]


async def test_the_latest_site_and_seats_count(reporting: Reporting) -> None:
    base = SAMPLES["site.changed.v1"]
    seats = SAMPLES["capacity.published.v1"]
    assert isinstance(base, SiteChanged)
    assert isinstance(seats, CapacityPublished)
    closed = base.site.model_copy(update={"state": SiteState.CLOSED})
    full = tuple(day.model_copy(update={"free": 0}) for day in seats.days)
    history = told(
        [
            (base, tokyo(2026, 4, 1, 9), "site.events"),
            (base.model_copy(update={"site": closed}), tokyo(2026, 4, 1, 10), "site.events"),
            (seats, tokyo(2026, 4, 1, 9), "site.events"),
            (seats.model_copy(update={"days": full}), tokyo(2026, 4, 1, 10), "site.events"),
        ]
    )
    for batch in (history, history[::-1], history[1:2] + history[3:], history[:1]):
        await forget(reporting)
        await reporting.hear(batch)
        await reporting.hear(history)
        async with reporting.database.reader() as conn:
            assert await conn.fetchval("SELECT state FROM site_fact") == "closed"
            assert await conn.fetchval("SELECT sum(free) FROM site_seats") == 0


async def test_a_completion_counts_before_its_case_was_opened(reporting: Reporting) -> None:
    case_id = case_of(1)
    history = told(
        [
            (opened(case_id), tokyo(2026, 4, 2, 9), "preparation.events"),
            (completed(case_id), tokyo(2026, 5, 31, 23, 59), "issuance.events"),
        ]
    )
    await reporting.hear(history[1:])
    await _assert_counts(reporting, history[1:])
    await reporting.hear(history[:1])
    assert await known(reporting) == facts_of(history)


async def test_months_end_in_japan(reporting: Reporting) -> None:
    last, first = tokyo(2026, 4, 30, 23, 59, second=59), tokyo(2026, 5, 1)
    assert (last.month, first.month) == (4, 4)  # the same evening in UTC
    history = told(
        [
            (completed(case_of(1)), last, "issuance.events"),
            (completed(case_of(2)), first, "issuance.events"),
        ]
    )
    await reporting.hear(history)
    await _assert_counts(reporting, history)
    assert sorted(month.month for month, _ in counts_of(history)) == [4, 5]


def test_case_opened_is_heard_from_all_who_may_say_it() -> None:
    topics = next(each.topics for each in SUBSCRIBES if each.event_type is CaseOpened)
    assert set(topics) == {"preparation.events", "reservation.events", "issuance.events"}
