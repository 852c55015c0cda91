"""Satellites' instances are added and removed while visits run, all of them real processes: api,
consumer and relay of each, in one group at a real broker, one of them killed as by a power cut.

The promise: nobody waits longer than 15 seconds because of it, and nothing is lost or doubled.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from deploy.embedded.kafka import EmbeddedKafka
from shared.ids import SiteId
from tests.benchmarks.report import Figure, report
from tests.issuance.support import OFFICE
from tests.journeys.fleet import Fleet, fleet
from tests.journeys.installed import ROLES
from tests.support.sizes import proof_size

pytestmark = [pytest.mark.journey, pytest.mark.proof, pytest.mark.timeout(900)]

PROMISED_SECONDS = 15.0
CALM_SECONDS = proof_size(0, 10)
STEADY_SECONDS = proof_size(0, 5)
AFTER_SECONDS = proof_size(0, 25)
"""Longer than the broker waits for a member that is gone without a word."""
ROLES_ADDED = ROLES[: proof_size(2, 3)]
SATELLITES = tuple(SiteId(f"satellite-{number}") for number in range(proof_size(1, 5)))


async def come_and_go(running: Fleet, added: Sequence[SiteId], *, killed: bool) -> None:
    """All are added one by one, then one is ended by an operator and one killed."""
    await asyncio.sleep(CALM_SECONDS)
    running.phase = "coming and going"
    for site in added:
        await running.add(site, *ROLES_ADDED)
        await asyncio.sleep(STEADY_SECONDS)
    assert set(await running.instances.pop(added[0]).leave()) == {0}
    await asyncio.sleep(STEADY_SECONDS)
    if killed:
        await running.instances.pop(added[1]).end()
        await asyncio.sleep(AFTER_SECONDS)
    running.close()


async def test_nobody_waits_long_and_nothing_is_lost(
    kafka: EmbeddedKafka, make_database: Callable[[str], Awaitable[str]], tmp_path: Path
) -> None:
    is_full = len(SATELLITES) > 1
    async with fleet(kafka, await make_database("issuance"), tmp_path) as running:
        await running.add(None, *ROLES)
        await asyncio.gather(
            *(running.work(site) for site in (OFFICE, *SATELLITES)),
            come_and_go(running, SATELLITES, killed=is_full),
        )
        await running.until_all_is_told()
        once = dict.fromkeys(running.served, 1)
        assert (running.issued, running.completed) == (Counter(once), Counter(once))
        assert await running.visits() == len(once)
        if is_full:
            tell(running)


def tell(running: Fleet) -> None:
    """The longest waits beside those of the calm before, and what was promised of them."""
    calm, longest = running.longest("calm"), running.longest("coming and going")
    report(
        "coming_and_going",
        [
            Figure(f"longest wait, {step}", longest[step], "s", calm.get(step))
            for step in sorted(longest)
        ],
    )
    assert max(longest.values()) <= PROMISED_SECONDS, longest
