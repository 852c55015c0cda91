"""One role and one database per room in the embedded server, as in every other deployment.

Invariant: a role can connect to its own database and to no other, so a room that reaches into
another room's tables fails here and not in a review.
"""

import asyncio
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from deploy.embedded.errors import OperatorError
from deploy.embedded.postgres import EmbeddedPostgres


async def ensure_databases(postgres: EmbeddedPostgres, names: Iterable[str]) -> None:
    """Create what is missing; what exists stays as it is. Names are our own, never input."""
    import asyncpg  # noqa: PLC0415 - not for commands that only look

    conn = await asyncpg.connect(postgres.url("postgres"))
    try:
        await conn.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        for name in names:
            if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
                await conn.execute(f'CREATE ROLE "{name}" LOGIN')
            if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await conn.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
            await conn.execute(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    finally:
        await conn.close()


async def migrate_all(urls: Mapping[str, str]) -> dict[str, list[str]]:
    """Migrate several databases side by side: rooms by name, and `audit`.

    Returns what was newly applied.

    Raises:
        OperatorError: a database cannot be reached, or its schema is not the one we know.
    """
    applied = await asyncio.gather(*(_migrate(name, url) for name, url in urls.items()))
    return dict(zip(urls, applied, strict=True))


async def _migrate(name: str, url: str) -> list[str]:
    import asyncpg  # noqa: PLC0415

    from shared.migrate import MigrationError, migrate  # noqa: PLC0415

    try:
        return await migrate(url, _sources(name))
    except (OSError, asyncpg.PostgresError, MigrationError) as error:
        setting = f"MADOGUCHI_{name.upper()}_DATABASE_URL"
        raise OperatorError(
            f"The database of {name} could not be migrated: {error}. "
            f"Check {setting}, or restore the changed file.",
            f"{name} のデータベースを移行できませんでした: {error}。"
            f"{setting} を確認するか、変更されたファイルを元に戻してください。",
        ) from error


def _sources(name: str) -> list[tuple[str, Path]]:
    """Folders of migrations in the order they apply."""
    from shared.migrate import KERNEL  # noqa: PLC0415

    if name == "audit":
        from shared.security.checkpoints import MIGRATIONS  # noqa: PLC0415

        return [("audit", MIGRATIONS)]
    spec = find_spec(f"services.{name}")
    if spec is None or spec.origin is None:
        raise OperatorError(
            f"The room {name} is not installed: run `make setup`.",
            f"{name} がインストールされていません。`make setup` を実行してください。",
        )
    return [("kernel", KERNEL), (name, Path(spec.origin).parent / "migrations")]
