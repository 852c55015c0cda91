"""Facts about sites' days do not depend on how they come: any order, repetition, batches."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings

from services.reporting.events import SITE_DAYS
from services.reporting.store import plans
from shared.contracts.site import CapacityPublished, SiteChanged
from shared.security.principal import Principal
from tests.contracts.samples import OFFICE, SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.histories import Happening, tokyo, told
from tests.reporting.site_days import deliveries, seats_of, transfers_of, visits_of
from tests.support.sizes import proof_size

HANDLERS = {each.event_type.type: each.handler for each in SITE_DAYS.subscriptions}
QUICK = settings(
    max_examples=proof_size(25, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Delivery = tuple[list[Happening], list[list[Happening]]]


async def rows(reporting: Reporting, table: str, key: str) -> dict[Any, dict[str, Any]]:
    """Every row without its empty columns."""
    async with reporting.database.reader() as conn:
        found = await conn.fetch(f'SELECT * FROM "{table}"')
    return {row[key]: {k: v for k, v in row.items() if v is not None} for row in found}


async def forget(reporting: Reporting) -> None:
    async with reporting.database.transaction() as conn:
        await conn.execute(f"TRUNCATE {', '.join(SITE_DAYS.tables)}, case_fact, inbox")


async def assert_known(reporting: Reporting, history: list[Happening]) -> None:
    """The tables say what the oracle says."""
    seats = await rows(reporting, "booking_fact", "booking_id")
    beside = {"booking_id", "case_id", "told_at", "told_sequence", "told_event", "business_date"}
    assert _without(seats, beside) == seats_of(history)
    visits = await rows(reporting, "visit_fact", "visit_id")
    for row in visits.values():
        if "checked_in_at" in row:
            row["checked_in"] = tuple(
                row.pop(name) for name in ("checked_in_at", "procedure", "arrival")
            )
    beside = {"visit_id", "case_id", "last_called_seq", "business_date"}
    assert _without(visits, beside) == visits_of(history)
    transfers = await rows(reporting, "transfer_fact", "batch_id")
    for row in transfers.values():
        if "dispatched_at" in row:
            names = ("dispatched_at", "from_site", "to_site", "due_on")
            row["dispatched"] = tuple(row.pop(name) for name in names)
    assert _without(transfers, {"batch_id", "case_id"}) == transfers_of(history)


@QUICK
@given(deliveries())
async def test_any_delivery_gives_the_facts_of_the_history(
    reporting: Reporting, delivery: Delivery
) -> None:
    history, batches = delivery
    await forget(reporting)
    for batch in batches:
        await reporting.hear(batch)
    await assert_known(reporting, history)


@QUICK
@given(deliveries())
async def test_the_handlers_alone_stand_repetition(
    reporting: Reporting, delivery: Delivery
) -> None:
    history, batches = delivery
    await forget(reporting)
    for batch in batches:
        async with reporting.units.begin(Principal.system("reporting")) as unit:
            for kind in {each.event.type for each in batch}:
                messages = [each.message() for each in batch if each.event.type == kind]
                await HANDLERS[kind](unit, messages)
    await assert_known(reporting, history)


async def test_a_day_is_judged_by_what_was_told_before_it_began(reporting: Reporting) -> None:
    seats, site = SAMPLES["capacity.published.v1"], SAMPLES["site.changed.v1"]
    assert isinstance(seats, CapacityPublished)
    assert isinstance(site, SiteChanged)
    day = seats.days[0].business_date
    rest = seats.model_copy(update={"days": (seats.days[0].model_copy(update={"total": 7}),)})
    morning = tokyo(day.year, day.month, day.day, 11)
    fewer = site.model_copy(update={"site": site.site.model_copy(update={"counters": 1})})
    history = told(
        [
            (site, morning - timedelta(days=3), "site.events"),
            (fewer, morning - timedelta(days=1), "site.events"),
            (seats, morning - timedelta(days=2), "site.events"),
            (rest, morning, "site.events"),
        ]
    )
    for order in (history, history[::-1], [*history, *history]):
        await forget(reporting)
        await reporting.hear(order)
        async with reporting.database.reader() as conn:
            assert (
                await conn.fetchval("SELECT seats FROM site_offer WHERE business_date = $1", day)
                == seats.days[0].total
            )
            (then,) = await plans.on_day(conn, day - timedelta(days=3))
            (now,) = await plans.on_day(conn, day)
            assert (then.counters, now.counters) == (site.site.counters, 1)
            told_on = [each.told_on for each in (await plans.versions(conn, OFFICE))[OFFICE]]
            assert told_on == [day - timedelta(days=3), day - timedelta(days=1)]


def _without(found: dict[Any, dict[str, Any]], beside: set[str]) -> dict[Any, dict[str, Any]]:
    return {
        key: {name: value for name, value in row.items() if name not in beside}
        for key, row in found.items()
    }
