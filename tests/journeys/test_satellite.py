"""Headquarters' issuance and that of a satellite as real processes, and a line that is cut.

Each has a database and a group at the broker of its own; the satellite reaches the broker and
headquarters through lines alone, and is killed while it tells.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.embedded.kafka import EmbeddedKafka
from shared.contracts.clock import ClockAdvanced
from shared.contracts.preparation import CardVoided, VoidReason
from shared.contracts.reservation import (
    BookingCancelled,
    BookingConfirmed,
    BookingMoved,
    CancelReason,
    MoveReason,
)
from tests.issuance.support import CENTER, OFFICE, TEN, Clerk, ok, refused, version
from tests.journeys.installed import ROLES
from tests.journeys.severed import Region, severed

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


@pytest_asyncio.fixture
async def region(
    kafka: EmbeddedKafka, make_database: Callable[[str], Awaitable[str]], tmp_path: Path
) -> AsyncIterator[Region]:
    """No process runs yet, and the lines are open."""
    urls = [await make_database("issuance") for _ in range(2)]
    async with severed(kafka, urls, tmp_path) as made:
        yield made


async def start(region: Region) -> None:
    """Every process runs, and the satellite may serve."""
    await region.say(ClockAdvanced(now=TEN))
    await asyncio.gather(region.hq.start(*ROLES), region.sat.start("api", "relay"))
    ok(await region.hq_supervisor.post("/v1/satellites", {"site_id": OFFICE}))
    ok(await region.hq_supervisor.post("/v1/checklists", version()))
    await region.sat.start("consume")
    await region.until_leased()
    await region.until_versions(2)
    await region.until_heard()
    await region.until_satellite_heard()


async def issue(clerk: Clerk, booking: BookingConfirmed) -> str:
    """The card is handed over; the visit."""
    visit_id, (case_id,) = await clerk.up_to_issue(booking_id=booking.booking_id)
    ok(await clerk.step(visit_id, case_id, "issue"))
    return visit_id


async def meanwhile(
    region: Region, moved: BookingConfirmed, gone: BookingConfirmed, void: BookingConfirmed
) -> BookingConfirmed:
    """What happens elsewhere while the line is down; a booking at the satellite is new."""
    seat = moved.model_dump(exclude={"site_id"})
    await region.say(
        BookingMoved(
            **seat,
            site_id=CENTER,
            previous_site_id=OFFICE,
            previous_starts_at=moved.starts_at,
            reason=MoveReason.CITIZEN,
        ),
        cancelled(gone),
        CardVoided(case_id=void.case_id, reason=VoidReason.MOVED_OUT),
    )
    (new,) = await region.expect(1)
    await region.until_heard()
    return new


def cancelled(booking: BookingConfirmed) -> BookingCancelled:
    """The booking is over."""
    seat = booking.model_dump(exclude={"minutes", "card_site_id"})
    return BookingCancelled(**seat, reason=CancelReason.CITIZEN)


async def test_a_line_is_cut_and_the_satellite_killed_while_it_tells(region: Region) -> None:
    plain, moved, gone, void = await region.expect(4)
    await start(region)
    refused(await region.hq_clerk.check_in(booking_id=plain.booking_id), "site-away")

    region.cut()
    visits = [await issue(region.sat_clerk, one) for one in (plain, moved, gone, void)]
    new = await meanwhile(region, moved, gone, void)
    assert not await region.heard(region.sat_database)
    assert ok(await region.sat_clerk.get("/v1/journal"))["waiting"] == 20
    assert await region.issued() == {}

    region.hq_line.withholds = b"/v1/visits:batch"
    await region.open()
    await region.hq_line.withheld.wait()
    await region.sat.kill("consume")
    assert ok(await region.sat_clerk.get("/v1/journal"))["waiting"] == 20
    region.hq_line.withholds = None
    await region.sat.start("consume")
    await region.until_told()
    await region.until_satellite_heard()
    await issue(region.sat_clerk, new)
    await region.until_told()

    listed = await region.hq_supervisor.get(f"/v1/conflicts?site_id={OFFICE}&state=open")
    conflicts = {one["visit_id"]: one for one in ok(listed)["items"]}
    assert {visit: one["code"] for visit, one in conflicts.items()} == {
        visits[1]: "booking-elsewhere",
        visits[2]: "booking-not-active",
        visits[3]: "card-void",
    }
    path = f"/v1/conflicts/{conflicts[visits[3]]['conflict_id']}:resolve"
    ok(await region.hq_supervisor.post(path, {"decision": "record"}))
    # Moved and cancelled ones wait, each in its conflict; everything else was said once.
    assert await region.issued() == {str(one.case_id): 1 for one in (plain, new, void)}
