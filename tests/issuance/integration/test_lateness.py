"""A site may be more patient than the city, or less; the newest word of it holds."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from shared.clock import FixedClock
from shared.contracts.base import Procedure
from shared.contracts.site import Lateness, SiteChanged, SiteOpened, SiteSnapshot
from tests.contracts.samples import SITE
from tests.issuance.support import CARD, OFFICE, RENEWAL, City, Clerk, ok, refused

HERE = SITE.model_copy(update={"site_id": OFFICE})


def patient(**minutes: int) -> tuple[Lateness, ...]:
    return tuple(Lateness(procedure=Procedure(name), minutes=n) for name, n in minutes.items())


NEWS: Sequence[SiteSnapshot] = (
    SiteOpened(site=HERE, lateness=patient(card_issuance=45)),
    SiteChanged(site=HERE, lateness=patient(certificate_renewal=5)),
    SiteChanged(site=HERE, lateness=patient(card_issuance=30)),
)


@pytest.mark.parametrize(("minutes", "arrival"), [(30, "booked"), (31, "late")])
async def test_the_site_s_own_grace_holds(
    city: City, clerk: Clerk, clock: FixedClock, minutes: int, arrival: str
) -> None:
    await city.hear(*NEWS)
    booking = await city.booking(await city.card())
    clock.set(booking.starts_at + timedelta(minutes=minutes))
    assert ok(await clerk.check_in(booking_id=booking.booking_id))["arrival"] == arrival


async def test_of_another_procedure_the_city_s_rule_holds(
    city: City, clerk: Clerk, clock: FixedClock
) -> None:
    await city.hear(SiteOpened(site=HERE, lateness=patient(**{RENEWAL: 30})))
    booking = await city.booking(await city.card(), procedure=CARD)
    clock.set(booking.starts_at + timedelta(minutes=11))
    assert ok(await clerk.check_in(booking_id=booking.booking_id))["arrival"] == "late"


async def test_nobody_is_missed_who_may_still_come(
    city: City, supervisor: Clerk, clock: FixedClock
) -> None:
    await city.hear(*NEWS)
    booking = await city.booking(await city.card())
    clock.set(booking.starts_at + timedelta(minutes=30))
    told = refused(await supervisor.post(f"/v1/sites/{OFFICE}/day:sign-off"), "day-not-over")
    assert told["possible_from"] == (booking.starts_at + timedelta(minutes=30)).isoformat()


@pytest.mark.parametrize("order", list(permutations(range(len(NEWS)))))
async def test_any_order_and_any_repetition_end_with_the_newest(
    city: City, order: Sequence[int]
) -> None:
    records = [city.record(event) for event in NEWS]
    for number in (*order, *order):
        await city.hear_records([records[number]])
    async with city.database.reader() as conn:
        rows = await conn.fetch("SELECT site_id, minutes::text FROM site_lateness")
    assert [tuple(row) for row in rows] == [(OFFICE, '{"card_issuance": 30}')]
