"""Closures: started by a change of a site or a suspension, worked off by ``closing``, and seen."""

from collections.abc import Sequence
from datetime import date

from services.reservation.domain.booking import Booking
from services.reservation.domain.closure import (
    Closure,
    ClosureId,
    ClosureKind,
    ClosureState,
    Displaced,
    DisplacedState,
    NoSuchClosure,
    Progress,
)
from services.reservation.domain.withdrawal import Former
from services.reservation.store import alternatives, closures, displaced_seen
from shared.ids import BookingId, SiteId, SuspensionId, new_id
from shared.unit import Unit

EXPORTED = 10_000
"""The most bookings of one closure that a table shows."""


async def start(
    unit: Unit,
    site_id: SiteId,
    kind: ClosureKind,
    *,
    last_day: date | None = None,
    suspension_id: SuspensionId | None = None,
    former: Former | None = None,
) -> Closure:
    """Begin to find other seats for whoever the change displaces; what is lost is not sold.

    ``former`` is what the closure can be taken back to. Raises ``ClosureRunning``.
    """
    closure = Closure(
        closure_id=ClosureId(new_id()),
        site_id=site_id,
        kind=kind,
        state=ClosureState.LISTING,
        last_day=last_day,
        suspension_id=suspension_id,
        version=1,
        started_at=unit.now,
        next_at=unit.now,
        ended_at=None,
    )
    await closures.insert(unit.conn, closure, former)
    unit.audit(
        "closure.started",
        subject=site_id,
        site_id=site_id,
        closure_id=str(closure.closure_id),
        kind=kind.value,
    )
    return closure


async def find(unit: Unit, closure_id: ClosureId) -> Progress:
    """How far a closure has come, for staff of its site.

    Raises ``NoSuchClosure`` and ``SiteForbidden``.
    """
    closure = await closures.read(unit.conn, closure_id)
    if closure is None:
        raise NoSuchClosure
    unit.principal.require_site(closure.site_id)
    (progress,) = await with_counts(unit, [closure])
    return progress


async def page(
    unit: Unit, after: ClosureId | None, site_id: SiteId | None, limit: int, *, running_only: bool
) -> list[Progress]:
    """Up to ``limit`` closures after this one, oldest first, with their counts."""
    found = await closures.page(unit.conn, after, site_id, limit, running_only=running_only)
    return await with_counts(unit, found)


async def bookings(
    unit: Unit,
    closure_id: ClosureId,
    state: DisplacedState | None,
    after: BookingId | None,
    limit: int,
) -> list[tuple[Displaced, Booking]]:
    """The bookings of a closure, and where each is now; the reading is audited.

    Raises ``NoSuchClosure`` and ``SiteForbidden``.
    """
    closure = await closures.read(unit.conn, closure_id)
    if closure is None:
        raise NoSuchClosure
    unit.principal.require_site(closure.site_id)
    rows = await displaced_seen.page(unit.conn, closure_id, state, after, limit)
    now = await alternatives.read(unit.conn, [row.booking_id for row in rows])
    unit.audit(
        "closure.read",
        subject=closure.site_id,
        site_id=closure.site_id,
        closure_id=str(closure_id),
        bookings=len(rows),
    )
    return [(row, now[row.booking_id]) for row in rows]


async def with_counts(unit: Unit, found: Sequence[Closure]) -> list[Progress]:
    """The closures with how many of their bookings stand where."""
    counts = await displaced_seen.counts(unit.conn, [one.closure_id for one in found])
    progress = []
    for one in found:
        own = counts.get(one.closure_id, {})
        progress.append(
            Progress(
                closure=one,
                counts={state: own.get(state, (0, 0, 0))[0] for state in DisplacedState},
                without_alternative=sum(seatless for _, _, seatless in own.values()),
                open=sum(left for _, left, _ in own.values()),
            )
        )
    return progress
