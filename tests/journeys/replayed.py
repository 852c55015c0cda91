"""What a replay must have left in the rooms: read from their databases, reckoned from its plan."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from fractions import Fraction
from pathlib import Path

import asyncpg

from deploy.embedded.stack import Stack
from shared.calendar import TOKYO
from simulation.replay.cases import Case, End, Fate
from simulation.replay.city import DEMAND, read_city
from simulation.replay.demand import chosen, parse_month, read_demand, scaled
from simulation.replay.plan import Planner
from simulation.replay.result import Result
from simulation.replay.settings import read_behaviour

Fates = Mapping[tuple[str, ...], int]
_COMES = (End.SERVED, End.LETTER)
"""Ends of appointments that a proxy comes to."""


def planned(first: str, last: str, scale: str, behaviour: Path | None = None) -> Planner:
    """The plan of these months of Kawasaki's demand."""
    share = Fraction(scale)
    months = chosen(read_demand(DEMAND), parse_month(first), parse_month(last), DEMAND)
    return Planner.of(scaled(months, share), read_city(), read_behaviour(behaviour), scale=share)


@asynccontextmanager
async def database(house: Stack, room: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a room's database."""
    connection = await asyncpg.connect(house.database_url(room))
    try:
        yield connection
    finally:
        await connection.close()


def require_as_demanded(result: Result, planner: Planner) -> None:
    """Every cell is what the file asks for, by reporting's own count."""
    assert not result.differing()
    assert {(cell.month, cell.service): cell.completed for cell in result.cells} == planner.demand
    assert all(cell.carried == 0 for cell in result.cells)
    assert result.events_published > 0
    assert result.events_handled > result.events_published


async def require_come_out(house: Stack, result: Result, planner: Planner) -> None:
    """The only replay of this house came out as planned, in every way that is looked at here."""
    require_as_demanded(result, planner)
    cases = cases_of(planner)
    assert result.cases == len(cases)
    require_what_is_drawn_has_happened(result, fates(cases))
    await require_in_the_rooms(house, cases)


def require_what_is_drawn_has_happened(result: Result, expected: Fates) -> None:
    """Families, cards that travel and seats of the waiting list: as many as planned, and some."""
    assert result.happened == {
        "families served together": expected["families",],
        "cards sent to another site": expected["transfers",],
        "seats taken from the waiting list": expected["waiting list",],
    }
    assert all(result.happened.values())


async def require_in_the_rooms(house: Stack, cases: Sequence[Case]) -> None:
    """All cases that were ever replayed in this house are in its rooms, as planned."""
    await require_accounted_for(house, fates(cases))
    await require_as_planned(house, cases)
    await require_projections_recounted(house)


def cases_of(planner: Planner) -> list[Case]:
    """All cases of a plan, made anew: the same seed, the same cases."""
    return [case for plan in planner.plans() for case in plan.cases]


def fates(cases: Iterable[Case]) -> Counter[tuple[str, ...]]:
    """What becomes of the cases, as the rooms will have it written."""
    found: Counter[tuple[str, ...]] = Counter()
    for case in cases:
        found[case.procedure.value, case.fate.value] += 1
        for one in case.appointments:
            found["appointment", one.end.value] += 1
            found["proxies",] += case.proxy and one.end in _COMES
            found["walk-ins",] += case.walk_in
        found["families",] += case.family == case.key
        found["transfers",] += case.travels
        found["waiting list",] += case.waits
    return found


async def require_accounted_for(house: Stack, expected: Fates) -> None:
    """Every case planned is in the rooms, and has come to the end it was planned to come to."""
    async with database(house, "preparation") as preparation:
        stages = await counts(preparation, "SELECT stage FROM card")
        sent = await counts(preparation, "SELECT state FROM transfer_card")
    ended = expected["card_issuance", Fate.VOID] + expected["card_issuance", Fate.VOID_BOOKED]
    assert stages == {
        "issued": expected["card_issuance", Fate.COMPLETED],
        "rejected": expected["card_issuance", Fate.DEFECT],
        "voided": ended,
    }
    assert sent == Counter({"arrived": expected["transfers",]})
    async with database(house, "reservation") as reservation:
        bookings = await counts(reservation, "SELECT state FROM booking")
        open_renewals = await reservation.fetchval(
            "SELECT count(*) FROM renewal WHERE ended_at IS NULL"
        )
        places = await counts(reservation, "SELECT state FROM waitlist_entry")
        offers = await counts(reservation, "SELECT state FROM waitlist_offer")
    assert bookings["active"] == 0
    assert open_renewals == 0
    assert bookings["missed"] == expected["appointment", End.MISSED]
    # A move keeps its booking; a visit in vain uses it up.
    given_up = (End.CANCELLED, End.VOID, End.DEFERRED, End.LETTER)
    assert bookings["cancelled"] == sum(expected["appointment", end] for end in given_up)
    assert bookings["fulfilled"] == expected["appointment", End.SERVED] - expected["walk-ins",]
    async with database(house, "issuance") as issuance:
        letters = await counts(issuance, "SELECT state FROM inquiry_letter")
        steps = await counts(issuance, "SELECT step FROM case_step")
        walk_ins = await issuance.fetchval(
            "SELECT count(*) FROM visit_case WHERE booking_id IS NULL AND state = 'done'"
        )
        together = await issuance.fetchval(
            "SELECT count(*) FROM (SELECT FROM visit_case WHERE state = 'done'"
            " GROUP BY visit_id HAVING count(*) > 1) AS visit"
        )
    assert letters == Counter({"returned": expected["appointment", End.LETTER]})
    assert steps["proxy"] == expected["proxies",] > 0
    assert walk_ins == expected["walk-ins",] > 0
    assert places == Counter({"served": expected["waiting list",]})
    assert offers == Counter({"accepted": expected["waiting list",]})
    assert together == expected["families",] > 0


async def require_as_planned(house: Stack, cases: Iterable[Case]) -> None:
    """Each was completed on its day, at its site, for its ward: the plan says all of it, so the
    same seed has the same outcome.
    """
    async with database(house, "reporting") as reporting:
        rows = await reporting.fetch(
            "SELECT completed_at, completed_procedure, completed_ward, completed_site"
            " FROM case_fact WHERE completed_at IS NOT NULL"
        )
    done = Counter(
        (at.astimezone(TOKYO).date(), procedure, ward, site) for at, procedure, ward, site in rows
    )
    wanted = Counter(
        (day, case.procedure.value, case.ward, case.appointments[-1].seat.site_id)
        for case in cases
        if (day := case.completes_on)
    )
    assert done == wanted


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
    """How often each value comes."""
    return Counter(row[0] for row in await connection.fetch(query))
