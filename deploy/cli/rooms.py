"""Access to a room's database for an operator's commands."""

import getpass
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from deploy.embedded.errors import OperatorError
from deploy.embedded.plan import ROOMS

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.db import Database
    from shared.security.principal import Principal
    from shared.unit import Units


def require_room(name: str) -> str:
    """The name, if it is a room's.

    Raises:
        OperatorError: it is not; the text lists the rooms.
    """
    if name not in ROOMS:
        raise OperatorError(
            f"There is no room {name!r}. Rooms: {', '.join(ROOMS)}.",
            f"{name!r} という部屋はありません。部屋: {', '.join(ROOMS)}",
        )
    return name


@contextmanager
def reached(room: str) -> Iterator[None]:
    """Tell in the operator's words when the block cannot connect to the room's database."""
    import asyncpg  # noqa: PLC0415 - only commands that connect pay for it

    try:
        yield
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise OperatorError(
            f"The database of {room} cannot be reached ({type(error).__name__}). "
            f"Run `madoguchi up`, or check MADOGUCHI_{room.upper()}_DATABASE_URL.",
            f"{room} のデータベースに接続できません({type(error).__name__})。`madoguchi up` を"
            f"実行するか、MADOGUCHI_{room.upper()}_DATABASE_URL を確認してください。",
        ) from error


@asynccontextmanager
async def open_database(house: "Stack", room: str) -> AsyncIterator["Database"]:
    """The room's database.

    Raises:
        OperatorError: it cannot be reached.
    """
    from shared.db import Database  # noqa: PLC0415

    with reached(room):
        url = house.database_url(room)
        database = await Database.connect(url, application="madoguchi-cli", max_size=2)
        await database.ping()
    try:
        yield database
    finally:
        await database.close()


def units(database: "Database", room: str) -> "Units":
    """Units on that database, as the room itself would begin them."""
    from shared.clock import SystemClock  # noqa: PLC0415
    from shared.settings import KernelSettings  # noqa: PLC0415
    from shared.unit import Units  # noqa: PLC0415

    source = KernelSettings().source(room)
    return Units(database, room=room, source=source, clock=SystemClock())


def operator() -> "Principal":
    """Who sits at this terminal; the audit names the account."""
    from shared.security.principal import EVERY_SITE, Principal, Role  # noqa: PLC0415

    return Principal(
        subject=f"operator:{getpass.getuser()}",
        roles=frozenset({Role.SYSTEM}),
        sites=frozenset({EVERY_SITE}),
    )
