"""Free seats as reservation publishes them: twice, again from the start, late, and in any order."""

from datetime import date

import pytest

from services.preparation.domain.seating import SeatDay, SeatSource
from services.preparation.store import seats
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, Site, SiteState
from shared.contracts.site import CapacityPublished, DayCapacity, SiteChanged, SiteOpened
from shared.db import Database
from shared.ids import SiteId, WardCode
from tests.contracts.samples import SITE as SAMPLE
from tests.preparation.support import SITE, WARD, hear
from tests.support.state import state_hash

FRIDAY, MONDAY = date(2026, 4, 17), date(2026, 4, 20)


def site(*acceptance: Acceptance) -> Site:
    """The ward office, which accepts so."""
    opened = {"site_id": SITE, "acceptance": acceptance, "state": SiteState.OPEN}
    return SAMPLE.model_copy(update=opened)


def cards(*wards: str) -> Acceptance:
    """Cards for residents of these wards, of all where none is named."""
    codes = tuple(WardCode(ward) for ward in wards) or None
    return Acceptance(procedure=Procedure.CARD_ISSUANCE, wards=codes)


def published(
    *days: tuple[date, int, int], procedure: Procedure = Procedure.CARD_ISSUANCE
) -> CapacityPublished:
    """Free and total seats of these days."""
    told = tuple(DayCapacity(business_date=d, free=free, total=total) for d, free, total in days)
    return CapacityPublished(site_id=SiteId(SITE), procedure=procedure, days=told)


async def found(database: Database) -> list[SeatSource]:
    """What the outlook counts from."""
    async with database.reader() as conn:
        return await seats.sources(conn, date(2026, 4, 14))


HISTORY = (
    SiteOpened(site=site(cards(WARD))),
    published((FRIDAY, 10, 40), (MONDAY, 40, 40)),
    published((FRIDAY, 3, 40)),
    published((FRIDAY, 99, 99), procedure=Procedure.CERTIFICATE_RENEWAL),
)
SEATS = [
    SeatSource(
        SiteId(SITE),
        frozenset({WardCode(WARD)}),
        [SeatDay(FRIDAY, 3, 40), SeatDay(MONDAY, 40, 40)],
    )
]


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3, 1], [0, 0, 1, 1, 2, 2, 3, 3]],
    ids=["as told", "backwards", "late", "twice"],
)
async def test_of_two_tellings_of_a_day_the_later_counts(
    database: Database, order: list[int]
) -> None:
    for number in order:
        await hear(database, *HISTORY, order=[number])
    assert await found(database) == SEATS


async def test_a_replay_changes_nothing(database: Database) -> None:
    await hear(database, *HISTORY)
    async with database.transaction() as conn:
        first = await state_hash(conn)
        await conn.execute("TRUNCATE inbox")
    await hear(database, *HISTORY)
    async with database.reader() as conn:
        assert await state_hash(conn) == first


async def test_only_sites_that_hand_over_cards_have_seats_for_them(database: Database) -> None:
    await hear(database, *HISTORY)
    renewals = Acceptance(procedure=Procedure.CERTIFICATE_RENEWAL)
    told = [*HISTORY, SiteChanged(site=site(renewals)), SiteChanged(site=site(cards(), renewals))]
    await hear(database, *told, order=[4])
    assert await found(database) == []
    await hear(database, *told, order=[5])
    assert [source.wards for source in await found(database)] == [None]
