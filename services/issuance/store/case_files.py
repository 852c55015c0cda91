"""Case files: what cards and cases have told, each fact kept only if it is the newest of its kind.

The sequence of an event counts within its source and case, so the same events in any order leave
the same row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.issuance.domain.case_file import CaseFile, Ended
from shared.contracts.base import CaseKind, CaseOpened, Procedure
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, WardCode
from shared.security.blind_index import BlindKey


@dataclass(frozen=True, slots=True)
class Opened:
    """A case was seen for the first time."""

    case_id: CaseId
    procedure: Procedure
    kind: CaseKind
    ward: WardCode

    @classmethod
    def by(cls, event: CaseOpened) -> "Opened":
        """As the event tells."""
        return cls(event.case_id, event.procedure, event.kind, event.ward)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card lies since event ``seq``; no site while it travels or is missing."""

    case_id: CaseId
    seq: int
    site_id: SiteId | None
    shelf_position: str | None = None
    in_transit: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that invites a citizen."""

    case_id: CaseId
    key: BlindKey
    notice_seq: int


async def opened(conn: Connection, cases: Sequence[Opened]) -> None:
    """Note what each case is about. The ward is the first one known; later news replaces it."""
    await conn.execute(
        _OPENED,
        [case.case_id for case in cases],
        [case.procedure for case in cases],
        [case.kind for case in cases],
        [case.ward for case in cases],
    )


async def placed(conn: Connection, places: Sequence[Place]) -> None:
    """Note where cards lie."""
    newest = {place.case_id: place for place in sorted(places, key=lambda place: place.seq)}
    ordered = _by_case(newest)
    await conn.execute(
        _PLACED,
        [place.case_id for place in ordered],
        [place.seq for place in ordered],
        [place.site_id for place in ordered],
        [place.shelf_position for place in ordered],
        [place.in_transit for place in ordered],
    )


async def held(conn: Connection, facts: Iterable[tuple[CaseId, int, bool]]) -> None:
    """Note that cards were held or released: (case, sequence, whether held)."""
    await conn.execute(_HELD, *_newest(facts))


async def ended(conn: Connection, facts: Iterable[tuple[CaseId, int, Ended]]) -> None:
    """Note that cards may never be handed over any more: (case, sequence, how)."""
    await conn.execute(_ENDED, *_newest(facts))


async def valid_until(conn: Connection, facts: Iterable[tuple[CaseId, int, date]]) -> None:
    """Note the last day on which cards are valid: (case, sequence, day)."""
    await conn.execute(_VALID, *_newest(facts))


async def replaces(conn: Connection, facts: Iterable[tuple[CaseId, int, date | None]]) -> None:
    """Note until when the cards that these replace are valid: (case, sequence, day)."""
    await conn.execute(_REPLACES, *_newest(facts))


async def to_be_collected_by(conn: Connection, facts: Iterable[tuple[CaseId, int, date]]) -> None:
    """Note until when cards are kept for their citizens: (case, sequence, day)."""
    await conn.execute(_COLLECT_BY, *_newest(facts))


async def resident_in(conn: Connection, facts: Iterable[tuple[CaseId, int, WardCode]]) -> None:
    """Note wards of residence: (case, sequence, ward)."""
    await conn.execute(_WARD, *_newest(facts))


async def notified(conn: Connection, notices: Sequence[Notice]) -> None:
    """Note notices; a number stays good when a second notice follows."""
    await conn.execute(_NOTIFIED, sorted({notice.case_id for notice in notices}))
    await conn.execute(
        _NOTICE,
        [notice.key.key_id for notice in notices],
        [notice.key.value for notice in notices],
        [notice.case_id for notice in notices],
        [notice.notice_seq for notice in notices],
    )


async def case_of_notice(conn: Connection, keys: Sequence[BlindKey]) -> CaseId | None:
    """The case whose notice bears one of ``keys``."""
    case_id: CaseId | None = await conn.fetchval(
        _BY_NOTICE, [key.key_id for key in keys], [key.value for key in keys]
    )
    return case_id


async def lock(conn: Connection, case_ids: Iterable[CaseId]) -> dict[CaseId, CaseFile]:
    """The files of these cases, locked against news until the transaction ends.

    A case nobody has told of yet has an empty file.
    """
    wanted = sorted(set(case_ids))
    await conn.fetch(_LOCK, wanted)
    # A statement of its own: its snapshot must be younger than the lock.
    return await read(conn, wanted)


async def read(conn: Connection, case_ids: Iterable[CaseId]) -> dict[CaseId, CaseFile]:
    """The files of these cases as they are now; an empty one where nothing was told yet."""
    wanted = list(case_ids)
    found = {row["case_id"]: _file(row) for row in await conn.fetch(_READ, wanted)}
    return {case_id: found.get(case_id, CaseFile(case_id)) for case_id in wanted}


def _file(row: Row) -> CaseFile:
    return CaseFile(
        case_id=row["case_id"],
        procedure=Procedure(row["procedure"]) if row["procedure"] else None,
        kind=CaseKind(row["kind"]) if row["kind"] else None,
        ward=row["ward"],
        site_id=row["site_id"],
        shelf_position=row["shelf_position"],
        in_transit=row["in_transit"],
        held=row["held"],
        ended=Ended(row["ended"]) if row["ended"] else None,
        notified=row["notified"],
        card_expires_on=row["card_expires_on"],
        old_card_expires_on=row["old_card_expires_on"],
        pickup_deadline=row["pickup_deadline"],
        is_done=row["is_done"],
    )


def _by_case(newest: dict[CaseId, Place]) -> list[Place]:
    return [newest[case_id] for case_id in sorted(newest)]


def _newest(
    facts: Iterable[tuple[CaseId, int, object]],
) -> tuple[list[UUID], list[int], list[object]]:
    """One fact per case, in case order: rows are locked in the same order by everybody."""
    newest = {fact[0]: fact for fact in sorted(facts, key=lambda fact: fact[1])}
    ordered = [newest[case_id] for case_id in sorted(newest)]
    return [f[0] for f in ordered], [f[1] for f in ordered], [f[2] for f in ordered]


_OPENED = """
INSERT INTO case_file AS f (case_id, procedure, kind, ward, ward_seq)
SELECT DISTINCT ON (case_id) case_id, procedure, kind, ward, 0
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS e (case_id, procedure, kind, ward)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    procedure = excluded.procedure,
    kind = excluded.kind,
    ward = CASE WHEN f.ward_seq > 0 THEN f.ward ELSE excluded.ward END,
    ward_seq = greatest(f.ward_seq, 0)
"""
_PLACED = """
INSERT INTO case_file AS f (case_id, place_seq, site_id, shelf_position, in_transit)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::boolean[])
ON CONFLICT (case_id) DO UPDATE SET
    place_seq = excluded.place_seq,
    site_id = excluded.site_id,
    shelf_position = excluded.shelf_position,
    in_transit = excluded.in_transit
WHERE excluded.place_seq > f.place_seq
"""
_HELD = """
INSERT INTO case_file AS f (case_id, held_seq, held)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::boolean[])
ON CONFLICT (case_id) DO UPDATE SET held_seq = excluded.held_seq, held = excluded.held
WHERE excluded.held_seq > f.held_seq
"""
_ENDED = """
INSERT INTO case_file AS f (case_id, ended_seq, ended)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])
ON CONFLICT (case_id) DO UPDATE SET ended_seq = excluded.ended_seq, ended = excluded.ended
WHERE excluded.ended_seq > f.ended_seq
"""
_VALID = """
INSERT INTO case_file AS f (case_id, validity_seq, card_expires_on)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::date[])
ON CONFLICT (case_id) DO UPDATE SET
    validity_seq = excluded.validity_seq, card_expires_on = excluded.card_expires_on
WHERE excluded.validity_seq > f.validity_seq
"""
_REPLACES = """
INSERT INTO case_file AS f (case_id, replaces_seq, old_card_expires_on)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::date[])
ON CONFLICT (case_id) DO UPDATE SET
    replaces_seq = excluded.replaces_seq, old_card_expires_on = excluded.old_card_expires_on
WHERE excluded.replaces_seq > f.replaces_seq
"""
_COLLECT_BY = """
INSERT INTO case_file AS f (case_id, deadline_seq, pickup_deadline)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::date[])
ON CONFLICT (case_id) DO UPDATE SET
    deadline_seq = excluded.deadline_seq, pickup_deadline = excluded.pickup_deadline
WHERE excluded.deadline_seq > f.deadline_seq
"""
_WARD = """
INSERT INTO case_file AS f (case_id, ward_seq, ward)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])
ON CONFLICT (case_id) DO UPDATE SET ward_seq = excluded.ward_seq, ward = excluded.ward
WHERE excluded.ward_seq > f.ward_seq
"""
_NOTIFIED = """
INSERT INTO case_file (case_id, notified) SELECT case_id, true FROM unnest($1::uuid[]) AS case_id
ON CONFLICT (case_id) DO UPDATE SET notified = true
"""
_NOTICE = """
INSERT INTO notice (key_id, number_key, case_id, notice_seq)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::int[])
ON CONFLICT DO NOTHING
"""
_BY_NOTICE = """
SELECT case_id FROM notice
JOIN unnest($1::text[], $2::text[]) AS k (key_id, number_key) USING (key_id, number_key)
LIMIT 1
"""
_LOCK = "SELECT 1 FROM case_file WHERE case_id = ANY ($1::uuid[]) ORDER BY case_id FOR UPDATE"
_READ = """
SELECT f.*, EXISTS (SELECT FROM procedure_ended e WHERE e.case_id = f.case_id) AS is_done
FROM case_file f WHERE case_id = ANY ($1::uuid[])
"""
