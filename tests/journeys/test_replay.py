"""A year's demand through sixteen processes: the table comes out cell by cell, every case is
accounted for, and what reporting shows is what the other rooms' databases say.

Small by default; at full size the plan's three years at 1 % in one go and one month whole, as
`make proofs` runs it. The first replay is interrupted on the way and goes on.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from fractions import Fraction
from pathlib import Path

import asyncpg
import pytest

from deploy.cli.replay import House
from deploy.embedded.stack import Stack
from shared.calendar import TOKYO
from simulation.replay.cases import End, Fate
from simulation.replay.city import DEMAND, read_city
from simulation.replay.demand import chosen, parse_month, read_demand, scaled
from simulation.replay.ledger import OtherReplay, open_ledger
from simulation.replay.plan import Planner
from simulation.replay.result import Result
from simulation.replay.run import Standing, replay
from simulation.replay.settings import Behaviour
from tests.support.sizes import proof_size

pytestmark = [pytest.mark.journey, pytest.mark.proof, pytest.mark.timeout(7200)]

FULL = proof_size(0, 1) == 1
RUNS = (
    [("2023-04", "2026-03", "1/100"), ("2026-07", "2026-07", "1")]
    if FULL
    else [("2025-07", "2025-07", "1/400")]
)
"""One after another in one house, so with room between them for the warm-up."""
# What is small is hurried too: fewer days of warm-up, and each kind of slip is seen.
BEHAVIOUR = (
    Behaviour()
    if FULL
    else Behaviour(
        import_before=3,
        inspect_before=3,
        check_before=2,
        preset_before=1,
        shelve_before=1,
        held_for=2,
        held=0.05,
        defect=0.03,
        void=0.03,
        void_booked=0.03,
        deferred=0.05,
        missed=0.05,
        notice_to_booking=(2, 2),
        booking_to_visit=(1, 5),
    )
)


def planned(first: str, last: str, scale: str) -> Planner:
    share = Fraction(scale)
    months = chosen(read_demand(DEMAND), parse_month(first), parse_month(last), DEMAND)
    return Planner.of(scaled(months, share), read_city(), BEHAVIOUR, scale=share)


@asynccontextmanager
async def database(house: Stack, room: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(house.database_url(room))
    try:
        yield connection
    finally:
        await connection.close()


async def interrupted(house: House, planner: Planner, journal: Path) -> None:
    """Run until visits have begun, and stop in the middle of a day."""
    reached = asyncio.Event()

    def watch(standing: Standing) -> None:
        if standing.completed:
            reached.set()

    run = asyncio.create_task(replay(house, planner, open_ledger(journal, {"n": "1"}), watch))
    await asyncio.wait([run, stop := asyncio.create_task(reached.wait())],
                       return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    stop.cancel()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_the_table_comes_out_cell_by_cell(house: Stack, tmp_path: Path) -> None:
    doors = House.of(house)
    expected: Counter[tuple[str, ...]] = Counter()
    for number, run in enumerate(RUNS):
        planner, journal = planned(*run), tmp_path / f"{number}.jsonl"
        if number == 0:
            await interrupted(doors, planner, journal)
            with pytest.raises(OtherReplay):
                open_ledger(journal, {"n": "2"})
        result = await replay(doors, planner, open_ledger(journal, {"n": "1"}), lambda _: None)
        require_as_demanded(result, planner)
        expected += fates(planner)
        await require_accounted_for(house, expected)
        await require_projections_recounted(house)


def require_as_demanded(result: Result, planner: Planner) -> None:
    """Every cell is what the file asks for, by reporting's own count."""
    assert not result.differing()
    assert {(cell.month, cell.service): cell.completed for cell in result.cells} == planner.demand
    assert all(cell.carried == 0 for cell in result.cells)
    assert result.events_published > 0
    assert result.events_handled > result.events_published


def fates(planner: Planner) -> Counter[tuple[str, ...]]:
    """What becomes of the cases, as the rooms will have it written."""
    found: Counter[tuple[str, ...]] = Counter()
    for plan in planner.plans():
        for case in plan.cases:
            found[case.procedure.value, case.fate.value] += 1
            for one in case.appointments:
                found["appointment", one.end.value] += 1
    return found


async def require_accounted_for(house: Stack, expected: Mapping[tuple[str, ...], int]) -> None:
    """Every case planned is in the rooms, and has come to the end it was planned to come to."""
    async with database(house, "preparation") as preparation:
        stages = await counts(preparation, "SELECT stage FROM card")
    ended = expected["card_issuance", Fate.VOID] + expected["card_issuance", Fate.VOID_BOOKED]
    assert stages == {
        "issued": expected["card_issuance", Fate.COMPLETED],
        "rejected": expected["card_issuance", Fate.DEFECT],
        "voided": ended,
    }
    async with database(house, "reservation") as reservation:
        bookings = await counts(reservation, "SELECT state FROM booking")
        open_renewals = await reservation.fetchval(
            "SELECT count(*) FROM renewal WHERE ended_at IS NULL"
        )
    assert bookings["active"] == 0
    assert open_renewals == 0
    assert bookings["missed"] == expected["appointment", End.MISSED]
    # A move keeps its booking; a visit in vain uses it up.
    given_up = (End.CANCELLED, End.VOID, End.DEFERRED, End.LETTER)
    assert bookings["cancelled"] == sum(expected["appointment", end] for end in given_up)
    assert bookings["fulfilled"] == expected["appointment", End.SERVED]


async def require_projections_recounted(house: Stack) -> None:
    """What reporting has is what issuance and preparation would count themselves."""
    async with database(house, "issuance") as issuance:
        told = await issuance.fetch(
            "SELECT e.ended_at, c.procedure, f.ward, e.site_id FROM procedure_ended e"
            " JOIN visit_case c ON c.case_id = e.case_id AND c.visit_id = e.visit_id"
            " JOIN case_file f ON f.case_id = e.case_id"
        )
    async with database(house, "reporting") as reporting:
        shown = await reporting.fetch(
            "SELECT completed_at, completed_procedure, completed_ward, completed_site"
            " FROM case_fact WHERE completed_at IS NOT NULL"
        )
        steps = await reporting.fetchrow(
            "SELECT count(applied_on) AS applied, count(preset_at) AS preset,"
            " count(notified_at) AS notified, count(voided_at) AS voided FROM case_fact"
        )
    assert Counter(map(cell, told)) == Counter(map(cell, shown))
    async with database(house, "preparation") as preparation:
        own = await preparation.fetchrow(
            "SELECT (SELECT count(*) FROM card) AS applied,"
            " (SELECT count(*) FROM card_stage WHERE stage = 'preset') AS preset,"
            " (SELECT count(*) FROM card_stage WHERE stage = 'notified') AS notified,"
            " (SELECT count(*) FROM card WHERE stage = 'voided') AS voided"
        )
    assert steps is not None
    assert own is not None
    assert dict(steps) == dict(own)


def cell(row: asyncpg.Record) -> tuple[date, str, str, str]:
    """Month, procedure, ward and site of a completion."""
    at, procedure, ward, site_id = row
    return at.astimezone(TOKYO).date().replace(day=1), procedure, ward, site_id


async def counts(connection: asyncpg.Connection, query: str) -> Counter[str]:
    return Counter(row[0] for row in await connection.fetch(query))
