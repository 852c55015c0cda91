"""A room small enough to see through: it writes down each step it hears, in the order it hears.

``effect`` has no unique key on purpose: only the inbox keeps a step from being written twice.
"""

from collections.abc import Sequence

from shared.db import Connection, Database
from shared.ids import CaseId
from shared.messaging.consumer import Consumer
from shared.messaging.envelope import Message
from shared.messaging.processing import Processor
from shared.messaging.retrier import Retrier
from shared.messaging.subscriptions import Subscription, on
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Unit
from tests.support.messaging import StepTaken, metrics, settings, units

ROOM = "testing"


class PoisonedError(Exception):
    """The handler cannot cope with this case."""


async def prepare(database: Database) -> None:
    """Create the tables of effects and of cases that fail."""
    async with database.transaction() as conn:
        await conn.execute(
            "CREATE TABLE effect (pos bigserial, case_id uuid, step int,"
            " at timestamptz DEFAULT clock_timestamp())"
        )
        await conn.execute("CREATE TABLE poison (case_id uuid, step int)")


async def write_down(unit: Unit, messages: Sequence[Message[StepTaken]]) -> None:
    """The handler: one statement for the batch; fails as long as a poisoned step is in it."""
    cases = [m.data.case_id for m in messages]
    numbers = [m.data.step for m in messages]
    await unit.conn.execute(
        "INSERT INTO effect (case_id, step) SELECT * FROM unnest($1::uuid[], $2::int[])",
        cases,
        numbers,
    )
    poisoned = await unit.conn.fetchval(
        """SELECT count(*) FROM poison JOIN unnest($1::uuid[], $2::int[]) AS m(case_id, step)
           USING (case_id, step)""",
        cases,
        numbers,
    )
    if poisoned:
        raise PoisonedError("this step cannot be taken")


SUBSCRIBES: tuple[Subscription, ...] = (on(StepTaken, write_down),)


def processor(database: Database, figures: Metrics | None = None, prefix: str = "") -> Processor:
    """The room's processor."""
    return Processor(
        ROOM, units(database), SUBSCRIBES, metrics=figures or metrics(), topic_prefix=prefix
    )


def consumer(database: Database, set_: KernelSettings | None = None) -> Consumer:
    """The room's consumer, not running."""
    set_ = set_ or settings()
    return Consumer(processor(database, prefix=set_.topic_prefix), set_, metrics())


def retrier(database: Database, set_: KernelSettings | None = None) -> Retrier:
    """The room's retrier, not running."""
    set_ = set_ or settings()
    return Retrier(processor(database, prefix=set_.topic_prefix), set_, metrics())


async def poison(database: Database, case_id: CaseId, step: int) -> None:
    """Let the handler fail on a step."""
    async with database.transaction() as conn:
        await conn.execute("INSERT INTO poison VALUES ($1, $2)", case_id, step)


async def heal(database: Database) -> None:
    """Let the handler cope with everything again."""
    async with database.transaction() as conn:
        await conn.execute("DELETE FROM poison")


async def effects(database: Database) -> dict[CaseId, list[int]]:
    """The steps written down per case, in order."""
    async with database.reader() as conn:
        return await effects_seen(conn)


async def effects_seen(conn: Connection) -> dict[CaseId, list[int]]:
    """The steps written down per case, in order."""
    seen: dict[CaseId, list[int]] = {}
    for row in await conn.fetch("SELECT case_id, step FROM effect ORDER BY pos"):
        seen.setdefault(CaseId(row["case_id"]), []).append(row["step"])
    return seen
