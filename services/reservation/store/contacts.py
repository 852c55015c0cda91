"""Contacts, which case has which, and logins that wait for a code. Sealed bytes only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.db import Connection, Row
from shared.errors import Language
from shared.ids import CaseId, SiteId

_COLUMNS = """
c.contact_id, c.is_login, c.sealed_email, c.sealed_phone, c.language, c.verified_at,
c.reserved_case_id
"""
_OF_CASES = f"""
SELECT cc.case_id, {_COLUMNS} FROM case_contact cc JOIN contact c USING (contact_id)
WHERE cc.case_id = ANY($1::uuid[])
"""  # noqa: S608  only our column list
# A case may have no row to lock yet, so the lock is on its id.
_LOCK_CASE = "SELECT pg_advisory_xact_lock(hashtextextended('contact:' || $1::text, 0))"
_LOCK = "SELECT contact_id FROM case_contact WHERE case_id = $1 FOR UPDATE"
_INSERT = """
INSERT INTO contact (contact_id, is_login, address_key, sealed_email, sealed_phone, language,
                     verified_at, reserved_case_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (address_key) WHERE is_login AND erased_at IS NULL DO NOTHING
RETURNING contact_id
"""
_LINK = """
INSERT INTO case_contact AS cc (case_id, contact_id) VALUES ($1, $2)
ON CONFLICT (case_id) DO UPDATE SET contact_id = excluded.contact_id
"""
_VERIFY = """
UPDATE contact SET verified_at = $2 WHERE contact_id = $1 AND verified_at IS NULL
RETURNING contact_id
"""
_LOGIN = f"""
SELECT {_COLUMNS} FROM contact c
WHERE is_login AND erased_at IS NULL AND address_key = ANY($1::text[])
ORDER BY array_position($1::text[], address_key) LIMIT 1
FOR UPDATE
"""  # noqa: S608
_LOGINS = """
SELECT contact_id, address_key FROM contact
WHERE is_login AND erased_at IS NULL AND address_key = ANY($1::text[])
ORDER BY contact_id
FOR UPDATE
"""
_INSERT_LOGINS = """
INSERT INTO contact (contact_id, is_login, address_key, sealed_phone, language, created_at)
SELECT contact_id, true, address_key, sealed_phone, language, $5
FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[])
    AS n(contact_id, address_key, sealed_phone, language)
ORDER BY address_key
ON CONFLICT (address_key) WHERE is_login AND erased_at IS NULL DO NOTHING
RETURNING contact_id
"""
_LINK_NEW = """
INSERT INTO case_contact (case_id, contact_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])
"""
_REKEY = "UPDATE contact SET address_key = $2, language = $3 WHERE contact_id = $1"
_RESERVE = "UPDATE contact SET reserved_case_id = $2 WHERE contact_id = $1"
_READ = f"SELECT {_COLUMNS} FROM contact c WHERE contact_id = $1 FOR UPDATE"  # noqa: S608
_CASES = "SELECT case_id FROM case_contact WHERE contact_id = ANY($1::uuid[]) ORDER BY case_id"
_FORGET = """
UPDATE contact SET address_key = NULL, sealed_email = NULL, sealed_phone = NULL,
    verified_at = NULL, reserved_case_id = NULL, erased_at = $2
WHERE contact_id = ANY($1::uuid[])
"""
_UNLINK = "DELETE FROM case_contact WHERE contact_id = ANY($1::uuid[])"
_SITE = "SELECT card_site_id FROM case_facts WHERE case_id = $1"
_REQUEST = """
INSERT INTO login_request (request_id, address_keys, sealed_email, language, expires_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + $5)
"""
# A wrong code touches no row, so that it takes as long for a request that there is as for none.
_TAKE_REQUEST = """
UPDATE login_request SET used_at = clock_timestamp()
WHERE $2::boolean AND request_id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING address_keys, sealed_email, language
"""
_REQUESTS = (
    "SELECT request_id, sealed_email, language FROM login_request WHERE request_id = ANY($1)"
)
_OLD_REQUESTS = """
DELETE FROM login_request WHERE request_id IN (
    SELECT request_id FROM login_request WHERE expires_at < clock_timestamp()
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
RETURNING request_id
"""
_REQUESTS_OF = """
DELETE FROM login_request
WHERE address_keys && (
    SELECT array_agg(address_key) FROM contact WHERE contact_id = ANY($1::uuid[]))
RETURNING request_id
"""
# A contact goes when every case it is for ended long ago. Contacts without any case are logins
# that never opened one; their age counts.
_OUTLIVED = """
SELECT c.contact_id FROM contact c
WHERE c.erased_at IS NULL AND c.created_at < $1 AND NOT EXISTS (
    SELECT FROM case_contact cc LEFT JOIN case_facts f USING (case_id)
    WHERE cc.contact_id = c.contact_id
        AND coalesce(least(f.done_at, f.voided_at, f.disposal_due_at), 'infinity') >= $1
)
ORDER BY c.contact_id
LIMIT $2
FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A contact as it lies in the table."""

    contact_id: UUID
    is_login: bool
    sealed_email: bytes | None
    sealed_phone: bytes | None
    language: Language
    verified_at: datetime | None
    reserved_case_id: CaseId | None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to keep. ``address_key`` is needed for logins alone."""

    contact_id: UUID
    language: Language
    sealed_email: bytes | None
    sealed_phone: bytes | None
    address_key: str | None = None
    verified_at: datetime | None = None
    reserved_case_id: CaseId | None = None
    is_login: bool = False


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """A login that waits for its code."""

    address_keys: Sequence[str]
    sealed_email: bytes
    language: Language


async def of_cases(conn: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, StoredContact]:
    """The contacts of those cases that have one."""
    rows = [dict(row) for row in await conn.fetch(_OF_CASES, case_ids)]
    return {CaseId(row.pop("case_id")): StoredContact(**row) for row in rows}


async def lock(conn: Connection, case_id: CaseId) -> UUID | None:
    """Lock which contact a case has, or that it has none."""
    await conn.execute(_LOCK_CASE, str(case_id))
    found: UUID | None = await conn.fetchval(_LOCK, case_id)
    return found


async def insert(conn: Connection, new: NewContact, now: datetime) -> bool:
    """Keep a contact; false where a login has this address already."""
    row = await conn.fetchval(
        _INSERT, new.contact_id, new.is_login, new.address_key, new.sealed_email,
        new.sealed_phone, new.language, new.verified_at, new.reserved_case_id, now,
    )  # fmt: skip
    return row is not None


async def link(conn: Connection, case_id: CaseId, contact_id: UUID) -> None:
    """Let a case have this contact from now on."""
    await conn.execute(_LINK, case_id, contact_id)


async def verify(conn: Connection, contact_id: UUID, now: datetime) -> bool:
    """Mark an address as the citizen's; false where it was."""
    return await conn.fetchval(_VERIFY, contact_id, now) is not None


async def login(conn: Connection, address_keys: Sequence[str]) -> StoredContact | None:
    """The login of an address, locked."""
    return _stored(await conn.fetchrow(_LOGIN, address_keys))


async def logins(conn: Connection, address_keys: Sequence[str]) -> dict[str, UUID]:
    """The logins of several addresses, locked in the order of their ids, by address key."""
    rows = await conn.fetch(_LOGINS, address_keys)
    return {row["address_key"]: row["contact_id"] for row in rows}


async def insert_logins(conn: Connection, new: Sequence[NewContact], now: datetime) -> set[UUID]:
    """Keep contacts known by their telephone; those whose address had no login yet."""
    values = [(n.contact_id, n.address_key, n.sealed_phone, n.language) for n in new]
    rows = await conn.fetch(_INSERT_LOGINS, *zip(*values, strict=True), now)
    return {row["contact_id"] for row in rows}


async def link_new(conn: Connection, links: Sequence[tuple[CaseId, UUID]]) -> None:
    """Let cases that this transaction has opened have these contacts."""
    if links:
        await conn.execute(_LINK_NEW, *zip(*links, strict=True))


async def read(conn: Connection, contact_id: UUID) -> StoredContact | None:
    """A contact, locked."""
    return _stored(await conn.fetchrow(_READ, contact_id))


async def rekey(conn: Connection, contact_id: UUID, key: str, language: Language) -> None:
    """Find this login under the current key from now on; the language it was last used in."""
    await conn.execute(_REKEY, contact_id, key, language)


async def reserve(conn: Connection, contact_id: UUID, case_id: CaseId | None) -> None:
    """Remember the id of the next case of a login, or that it is used."""
    await conn.execute(_RESERVE, contact_id, case_id)


async def cases_of(conn: Connection, contact_ids: Sequence[UUID]) -> list[CaseId]:
    """The cases that have these contacts."""
    return [CaseId(row["case_id"]) for row in await conn.fetch(_CASES, contact_ids)]


async def forget(conn: Connection, contact_ids: Sequence[UUID], now: datetime) -> None:
    """Empty contacts whose keys are destroyed, and take them from their cases."""
    await conn.execute(_UNLINK, contact_ids)
    await conn.execute(_FORGET, contact_ids, now)


async def card_site(conn: Connection, case_id: CaseId) -> tuple[bool, SiteId | None]:
    """Whether the case is known, and where its card lies."""
    row = await conn.fetchrow(_SITE, case_id)
    return (False, None) if row is None else (True, row["card_site_id"])


async def request(conn: Connection, request_id: UUID, wish: LoginRequest, lasts: timedelta) -> None:
    """Keep a login that waits for its code, for ``lasts`` of real time."""
    await conn.execute(
        _REQUEST, request_id, wish.address_keys, wish.sealed_email, wish.language, lasts
    )


async def take_request(conn: Connection, request_id: UUID, *, right: bool) -> LoginRequest | None:
    """Use a login request up if the code was ``right``; none where there is none, or it is over."""
    row = await conn.fetchrow(_TAKE_REQUEST, request_id, right)
    return LoginRequest(**dict(row)) if row else None


async def requests(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[bytes, Language]]:
    """Sealed addresses and languages of login requests."""
    rows = await conn.fetch(_REQUESTS, ids)
    return {row["request_id"]: (row["sealed_email"], row["language"]) for row in rows}


async def old_requests(conn: Connection, limit: int) -> list[UUID]:
    """Delete login requests whose time is over; their ids."""
    return [row["request_id"] for row in await conn.fetch(_OLD_REQUESTS, limit)]


async def requests_of(conn: Connection, contact_ids: Sequence[UUID]) -> list[UUID]:
    """Delete login requests of the addresses of these contacts; their ids."""
    return [row["request_id"] for row in await conn.fetch(_REQUESTS_OF, contact_ids)]


async def outlived(conn: Connection, before: datetime, limit: int) -> list[UUID]:
    """Contacts that nobody needs since ``before``, locked."""
    return [row["contact_id"] for row in await conn.fetch(_OUTLIVED, before, limit)]


def _stored(row: Row | None) -> StoredContact | None:
    return StoredContact(**dict(row)) if row else None
