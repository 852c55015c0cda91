"""`topics`: what Kafka holds for this installation."""

import asyncio
import json
import logging
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from deploy.cli.display import talk
from deploy.cli.options import HOME, AsJson, Data, plan, stack
from deploy.embedded.errors import OperatorError
from deploy.embedded.plan import ROOMS, Plan

if TYPE_CHECKING:
    from shared.settings import KernelSettings

R = TypeVar("R")
app = typer.Typer(help="Topics of this installation.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """A topic as it is listed; both numbers are None when it does not exist."""

    topic: str
    partitions: int | None
    events: int | None


@app.command("list")
def list_topics(data: Data = HOME, as_json: AsJson = False) -> None:
    """Every topic, its partitions and how many events it holds."""
    rows = reach(plan(data), _shown(_settings(plan(data))))
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    from rich.console import Console  # noqa: PLC0415 - not for --json
    from rich.table import Table  # noqa: PLC0415

    table = Table("topic")
    table.add_column("partitions", justify="right")
    table.add_column("events", justify="right")
    for row in rows:
        missing = "[red]missing[/]" if row.partitions is None else str(row.partitions)
        table.add_row(row.topic, missing, "" if row.events is None else str(row.events))
    Console().print(table)


@app.command()
def create(data: Data = HOME) -> None:
    """Create the topics that are missing; existing ones stay as they are."""
    house = stack(data)
    made = reach(house.plan, house.ensure_topics())
    talk().print(f"Created: {', '.join(made)}" if made else "All topics exist.")


async def _shown(settings: "KernelSettings") -> list[Shown]:
    from aiokafka import TopicPartition  # noqa: PLC0415

    from shared.messaging.kafka import consumer  # noqa: PLC0415
    from shared.messaging.topics import all_topics  # noqa: PLC0415

    existing = await _partitions(settings)
    async with consumer(settings, group=None) as client:
        rows = []
        for topic in all_topics(ROOMS, settings.topic_prefix):
            if topic.name not in existing:
                rows.append(Shown(topic.name, None, None))
                continue
            partitions = [TopicPartition(topic.name, n) for n in range(existing[topic.name])]
            first = await client.beginning_offsets(partitions)
            last = await client.end_offsets(partitions)
            events = sum(last.values()) - sum(first.values())
            rows.append(Shown(topic.name, len(partitions), events))
        return rows


async def _partitions(settings: "KernelSettings") -> dict[str, int]:
    """How many partitions each existing topic has."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415

    from shared.messaging.kafka import client_options  # noqa: PLC0415

    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        return {told["topic"]: len(told["partitions"]) for told in await admin.describe_topics()}
    finally:
        await admin.close()


def _settings(house: Plan) -> "KernelSettings":
    from shared.settings import KernelSettings  # noqa: PLC0415 - loads pydantic

    return KernelSettings(kafka_bootstrap_servers=house.bootstrap)


def reach(house: Plan, work: Coroutine[Any, Any, R]) -> R:
    """Run what needs the broker.

    Raises:
        OperatorError: Kafka cannot be reached.
    """
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we say it ourselves, once
    try:
        return asyncio.run(work)
    except (KafkaError, OSError) as error:
        raise OperatorError(
            f"Kafka at {house.bootstrap} cannot be reached ({type(error).__name__}). "
            "Run `madoguchi up`, or check MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS.",
            f"Kafka({house.bootstrap})に接続できません({type(error).__name__})。"
            "`madoguchi up` を実行するか、MADOGUCHI_KAFKA_BOOTSTRAP_SERVERS を確認してください。",
        ) from error
