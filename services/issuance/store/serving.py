"""Visits that are over, many at once: read what their rules need, and write what they came to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.issuance.domain.booking import Booking
from services.issuance.domain.checklist import Checklist
from services.issuance.domain.ticket import Need, Purpose
from services.issuance.domain.visit import CaseState, Visit, VisitCase
from services.issuance.store import checklists
from services.issuance.store.bookings import booking_of
from shared.contracts.base import Certificate
from shared.db import Connection
from shared.ids import BookingId, CaseId, SiteId, VisitId
from shared.security.blind_index import BlindKey


async def parties(
    conn: Connection, booking_ids: Collection[BookingId]
) -> dict[BookingId, list[Booking]]:
    """Each booking, whatever its state, with the active ones that come together with it."""
    rows = await conn.fetch(_PARTIES, list(booking_ids))
    found: dict[BookingId, list[Booking]] = {}
    for row in rows:
        found.setdefault(row["named"], []).append(booking_of(row))
    return found


async def booked_here(
    conn: Connection, cases: Sequence[tuple[CaseId, SiteId, date]]
) -> dict[tuple[CaseId, SiteId, date], BookingId]:
    """The active booking of each case at a site on a day, where it has one."""
    if not cases:
        return {}
    rows = await conn.fetch(_BOOKED_HERE, *_columns(cases))
    return {(row["case_id"], row["site_id"], row["business_date"]): row["b"] for row in rows}


async def cases_of_notices(
    conn: Connection, keys: Iterable[BlindKey]
) -> dict[tuple[str, str], CaseId]:
    """The case of each notice that is known by one of ``keys``."""
    wanted = sorted({(key.key_id, key.value) for key in keys})
    if not wanted:
        return {}
    rows = await conn.fetch(_BY_NOTICES, *_columns(wanted))
    return {(row["key_id"], row["number_key"]): row["case_id"] for row in rows}


async def open_visits(conn: Connection, case_ids: Collection[CaseId]) -> dict[CaseId, VisitId]:
    """The open visit of each case that is in one."""
    rows = await conn.fetch(_OPEN, list(case_ids))
    return {row["case_id"]: row["visit_id"] for row in rows}


async def known_visits(conn: Connection, visit_ids: Collection[VisitId]) -> set[VisitId]:
    """Those of ``visit_ids`` that are taken."""
    rows = await conn.fetch("SELECT visit_id FROM visit WHERE visit_id = ANY ($1)", list(visit_ids))
    return {row["visit_id"] for row in rows}


async def written_before(
    conn: Connection, case_ids: Collection[CaseId]
) -> dict[CaseId, frozenset[Certificate]]:
    """Certificates that were written in an earlier visit, before something broke off."""
    rows = await conn.fetch(_WRITTEN, list(case_ids))
    return {row["case_id"]: frozenset(Certificate(one) for one in row["written"]) for row in rows}


async def signed_off(
    conn: Connection, days: Collection[tuple[SiteId, date]]
) -> set[tuple[SiteId, date]]:
    """Those of ``days`` that were signed off."""
    rows = await conn.fetch(_SIGNED_OFF, *_columns(sorted(days)))
    return {(row["site_id"], row["business_date"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Over:
    """A visit that is over, what it was for, and when the first of its party was expected."""

    visit: Visit
    purposes: Sequence[Purpose]
    need: Need | None
    starts_at: datetime | None


async def by_day(conn: Connection, days: Collection[date]) -> dict[date, Checklist]:
    """The checklist by which cases go that are checked in on each of ``days``."""
    found: dict[int, Checklist] = {}
    of_day: dict[date, Checklist] = {}
    for day in sorted(set(days)):
        version = await checklists.in_force(conn, day)
        known = found.get(version) or await checklists.find(conn, version)
        if known is not None:
            found[version] = of_day[day] = known
    return of_day


async def write(conn: Connection, over: Sequence[Over]) -> None:
    """Write visits that are over, with their cases, tickets, turns and ends.

    What a unique key refuses fails all of them.
    """
    visits = [one.visit for one in over]
    await conn.execute(_VISITS, *_columns(_visit(visit) for visit in visits))
    await _write_cases(conn, [(visit, case) for visit in visits for case in visit.cases])
    await conn.execute(_TICKETS, *_columns(_ticket(one) for one in over))
    called = [
        (v.visit_id, v.site_id, v.business_date, v.counter, v.called_at, v.ended_at)
        for v in visits
        if v.called_at is not None
    ]
    if called:
        await conn.execute(_TURNS, *_columns(called))


async def _write_cases(conn: Connection, cases: Sequence[tuple[Visit, VisitCase]]) -> None:
    await conn.execute(_CASES, *_columns(_case(visit, case) for visit, case in cases))
    steps = [
        (
            *(v.visit_id, c.case_id, step, noted.result),
            *(" ".join(noted.documents), " ".join(noted.papers), noted.at),
        )
        for v, c in cases
        for step, noted in c.checklist.done.items()
    ]
    if steps:
        await conn.execute(_STEPS, *_columns(steps))
    done = [
        (c.case_id, v.visit_id, v.site_id, c.closed_at)
        for v, c in cases
        if c.state is CaseState.DONE
    ]
    if done:
        await conn.execute(_ENDS, *_columns(done))


def _visit(visit: Visit) -> Sequence[object]:
    return (
        *(visit.visit_id, visit.site_id, visit.business_date, visit.arrival, visit.counter),
        *(visit.checked_in_at, visit.called_at, visit.ended_at),
    )


def _case(visit: Visit, case: VisitCase) -> Sequence[object]:
    return (
        *(visit.visit_id, case.case_id, case.booking_id, case.procedure, case.state, case.reason),
        " ".join(case.documents) or None,
        *(case.identified_at, case.pin_set_at, case.closed_at, case.checklist.version),
    )


def _ticket(one: Over) -> Sequence[object]:
    visit = one.visit
    return (
        *(visit.visit_id, visit.site_id, visit.business_date, " ".join(one.purposes)),
        *(one.need, one.starts_at, visit.called_at),
    )


def _columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


_PARTIES = """
SELECT t.named, b.*
FROM (
    SELECT booking_id AS named, booking_id FROM unnest($1::uuid[]) AS booking_id
    UNION
    SELECT n.booking_id, o.booking_id
    FROM booking n JOIN booking o USING (party_id, site_id, business_date)
    WHERE n.booking_id = ANY ($1::uuid[]) AND o.state = 'active'
) AS t JOIN expected_booking b USING (booking_id)
WHERE b.starts_at IS NOT NULL
ORDER BY t.named <> b.booking_id, b.starts_at, b.booking_id
"""
_BOOKED_HERE = """
SELECT DISTINCT ON (case_id, site_id, business_date) case_id, site_id, business_date,
       b.booking_id AS b
FROM booking b JOIN unnest($1::uuid[], $2::text[], $3::date[])
    AS wanted (case_id, site_id, business_date) USING (case_id, site_id, business_date)
WHERE b.state = 'active' AND b.starts_at IS NOT NULL
ORDER BY case_id, site_id, business_date, b.starts_at, b.booking_id
"""
_BY_NOTICES = """
SELECT key_id, number_key, case_id FROM notice
JOIN unnest($1::text[], $2::text[]) AS k (key_id, number_key) USING (key_id, number_key)
"""
_OPEN = """
SELECT case_id, visit_id FROM visit_case WHERE case_id = ANY ($1::uuid[]) AND state = 'open'
"""
_WRITTEN = """
SELECT case_id, written FROM certificate_work
WHERE case_id = ANY ($1::uuid[]) AND cardinality(written) > 0
"""
_SIGNED_OFF = """
SELECT site_id, business_date FROM service_day
JOIN unnest($1::text[], $2::date[]) AS d (site_id, business_date) USING (site_id, business_date)
WHERE signed_off_at IS NOT NULL
"""
_VISITS = """
INSERT INTO visit (visit_id, site_id, business_date, arrival, state, counter, checked_in_at,
                   called_at, ended_at)
SELECT v, s, d, a, 'ended', c, checked_in_at, called_at, ended_at
FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[], $5::text[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[])
    AS e (v, s, d, a, c, checked_in_at, called_at, ended_at)
"""
_CASES = """
INSERT INTO visit_case (visit_id, case_id, booking_id, procedure, state, reason, documents,
                        identified_at, pin_set_at, closed_at, checklist_version)
SELECT v, c, b, p, s, r, string_to_array(d, ' '), i, n, x, k
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::int[])
    AS e (v, c, b, p, s, r, d, i, n, x, k)
"""
_STEPS = """
INSERT INTO case_step (visit_id, case_id, step, result, documents, papers, done_at)
SELECT v, c, s, r, string_to_array(d, ' '), string_to_array(p, ' '), at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[]) AS e (v, c, s, r, d, p, at)
"""
_ENDS = """
INSERT INTO procedure_ended (case_id, visit_id, site_id, ended_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[])
"""
_TICKETS = """
WITH e AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[], $5::text[],
                         $6::timestamptz[], $7::timestamptz[])
    WITH ORDINALITY AS e (visit_id, site_id, day, purposes, need, starts_at, called_at, n)
), drawn AS (
    INSERT INTO ticket_number AS t (site_id, business_date, last)
    SELECT site_id, day, count(*) FROM e GROUP BY site_id, day ORDER BY site_id, day
    ON CONFLICT (site_id, business_date) DO UPDATE SET last = t.last + excluded.last
    RETURNING site_id, business_date AS day, last
)
INSERT INTO ticket (visit_id, site_id, business_date, number, purposes, need, starts_at, calls,
                    first_called_at)
SELECT visit_id, site_id, day,
       last - count(*) OVER (PARTITION BY site_id, day)
            + row_number() OVER (PARTITION BY site_id, day ORDER BY n),
       string_to_array(purposes, ' '), need, starts_at, (called_at IS NOT NULL)::int, called_at
FROM e JOIN drawn USING (site_id, day)
"""
_TURNS = """
INSERT INTO counter_turn (visit_id, site_id, business_date, counter, is_known, began_at, ended_at,
                          outcome)
SELECT v, s, d, c, k.counter IS NOT NULL, b, e, 'ended'
FROM unnest($1::uuid[], $2::text[], $3::date[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    AS t (v, s, d, c, b, e)
LEFT JOIN counter k ON k.site_id = s AND k.counter = c
"""
