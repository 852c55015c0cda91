"""Migrations are applied once, in order, by one process at a time, and never changed afterwards."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from shared.db import SESSION, session
from shared.migrate import KERNEL, MigrationError, migrate, pending, read_migrations
from tests.conftest import DatabaseMaker


def _write(folder: Path, **files: str) -> list[tuple[str, Path]]:
    folder.mkdir(exist_ok=True)
    for name, sql in files.items():
        (folder / f"{name}.sql").write_text(sql)
    return [("testing", folder)]


async def _tables(url: str) -> set[str]:
    conn = await session(url, application="test")
    rows = await conn.fetch("SELECT relname FROM pg_class WHERE relname ~ '^t_' AND relkind = 'r'")
    await conn.close()
    return {row["relname"] for row in rows}


@pytest.fixture
async def url(make_database: DatabaseMaker) -> str:
    return await make_database()


async def test_each_is_applied_once_and_in_order(url: str, tmp_path: Path) -> None:
    sources = _write(
        tmp_path, **{"0001_one": "CREATE TABLE t_one ()", "0002_two": "ALTER TABLE t_one ADD a int"}
    )
    assert await migrate(url, sources) == ["testing/0001_one.sql", "testing/0002_two.sql"]
    assert await migrate(url, sources) == []
    _write(tmp_path, **{"0003_three": "CREATE TABLE t_three ()"})
    assert await migrate(url, sources) == ["testing/0003_three.sql"]
    assert await _tables(url) == {"t_one", "t_three"}


async def test_a_changed_file_is_refused(url: str, tmp_path: Path) -> None:
    sources = _write(tmp_path, **{"0001_one": "CREATE TABLE t_one ()"})
    await migrate(url, sources)
    _write(tmp_path, **{"0001_one": "CREATE TABLE t_one (a int)"})
    with pytest.raises(MigrationError, match=r"0001_one\.sql was changed"):
        await migrate(url, sources)


async def test_a_database_ahead_of_the_code_is_refused(url: str, tmp_path: Path) -> None:
    await migrate(url, _write(tmp_path / "new", **{"0001_one": "CREATE TABLE t_one ()"}))
    with pytest.raises(MigrationError, match="which this code lacks"):
        await migrate(url, _write(tmp_path / "old"))


async def test_a_failing_file_leaves_nothing_and_those_before_it_stay(
    url: str, tmp_path: Path
) -> None:
    sources = _write(
        tmp_path,
        **{
            "0001_one": "CREATE TABLE t_one ()",
            "0002_two": "CREATE TABLE t_two (); CREATE TABLE t_one ()",
        },
    )
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrate(url, sources)
    assert await _tables(url) == {"t_one"}
    conn = await session(url, application="test")
    assert await pending(conn, sources) == ["0002_two.sql"]
    await conn.close()


async def test_several_at_once_apply_each_once(url: str, tmp_path: Path) -> None:
    # Without the lock the second would create the table again and fail.
    sources = _write(
        tmp_path, **{"0001_one": "SELECT pg_sleep(0.3); CREATE TABLE t_one (); SELECT 1"}
    )
    done = await asyncio.gather(*(migrate(url, sources) for _ in range(4)))
    assert sorted(done, key=len)[-1] == ["testing/0001_one.sql"]
    assert sum(map(len, done)) == 1


async def test_who_waits_for_the_lock_waits_longer_than_a_statement_may(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SESSION, "statement_timeout", "100")
    sources = _write(tmp_path, **{"0001_one": "SELECT pg_sleep(0.5); CREATE TABLE t_one ()"})
    done = await asyncio.gather(migrate(url, sources), migrate(url, sources))
    assert sum(map(len, done)) == 1


async def test_what_is_missing_is_told_on_an_empty_database(url: str, tmp_path: Path) -> None:
    sources = _write(tmp_path, **{"0001_one": "CREATE TABLE t_one ()"})
    conn = await session(url, application="test")
    assert await pending(conn, [("kernel", KERNEL), *sources]) == ["0001_one.sql"]
    await conn.execute("DROP TABLE schema_migration")
    assert "0001_kernel.sql" in await pending(conn, [("kernel", KERNEL), *sources])
    await conn.close()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"0001_one": "", "0003_three": ""}, "without gaps"),
        ({"0002_two": ""}, "without gaps"),
        ({"0001_one": "", "0001_uno": ""}, "without gaps"),
        ({"1_one": ""}, "name it like"),
        ({"0001-one": ""}, "name it like"),
    ],
)
def test_an_unsound_folder_is_refused(tmp_path: Path, files: dict[str, str], why: str) -> None:
    ((source, folder),) = _write(tmp_path, **files)
    with pytest.raises(MigrationError, match=why):
        read_migrations(source, folder)
