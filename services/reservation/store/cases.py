"""Facts of cases, kept so that the order in which they were heard does not matter.

Every statement that writes locks its cases in the order of their ids. Whoever changes a booking
holds the lock of its case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reservation.domain.case import CaseFacts
from shared.contracts.base import Procedure
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, WardCode

_COLUMNS = """
case_id, procedure, ward, notice_seq, pickup_deadline, card_expires_on, card_site_id,
card_there_on, held, voided_at, disposal_due_at, done_at, may_book_from, certificate_expires_on
"""
_LOCK = f"""
SELECT {_COLUMNS} FROM case_facts WHERE case_id = ANY($1::uuid[])
ORDER BY case_id
FOR NO KEY UPDATE SKIP LOCKED
"""  # noqa: S608  only our column list
_READ = f"""
SELECT {_COLUMNS} FROM case_facts WHERE case_id = ANY($1::uuid[]) ORDER BY case_id
"""  # noqa: S608
_KNOWN = "SELECT case_id FROM case_facts WHERE case_id = ANY($1::uuid[])"
_BY_LOGIN = f"""
SELECT {_COLUMNS} FROM case_facts
WHERE login_key = ANY($2::text[])
    AND (key_id, login_key) IN (SELECT * FROM unnest($1::text[], $2::text[]))
ORDER BY case_id
"""  # noqa: S608
_BY_NUMBER = "SELECT case_id FROM case_facts WHERE number_key = ANY($1::text[]) ORDER BY case_id"

_NOTIFIED = """
INSERT INTO case_facts AS c (
    case_id, ward, ward_told, card_site_id, place_told, notice_seq, number_key, login_key,
    key_id, pickup_deadline, card_expires_on
)
SELECT case_id, ward, told, site_id, told, notice_seq, number_key, login_key, key_id,
       pickup_deadline, card_expires_on
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[],
            $8::text[], $9::date[], $10::date[])
    AS n(case_id, told, ward, site_id, notice_seq, number_key, login_key, key_id,
         pickup_deadline, card_expires_on)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    (ward, ward_told) = (
        SELECT w, t FROM (VALUES (excluded.ward, excluded.ward_told), (c.ward, c.ward_told))
            AS v(w, t) ORDER BY t DESC LIMIT 1),
    (card_site_id, card_there_on, place_told) = (
        SELECT s, d, t FROM (VALUES (excluded.card_site_id, NULL::date, excluded.place_told),
                                    (c.card_site_id, c.card_there_on, c.place_told))
            AS v(s, d, t) ORDER BY t DESC LIMIT 1),
    (notice_seq, number_key, login_key, key_id, pickup_deadline, card_expires_on) = (
        SELECT q, nk, lk, k, p, e FROM (
            VALUES (excluded.notice_seq, excluded.number_key, excluded.login_key,
                    excluded.key_id, excluded.pickup_deadline, excluded.card_expires_on),
                   (c.notice_seq, c.number_key, c.login_key,
                    c.key_id, c.pickup_deadline, c.card_expires_on))
            AS v(q, nk, lk, k, p, e) ORDER BY q DESC LIMIT 1)
"""
_HELD = """
INSERT INTO case_facts AS c (case_id, held, hold_told)
SELECT * FROM unnest($1::uuid[], $2::boolean[], $3::bigint[]) AS h(case_id, held, told)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET held = excluded.held, hold_told = excluded.hold_told
WHERE excluded.hold_told > c.hold_told
"""
_WARD = """
INSERT INTO case_facts AS c (case_id, ward, ward_told)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS w(case_id, ward, told)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET ward = excluded.ward, ward_told = excluded.ward_told
WHERE excluded.ward_told > c.ward_told
"""
_PLACE = """
INSERT INTO case_facts AS c (case_id, card_site_id, card_there_on, place_told)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[])
    AS p(case_id, site_id, there_on, told)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    card_site_id = excluded.card_site_id,
    card_there_on = excluded.card_there_on,
    place_told = excluded.place_told
WHERE excluded.place_told > c.place_told
"""
_VOIDED = """
INSERT INTO case_facts AS c (case_id, voided_at)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS e(case_id, at) ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET voided_at = least(c.voided_at, excluded.voided_at)
"""
_DISPOSAL_DUE = """
INSERT INTO case_facts AS c (case_id, disposal_due_at)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[]) AS e(case_id, at) ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE
    SET disposal_due_at = least(c.disposal_due_at, excluded.disposal_due_at)
"""
_DONE = """
INSERT INTO case_facts AS c (case_id, procedure, done_at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS e(case_id, procedure, at)
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET done_at = least(c.done_at, excluded.done_at)
"""
_MAY_BOOK_FROM = """
INSERT INTO case_facts AS c (case_id, may_book_from)
SELECT * FROM unnest($1::uuid[], $2::date[]) AS m(case_id, day) ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE
    SET may_book_from = greatest(c.may_book_from, excluded.may_book_from)
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """An invitation as it was told; ``told`` is the sequence of the telling."""

    case_id: CaseId
    told: int
    ward: WardCode
    site_id: SiteId
    notice_seq: int
    number_key: str
    login_key: str
    key_id: str
    pickup_deadline: date
    card_expires_on: date


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card is, or is going and by when."""

    case_id: CaseId
    site_id: SiteId
    there_on: date | None
    told: int


async def lock_free(conn: Connection, case_ids: Sequence[CaseId]) -> list[CaseFacts]:
    """Lock those of the cases that nobody holds, in order, without waiting for the others.

    Not waiting is what keeps callers out of a circle with consumers, which hold many cases.
    """
    return [_facts(row) for row in await conn.fetch(_LOCK, case_ids)]


async def read(conn: Connection, case_ids: Sequence[CaseId]) -> list[CaseFacts]:
    """What is known of the cases, without a lock; those unknown are left out."""
    return [_facts(row) for row in await conn.fetch(_READ, case_ids)]


async def known(conn: Connection, case_ids: Sequence[CaseId]) -> set[CaseId]:
    """Which of the cases have been heard of."""
    return {CaseId(row["case_id"]) for row in await conn.fetch(_KNOWN, case_ids)}


async def by_login(conn: Connection, keys: Sequence[tuple[str, str]]) -> list[CaseFacts]:
    """Cases whose newest notice has one of these (key id, login key)."""
    ids, hashes = [key_id for key_id, _ in keys], [login_key for _, login_key in keys]
    return [_facts(row) for row in await conn.fetch(_BY_LOGIN, ids, hashes)]


async def by_number(conn: Connection, keys: Sequence[str]) -> CaseId | None:
    """The case whose newest notice has one of these number keys; none where that is not one."""
    found = await conn.fetch(_BY_NUMBER, keys)
    return CaseId(found[0]["case_id"]) if len(found) == 1 else None


async def notified(conn: Connection, notices: Iterable[Notice]) -> None:
    """Remember invitations, at most one per case; of several for one case the newest counts."""
    values = [
        (n.case_id, n.told, n.ward, n.site_id, n.notice_seq, n.number_key, n.login_key, n.key_id,
         n.pickup_deadline, n.card_expires_on)
        for n in notices
    ]  # fmt: skip
    await conn.execute(_NOTIFIED, *zip(*values, strict=True))


async def held(conn: Connection, told: Iterable[tuple[CaseId, bool, int]]) -> None:
    """Remember holds and releases: (case, whether held, sequence), one per case."""
    await conn.execute(_HELD, *zip(*told, strict=True))


async def wards(conn: Connection, told: Iterable[tuple[CaseId, WardCode, int]]) -> None:
    """Remember wards of residence: (case, ward, sequence), one per case."""
    await conn.execute(_WARD, *zip(*told, strict=True))


async def placed(conn: Connection, places: Iterable[Place]) -> None:
    """Remember where cards are, one per case."""
    values = [(p.case_id, p.site_id, p.there_on, p.told) for p in places]
    await conn.execute(_PLACE, *zip(*values, strict=True))


async def voided(conn: Connection, told: Iterable[tuple[CaseId, datetime]]) -> None:
    """Remember cases that ended without a hand-over, one per case."""
    await conn.execute(_VOIDED, *zip(*told, strict=True))


async def disposal_due(conn: Connection, told: Iterable[tuple[CaseId, datetime]]) -> None:
    """Remember cards that may no longer be handed over, one per case."""
    await conn.execute(_DISPOSAL_DUE, *zip(*told, strict=True))


async def done(conn: Connection, told: Iterable[tuple[CaseId, Procedure, datetime]]) -> None:
    """Remember cases whose procedure was completed, one per case."""
    values = [(case_id, procedure.value, at) for case_id, procedure, at in told]
    await conn.execute(_DONE, *zip(*values, strict=True))


async def may_book_from(conn: Connection, told: Iterable[tuple[CaseId, date]]) -> None:
    """Remember from when cases may be booked again, one per case."""
    await conn.execute(_MAY_BOOK_FROM, *zip(*told, strict=True))


def _facts(row: Row) -> CaseFacts:
    values = dict(row)
    return CaseFacts(**(values | {"procedure": Procedure(values["procedure"])}))
