"""Cards at each stage: who is on hold, and since when; how fast a stage is left."""

import itertools
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings

from services.reporting.events import CASES
from services.reporting.handlers.stage_backlog import Backlog, backlogs
from services.reporting.store.stages import Waiting
from shared.calendar import BusinessCalendar, business_date
from shared.contracts.base import CaseEvent, Event
from shared.contracts.preparation import (
    CardHeld,
    CardReceived,
    CardReleased,
    CardVoided,
    HoldReason,
)
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.histories import WARDS, Happening, case_of, tokyo, told
from tests.reporting.strategies import deliveries
from tests.support.sizes import proof_size
from tests.support.state import state_hash

CALENDAR = BusinessCalendar()
TODAY = date(2026, 7, 15)
CASE = case_of(1)


def sample(name: str, number: int = 1) -> CaseEvent:
    found = SAMPLES[f"card.{name}.v1"]
    assert isinstance(found, CaseEvent)
    return found.model_copy(update={"case_id": case_of(number)})


def held(reason: HoldReason = HoldReason.OTHER) -> CardHeld:
    return CardHeld(case_id=CASE, reason=reason)


def prepared(*events: tuple[Event, datetime]) -> list[Happening]:
    """A card that came on 1 July, and what preparation told of it then."""
    first = (sample("received"), tokyo(2026, 7, 1, 10))
    return told((event, at, "preparation.events") for event, at in (first, *events))


async def forget(reporting: Reporting) -> None:
    async with reporting.database.transaction() as conn:
        await conn.execute(f"TRUNCATE {', '.join(CASES.tables)}, inbox")


async def stage(reporting: Reporting, wanted: Waiting) -> Backlog:
    async with reporting.database.reader() as conn:
        found = await backlogs(conn, TODAY, CALENDAR)
    return next(each for each in found if each.stage is wanted)


async def on_hold(reporting: Reporting, day: date) -> int:
    """The cases behind the figure at the end of ``day``."""
    path = f"/v1/reports/cases/standing?figure=at_held&date={day}"
    return len((await reporting.get(path)).json()["items"])


async def test_a_card_held_again_is_on_hold_in_whatever_order_that_is_told(
    reporting: Reporting,
) -> None:
    """Also for a second reason meanwhile, which ends no hold and begins none."""
    arrival, *holds = prepared(
        (held(), tokyo(2026, 7, 2, 9)),
        (CardReleased(case_id=CASE, ward=WARDS[0]), tokyo(2026, 7, 3, 9)),
        (held(), tokyo(2026, 7, 6, 9)),
        (held(HoldReason.MOVED_WITHIN_CITY), tokyo(2026, 7, 8, 9)),
    )
    hashes = set()
    for order in itertools.permutations(holds):
        await forget(reporting)
        for each in (*order, arrival):
            await reporting.hear([each, each])
        async with reporting.database.transaction() as conn:
            await conn.execute("TRUNCATE inbox")  # the rows alone know what was told
        await reporting.hear([arrival, *order])
        found = await stage(reporting, Waiting.HELD)
        assert (found.cards, found.oldest) == (1, date(2026, 7, 6))
        assert (await stage(reporting, Waiting.RECEIVED)).cards == 0
        async with reporting.database.reader() as conn:
            hashes.add(await state_hash(conn))
    assert len(hashes) == 1
    days = [await on_hold(reporting, date(2026, 7, day)) for day in (1, 2, 3, 5, 6, 8, 15)]
    assert days == [0, 1, 0, 0, 1, 1, 1]


async def test_of_one_moment_the_later_word_counts(reporting: Reporting) -> None:
    """A clock may stand still: then it is the source's own order that says which came last."""
    moment = tokyo(2026, 7, 6, 9)
    released = CardReleased(case_id=CASE, ward=WARDS[0])
    first = (held(), tokyo(2026, 7, 2, 9))
    for events, cards in (((released, held()), 1), ((held(), released), 0)):
        await forget(reporting)
        await reporting.hear(prepared(first, *((each, moment) for each in events))[::-1])
        assert (await stage(reporting, Waiting.HELD)).cards == cards


@settings(
    max_examples=proof_size(30, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deliveries((CardReceived, CardHeld, CardReleased, CardVoided)))
async def test_who_is_on_hold_is_what_was_told_last(
    reporting: Reporting, delivery: tuple[list[Happening], list[list[Happening]]]
) -> None:
    history, batches = delivery
    await forget(reporting)
    for batch in batches:
        await reporting.hear(batch)
    since = [each for number in (1, 2, 3) if (each := _held_since(history, number))]
    found = await stage(reporting, Waiting.HELD)
    oldest = business_date(min(since)) if since else None
    assert (found.cards, found.oldest) == (len(since), oldest)


def _held_since(history: list[Happening], number: int) -> datetime | None:
    """Since when this card is on hold: read event by event, in the order they were told."""
    since, came, over = None, False, False
    for each in sorted(history, key=lambda happening: (happening.at, happening.sequence)):
        event = each.event
        if not isinstance(event, CaseEvent) or event.case_id != case_of(number):
            continue
        came = came or isinstance(event, CardReceived)
        over = over or isinstance(event, CardVoided)
        if isinstance(event, CardHeld):
            since = since or each.at
        elif isinstance(event, CardReleased):
            since = None
    return since if came and not over else None


@pytest.mark.parametrize(
    ("today", "counted"),
    [
        pytest.param(TODAY, 3, id="from 1 to 14 July, ten business days"),
        pytest.param(date(2026, 7, 12), 2, id="on a Sunday, from 29 June to the day before"),
        pytest.param(date(2026, 7, 16), 3, id="a day later, without the first and with the next"),
    ],
)
async def test_the_pace_is_of_full_business_days(
    reporting: Reporting, today: date, counted: int
) -> None:
    """What leaves a stage today counts from tomorrow on."""
    moments = (
        tokyo(2026, 6, 28, 23, 59),
        tokyo(2026, 7, 1),
        tokyo(2026, 7, 10, 12),
        tokyo(2026, 7, 14, 23, 59, second=59),
        tokyo(2026, 7, 15),
    )
    for number, moment in enumerate(moments):
        came = (sample("received", number), tokyo(2026, 6, 25, 9), "preparation.events")
        left = (sample("inspected", number), moment, "preparation.events")
        await reporting.hear(told([came, left]))
    async with reporting.database.reader() as conn:
        found = (await backlogs(conn, today, CALENDAR))[0]
    assert found.pace == counted / 10
