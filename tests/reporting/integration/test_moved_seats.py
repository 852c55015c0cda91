"""Seats that bookings were moved away from: which of them are free again, and how that is kept."""

from datetime import date
from typing import Any

from services.reporting.events import PROJECTIONS
from shared.contracts.site import CapacityPublished, DayCapacity
from shared.ids import derived_id
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting
from tests.reporting.histories import CARD, SITES, Happening, case_of, tokyo, told


def moved_on(number: int, minutes: tuple[int, int]) -> list[Happening]:
    """A booking on the 16th whose seat was moved to the 17th, then to the 21st, ``minutes`` after
    noon; of the first two days every seat was taken when they were told."""
    told_of = tuple(
        DayCapacity(business_date=date(2026, 7, day), total=9, free=free)
        for day, free in ((16, 0), (17, 0), (21, 9))
    )
    seats = CapacityPublished(site_id=SITES[0], procedure=CARD, minutes=20, days=told_of)
    own: dict[str, Any] = {
        "case_id": case_of(number),
        "booking_id": derived_id("moved on", number),
    }
    own |= {"site_id": SITES[0], "procedure": CARD, "minutes": 20}

    def booking(name: str, to: int, **left: Any) -> Any:
        starts_at = tokyo(2026, 7, to, 9)
        return SAMPLES[f"booking.{name}.v1"].model_copy(
            update=own | left | {"starts_at": starts_at}
        )

    def moved(left: int, to: int) -> Any:
        before = {"previous_site_id": SITES[0], "previous_starts_at": tokyo(2026, 7, left, 9)}
        return booking("moved", to, **before)

    first, second = (tokyo(2026, 7, 15, 12, each) for each in minutes)
    return told(
        [
            (seats, tokyo(2026, 7, 15, 0, 30), "site.events"),
            (booking("confirmed", 16), tokyo(2026, 7, 14, 9), "reservation.events"),
            (moved(16, 17), first, "reservation.events"),
            (moved(17, 21), second, "reservation.events"),
        ]
    )


async def first_free(reporting: Reporting) -> str:
    (row,) = (await reporting.get("/v1/reports/sites/first-free")).json()["rows"]
    found: str = row["first_free"]
    return found


async def test_of_two_moves_at_one_time_the_source_says_which_was_first(
    reporting: Reporting,
) -> None:
    """Not their ids, which are drawn: the seat that is free is the one that was left first."""
    histories = [moved_on(number, (0, 0)) for number in range(8)]
    by_id = {history[2].id < history[3].id: history for history in histories}
    assert len(by_id) == 2, "in either order of ids"
    for history in by_id.values():
        async with reporting.database.transaction() as conn:
            tables = ", ".join(table for each in PROJECTIONS for table in each.tables)
            await conn.execute(f"TRUNCATE {tables}, inbox")
        await reporting.hear(history[::-1])
        assert await first_free(reporting) == "2026-07-16"


async def test_a_move_of_which_nobody_knows_what_it_left_is_a_former_one(
    reporting: Reporting,
) -> None:
    """What it left was the seat that was taken when seats were told, and not what the next left."""
    *before, last = moved_on(1, (0, 10))
    await reporting.hear(before)
    assert await first_free(reporting) == "2026-07-16"
    async with reporting.database.transaction() as conn:
        await conn.execute("UPDATE booking_change SET left_on = NULL, left_minutes = NULL")
    await reporting.hear([last])
    assert await first_free(reporting) == "2026-07-21"
