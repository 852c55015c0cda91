"""What a satellite's journal tells is worked entry by entry, each once and for all.

An entry that the rules refuse, that cannot be read or worked here, is not lost and holds up no
other visit: it opens a conflict, and what the journal says of the same visit from there on is kept
with it, until a supervisor decides.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.issuance.domain.conflict import (
    ConflictState,
    ConflictUnknown,
    Decision,
    Entry,
    EntryFailed,
    Found,
    require_open,
    verb_of,
    visit_of,
)
from services.issuance.domain.satellite import AtSatellite, LeaseRefused, SatelliteUnknown
from services.issuance.store import conflicts, satellites
from shared.errors import Problem
from shared.ids import SiteId, new_id
from shared.messaging.failure import may_heal
from shared.security.principal import Role
from shared.unit import Unit

log = logging.getLogger(__name__)
_ON_THE_WAY = frozenset(
    {
        *("identity", "proxy", "old_card", "receipt", "pin_set"),
        *("certificates", "wrong_pin", "pin_reset", "certificate_failed"),
    }
)
"""Steps that lead to an end: what counts is that the case has ended."""

_ENDS = frozenset({"issue", "renew", "defer", "leave", "done", "count", "sign_off"})
"""With these a case, a visit or a day has ended."""

Work = Callable[[Unit, Entry], Awaitable[object]]
"""Does what an entry tells. Raises what the single doors raise."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an entry: ``conflict_id`` and ``code`` where it waits for a decision."""

    number: int
    is_known: bool
    conflict_id: UUID | None = None
    code: str | None = None


async def receive(unit: Unit, site_id: SiteId, lease: int, entry: Entry, work: Work) -> Received:
    """Work one entry. Raises ``SatelliteUnknown``; for a lease never given, ``LeaseRefused``."""
    # Not locked: whoever serves here takes this row after a visit, as an entry does.
    satellite = await satellites.find(unit.conn, site_id)
    if satellite is None:
        raise SatelliteUnknown
    if not 0 < lease <= satellite.lease:
        raise LeaseRefused(extras={"state": satellite.state})
    if not await satellites.claim(unit.conn, site_id, lease, entry.number, unit.now):
        return Received(entry.number, is_known=True)
    visit_id = visit_of(entry)
    waiting = await conflicts.open_of(unit.conn, site_id, visit_id) if visit_id else None
    if waiting is not None:
        await conflicts.keep(unit.conn, waiting, entry)
        return Received(entry.number, is_known=False, conflict_id=waiting)
    problem = await _tried(unit, site_id, entry, work)
    if problem is None:
        return Received(entry.number, is_known=False)
    conflict_id = await _raise(unit, site_id, lease, entry, problem)
    return Received(
        entry.number,
        is_known=False,
        conflict_id=conflict_id,
        code=problem.slug,
    )


async def resolve(unit: Unit, conflict_id: UUID, decision: Decision, work: Work) -> Found:
    """Decide about a conflict: record what happened as it happened, or note it and no more.

    What is recorded passes by holds and other news, but a case still ends once: of a party, what
    was done elsewhere meanwhile is left out. Raises ``ConflictUnknown``, ``Forbidden`` (site),
    ``ConflictResolved``, and what ``work`` raises; then the conflict stays open.
    """
    found = await conflicts.lock(unit.conn, conflict_id)
    if found is None:
        raise ConflictUnknown
    unit.principal.require_site(found.site_id)
    require_open(found)
    if decision is Decision.RECORD:
        await _record(unit, found, work)
    state = {
        Decision.RECORD: ConflictState.RECORDED,
        Decision.DISMISS: ConflictState.DISMISSED,
    }[decision]
    await conflicts.resolve(unit.conn, conflict_id, state, unit.now, unit.principal.subject)
    unit.audit(f"conflict.{decision}", subject=str(conflict_id), site_id=found.site_id)
    return await _read(unit, conflict_id)


async def read(unit: Unit, conflict_id: UUID) -> Found:
    """The conflict. Raises ``ConflictUnknown`` and ``Forbidden`` (site)."""
    found = await _read(unit, conflict_id)
    unit.principal.require_site(found.site_id)
    unit.audit("conflict.read", subject=str(conflict_id), site_id=found.site_id)
    return found


async def listed(
    unit: Unit, site_id: SiteId, state: ConflictState | None, after: UUID, limit: int
) -> Sequence[Found]:
    """The conflicts of a site after this one."""
    unit.audit("conflict.list", subject=site_id, site_id=site_id)
    return await conflicts.page(unit.conn, site_id, state, after, limit)


async def _read(unit: Unit, conflict_id: UUID) -> Found:
    found = await conflicts.find(unit.conn, conflict_id)
    if found is None:
        raise ConflictUnknown
    return found


async def _tried(unit: Unit, site_id: SiteId, entry: Entry, work: Work) -> Problem | None:
    """What stands against the entry; then it has left nothing."""
    try:
        async with unit.conn.transaction():
            await _do(unit, site_id, entry, work, is_decided=False)
    except Problem as problem:
        return problem
    except Exception as error:
        # It would fail the next time too, and everything behind it would wait. A time-out says that
        # the database is busy, for an entry asks little of it: the journal is told again.
        if may_heal(error):
            raise
        log.exception("entry %d of %s could not be worked", entry.number, site_id)
        return EntryFailed()
    return None


async def _record(unit: Unit, found: Found, work: Work) -> None:
    """Do what the entries tell; what is refused even so stays in the conflict alone.

    Raises the first refusal where nothing has come to an end.
    """
    ended, refused = 0, None
    for entry in found.entries:
        verb = verb_of(entry)
        try:
            async with unit.conn.transaction():
                await _do(unit, found.site_id, entry, work, is_decided=True)
        except Problem as problem:
            if verb not in _ON_THE_WAY:
                refused = refused or problem
        else:
            ended += verb in _ENDS
    if refused is not None and not ended:
        raise refused


async def _do(unit: Unit, site_id: SiteId, entry: Entry, work: Work, *, is_decided: bool) -> None:
    who = AtSatellite(
        entry.actor, frozenset({Role.CLERK}), frozenset({site_id}), is_decided=is_decided
    )
    part = unit.part(who, unit.traceparent)
    await work(part, entry)
    unit.adopt(part)


async def _raise(unit: Unit, site_id: SiteId, lease: int, entry: Entry, problem: Problem) -> UUID:
    found = Found(
        conflict_id=new_id(),
        site_id=site_id,
        lease=lease,
        visit_id=visit_of(entry),
        code=problem.slug,
        state=ConflictState.OPEN,
        raised_at=unit.now,
        entries=(entry,),
    )
    await conflicts.raise_(unit.conn, found)
    unit.audit("conflict.raise", subject=str(found.conflict_id), site_id=site_id)
    return found.conflict_id
