"""Builds a read model again from offset zero, beside the live one, and then puts it in its place.

* Handlers write to a schema of the rebuild alone: what lies in public cannot be reached from there.
* Offsets are kept in a consumer group of the generation, after the database; a rebuild that was
  ended goes on where it was, and what it repeats changes nothing.
* The switch is one transaction. In it nobody can write to the live tables, so whatever these hold
  has been published before; the rebuild reads up to there, and then has its place. Until the
  commit everybody reads the old tables, and after it the new ones.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from services.reporting.handlers.projection import Projection, together
from services.reporting.store import projections
from services.reporting.store.projections import Lost
from shared.clock import SystemClock
from shared.db import Connection, Database, session
from shared.errors import Conflict, Text
from shared.messaging import parking
from shared.messaging.envelope import Message
from shared.messaging.failure import is_infrastructure, reason_of
from shared.messaging.kafka import consumer as kafka_consumer
from shared.messaging.processing import Processor
from shared.messaging.topics import PARTITIONS
from shared.security.principal import Principal
from shared.settings import KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Unit, Units

STILL_SECONDS = 8.0
"""How long writers wait for a switch at most; less than their patience with a lock."""
TRIES = 5
"""Switches tried before the command gives up: events then come faster than it reads."""

Tell = Callable[[int, int], None]
"""Told how many records have been read, of how many there are now."""


class BeingBuilt(Conflict):
    """Another process builds this read model."""

    slug = "projection-being-built"
    title = Text("It is being built already", "すでに再構築中です")
    remedy = Text("Wait until it is done.", "完了するまでお待ちください。")


class ShapeChanged(Conflict):
    """The room was migrated after this rebuild began."""

    slug = "projection-shape-changed"
    title = Text("The tables have another shape now", "テーブルの形が変わりました")
    remedy = Text("Begin again with --fresh.", "--fresh を付けて最初からやり直してください。")


class WouldLose(Conflict):
    """The live tables hold messages that the rebuild could not handle."""

    slug = "projection-would-lose"
    title = Text("The rebuilt tables would lack events", "再構築したテーブルに欠けが生じます")
    remedy = Text(
        "Correct the handlers that failed, and begin again with --fresh.",
        "失敗した処理を直し、--fresh を付けて最初からやり直してください。",
    )

    def __init__(self, lost: Sequence[Lost]) -> None:
        first = lost[0]
        place = f"{first.topic}[{first.partition}]@{first.offset}"
        super().__init__(
            Text(
                f"{len(lost)} events could not be handled; the first is {place}: {first.reason}.",
                f"{len(lost)}件のイベントを処理できませんでした。最初は {place}: {first.reason}。",
            )
        )


class NotCaughtUp(Conflict):
    """The topics grew faster than the rebuild could read."""

    slug = "projection-not-caught-up"
    title = Text("It has not caught up with the topics", "トピックに追いつけませんでした")
    remedy = Text(
        "Run the command again at a quieter time; it goes on where it is.",
        "空いている時間帯に再実行してください。続きから再開します。",
    )


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A read model after its switch; ``same`` is whether the replaced tables held the same rows,
    None where they were not compared."""

    name: str
    generation: int
    records: int
    same: bool | None


class Replay(Processor):
    """Handles every message, however often it was handled elsewhere."""

    async def _claim(self, _: Unit, messages: Sequence[Message[Any]]) -> list[Message[Any]]:
        return list(messages)


async def rebuild(
    url: str,
    settings: KernelSettings,
    projection: Projection,
    *,
    tell: Tell = lambda _done, _total: None,
    fresh: bool = False,
    compare: bool = True,
) -> Rebuilt:
    """Build ``projection`` from offset zero and switch to it, or go on with a rebuild begun before.

    ``compare`` reads both generations whole while writers wait: leave it where they are huge.

    Raises ``BeingBuilt``, ``ShapeChanged``, ``WouldLose`` and ``NotCaughtUp``; then the live tables
    are as they were. What it cannot reach raises as it does anywhere.
    """
    keeper = await session(url, application="madoguchi-rebuild")
    try:
        generation = await _begin(keeper, projection, fresh=fresh)
        database = await Database.connect(url, application="madoguchi-rebuild", max_size=3)
        try:
            build = _Build(database, settings, projection, generation, tell=tell, compare=compare)
            return await build.run()
        finally:
            await database.close()
    finally:
        await keeper.close()


async def _begin(keeper: asyncpg.Connection, projection: Projection, *, fresh: bool) -> int:
    name = projection.name
    if not await projections.claim(keeper, name):
        raise BeingBuilt
    (state,) = await projections.states(keeper, [name])
    if state.building is not None and not fresh:
        return state.building
    async with keeper.transaction():
        return await projections.begin(keeper, name, projection.tables)


class _Build:
    def __init__(
        self,
        database: Database,
        settings: KernelSettings,
        projection: Projection,
        generation: int,
        *,
        tell: Tell,
        compare: bool,
    ) -> None:
        self._compare = compare
        self._database = database
        self._settings = settings
        self._projection = projection
        self._generation = generation
        self._tell = tell
        self._schema = projections.schema_of(projection.name, generation)
        self._consumer = projections.consumer_of(projection.name, generation)
        source = settings.source(projections.ROOM)
        self._units = Units(database, room=projections.ROOM, source=source, clock=SystemClock())
        self._replay = Replay(
            self._consumer,
            self._units,
            together((projection,)),
            metrics=Metrics(service=projections.ROOM, role="rebuild"),
            topic_prefix=settings.topic_prefix,
        )
        self._principal = Principal.system(projections.ROOM)

    async def run(self) -> Rebuilt:
        kafka = kafka_consumer(
            self._settings,
            group=self._settings.topic_prefix + self._consumer,
            max_poll_records=self._settings.batch_size,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        await kafka.start()
        try:
            kafka.assign(self._partitions())
            for _ in range(TRIES):
                await self._read_until(kafka, await kafka.end_offsets(kafka.assignment()))
                await self._tidy()
                if done := await self._try_to_switch(kafka):
                    return done
            raise NotCaughtUp
        finally:
            await kafka.stop()

    def _partitions(self) -> list[TopicPartition]:
        prefix = self._settings.topic_prefix
        return [
            TopicPartition(prefix + topic, number)
            for topic in self._replay.topics
            for number in range(PARTITIONS)
        ]

    async def _read_until(
        self, kafka: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
    ) -> None:
        total = sum(ends.values())
        while behind := await _behind(kafka, ends):
            self._tell(total - behind, total)
            polled = await kafka.getmany(timeout_ms=500, max_records=self._settings.batch_size)
            records = [record for partition in polled.values() for record in partition]
            if not records:
                continue
            await self._handle(records)
            await kafka.commit({tp: each[-1].offset + 1 for tp, each in polled.items()})
        self._tell(total, total)

    async def _handle(self, records: Sequence[ConsumerRecord]) -> None:
        try:
            async with self._units.begin(self._principal) as unit:
                # Without public: a handler that reached for a live table would fail here.
                await unit.conn.execute(f'SET LOCAL search_path TO "{self._schema}"')
                await self._replay.handle(unit, records)
        except Exception as error:
            if is_infrastructure(error):
                raise
            if len(records) == 1:
                await self._set_aside(records[0], error)
                return
            middle = len(records) // 2
            await self._handle(records[:middle])
            await self._handle(records[middle:])

    async def _set_aside(self, record: ConsumerRecord, error: Exception) -> None:
        """Remember what could not be handled; whether it is missing shows at the switch."""
        failure = parking.Failure(reason_of(error), 0.0)
        async with self._database.transaction() as conn:
            await parking.park(conn, self._consumer, [record], failure)

    async def _tidy(self) -> None:
        """Let the first questions to the new tables be answered as fast as the next."""
        async with self._database.reader() as conn:
            for table in self._projection.tables:
                await conn.execute(f'VACUUM (ANALYZE) "{self._schema}"."{table}"')

    async def _try_to_switch(self, kafka: AIOKafkaConsumer) -> Rebuilt | None:
        """Switch, unless it takes longer than writers can wait."""
        name, tables = self._projection.name, self._projection.tables
        try:
            async with asyncio.timeout(STILL_SECONDS), self._database.transaction() as conn:
                await projections.hold_still(conn, tables)
                ends = await kafka.end_offsets(kafka.assignment())
                await self._read_until(kafka, ends)
                await self._require_whole(conn)
                same = await self._same(conn) if self._compare else None
                await projections.switch(conn, name, self._generation, tables)
        except (TimeoutError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
            return None
        return Rebuilt(name, self._generation, sum(ends.values()), same)

    async def _same(self, conn: Connection) -> bool:
        tables = self._projection.tables
        before = await projections.content(conn, "public", tables)
        return before == await projections.content(conn, self._schema, tables)

    async def _require_whole(self, conn: Connection) -> None:
        name = self._projection.name
        if not await projections.fits(conn, name):
            raise ShapeChanged
        if lost := await projections.lost(conn, name, self._generation):
            raise WouldLose(lost)


async def _behind(kafka: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> int:
    """How many records before ``ends`` are still to be read."""
    return sum([max(0, end - await kafka.position(tp)) for tp, end in ends.items()])
