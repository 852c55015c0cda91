"""Entries are written with the change or not at all, and stay as they were."""

from contextlib import suppress

import asyncpg
import pytest

from shared.clock import SystemClock
from shared.db import Database
from shared.ids import SiteId
from shared.security import audit
from shared.security.audit import AuditEntry, PersonalDataError, append
from shared.security.principal import Principal
from shared.unit import Units

PERSON = Principal.system("issuance")


def noting(note: str) -> AuditEntry:
    now = SystemClock().now()
    return AuditEntry.by(PERSON, "a", at=now, subject="case-1", references={"note": note})


@pytest.mark.parametrize("many", [1, 100])
async def test_an_entry_keeps_what_was_said(
    kernel_database: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(audit, "MANY", many)  # the same, copied or not
    now = SystemClock().now()
    entry = AuditEntry.by(
        PERSON,
        "card.shelve",
        at=now,
        subject="case-1",
        site_id=SiteId("here"),
        references={"shelf": "棚A", "seq": 3},
        trace_id="ab",
    )
    async with kernel_database.transaction() as conn:
        await append(conn, [entry, entry])
        await append(conn, [])
        rows = await conn.fetch("SELECT * FROM audit_entry ORDER BY pos DESC LIMIT 2")
        assert {row["xid"] for row in rows} == {await conn.fetchval("SELECT pg_current_xact_id()")}
    row = dict(rows[0])
    assert (row["actor"], row["roles"], row["at"]) == ("system:issuance", ["system"], now)
    assert (row["action"], row["subject"], row["site_id"]) == ("card.shelve", "case-1", "here")
    assert (row["refs"], row["trace_id"]) == ('{"seq": 3, "shelf": "棚A"}', "ab")


async def test_a_unit_rolled_back_leaves_no_entry(kernel_database: Database) -> None:
    units = Units(kernel_database, room="r", source="/1/r", clock=SystemClock())
    with suppress(RuntimeError):
        async with units.begin(PERSON) as unit:
            unit.audit("card.shelve", subject="case-1")
            await unit.flush()
            raise RuntimeError
    async with units.begin(PERSON) as unit:
        unit.audit("card.shelve", subject="case-2")
    async with kernel_database.reader() as conn:
        assert await conn.fetchval("SELECT array_agg(subject) FROM audit_entry") == ["case-2"]


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal", "audit_era", "audit_receipt"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {} = {}"])
async def test_nothing_is_changed_or_deleted(
    kernel_database: Database, table: str, statement: str
) -> None:
    column = {"audit_entry": "at", "audit_era": "from_seq"}.get(table, "seq")
    async with kernel_database.reader() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await conn.execute(statement.format(table, column, column))


@pytest.mark.parametrize("value", ["0000-0000-0000", "person@example.jp", "ａ＠ｂ.jp"])
def test_personal_data_is_refused_and_not_repeated(value: str) -> None:
    """Twelve zeros are a valid My Number by the rule, and nobody's."""
    with pytest.raises(PersonalDataError) as raised:
        noting(value)
    assert "note" in str(raised.value)
    assert value not in str(raised.value)
