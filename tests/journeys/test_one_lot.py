"""One lot of cards goes in at one end; a correct line per ward of the month comes out at the other.

Over HTTP and Kafka through twelve real processes, and again with the broker killed on the way.
"""

import asyncio
from collections import Counter

import pytest

from deploy.cli.demo import Endpoints
from deploy.embedded.stack import Stack
from shared.calendar import TOKYO
from simulation import demo
from simulation.clock import SimulatedClock
from simulation.lots import draw_lot
from simulation.places import wards

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


def say(message: str, *, done: int = 0, total: int = 0) -> None:
    """Progress nobody watches."""


def by_ward(rows: demo.Rows) -> Counter[str]:
    """Cards counted per ward."""
    counted: Counter[str] = Counter()
    for row in rows:
        if row["procedure"] == "card_issuance":
            counted[str(row["ward"])] += int(str(row["completed"]))
    return counted


async def expected(endpoints: Endpoints) -> Counter[str]:
    """Cards of the lot per ward, as they were drawn; the day drawn for decides no ward."""
    async with SimulatedClock(endpoints.settings) as clock:
        day = clock.now.astimezone(TOKYO).date()
    names = {ward.code: ward.name for ward in wards()}
    return Counter(names[card.ward] for card in draw_lot("ANY", demo.CARDS, day))


async def test_a_lot_goes_through_the_four_rooms(endpoints: Endpoints) -> None:
    rows = await demo.run(endpoints, say)
    assert by_ward(rows) == await expected(endpoints)
    assert rows[-1]["completed"] == demo.CARDS


async def test_the_broker_is_killed_while_citizens_book(house: Stack, endpoints: Endpoints) -> None:
    killed = asyncio.Event()

    def kill_on_the_way(message: str, *, done: int = 0, total: int = 0) -> None:
        if message == "Citizens book" and done == total // 2 and not killed.is_set():
            house.parts.kafka.kill()
            killed.set()

    async def start_again() -> None:
        await killed.wait()
        await asyncio.sleep(3)
        await asyncio.to_thread(house.parts.kafka.start)

    # Together, so that a broker that does not come back is told as itself.
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(start_again())
        story = tasks.create_task(demo.run(endpoints, kill_on_the_way))
    rows = story.result()
    # The same draw as the lot before, counted beside it.
    one_lot = await expected(endpoints)
    assert by_ward(rows) == one_lot + one_lot
