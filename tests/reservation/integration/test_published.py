"""Told as free is what a citizen may book: no share of others, nothing that is suspended."""

import json
from datetime import time, timedelta

import pytest

from services.reservation.domain.national_system import Policy
from services.reservation.domain.site_rules import Overrides
from services.reservation.handlers import ruling, sites, suspensions
from services.reservation.handlers.sites import Displaced
from services.reservation.handlers.suspensions import Order
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Weekday
from shared.contracts.site import SuspensionReason
from shared.db import Database
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    WARD,
    make_site,
    open_site,
    tokyo,
    units,
)

CARDS = Procedure.CARD_ISSUANCE


async def told(database: Database) -> dict[str, tuple[int, int]]:
    """Free and total seats for cards by day, as told last."""
    async with database.reader() as conn:
        data = await conn.fetchval(
            """
            SELECT data FROM outbox WHERE type = 'capacity.published.v1'
                AND convert_from(data, 'utf8')::jsonb ->> 'procedure' = 'card_issuance'
            ORDER BY xid DESC, pos DESC LIMIT 1
            """
        )
    days = json.loads(data)["days"]
    return {day["business_date"]: (day["free"], day["total"]) for day in days}


async def decide(database: Database, own: Overrides) -> None:
    """What the site decides for cards."""
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await ruling.put(unit, SITE, CARDS, own, lambda _: None, rules=RULES)


async def test_seats_kept_for_others_are_not_told_as_free(database: Database) -> None:
    await open_site(database)
    assert (await told(database))[str(FRIDAY)] == (18, 18)
    await decide(database, Overrides(kept_call_centre=1, call_centre_released_days=1))
    found = await told(database)
    assert (found[str(THURSDAY)], found[str(FRIDAY)]) == ((18, 18), (9, 18))
    await decide(database, Overrides(kept_call_centre=1, kept_walk_in=1))
    assert (await told(database))[str(FRIDAY + timedelta(days=7))] == (0, 18)
    await decide(database, Overrides())
    assert (await told(database))[str(FRIDAY)] == (18, 18)


async def test_what_is_suspended_is_not_told_as_free_until_it_is_over(database: Database) -> None:
    await open_site(database)
    order = Order(
        (SITE,), frozenset({CARDS}), MORNING, tokyo(THURSDAY, 10), SuspensionReason.OUTAGE,
        Policy.KEEP,
    )  # fmt: skip
    async with units(database).begin(PEOPLE["planner"]) as unit:
        (one,) = await suspensions.suspend(unit, order, RULES)
    found = await told(database)
    assert (found[str(THURSDAY)], found[str(FRIDAY)]) == ((12, 18), (18, 18))
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await suspensions.resume(unit, one.suspension_id, None, RULES)
    assert (await told(database))[str(THURSDAY)] == (18, 18)


@pytest.mark.parametrize("policy", list(Displaced))
async def test_what_a_site_no_longer_accepts_is_told_as_no_seats(
    database: Database, policy: Displaced
) -> None:
    site = await open_site(database)
    before = await told(database)
    renewals = Acceptance(procedure=Procedure.CERTIFICATE_RENEWAL, wards=(WARD,))
    other = site.model_copy(update={"acceptance": (renewals,)})
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, other, RULES, lambda _: None, policy=policy)
    assert await told(database) == dict.fromkeys(before, (0, 0))


async def test_a_weekday_that_is_closed_now_is_told_as_no_seats(database: Database) -> None:
    site = await open_site(database)
    before = await told(database)
    hours = tuple(one for one in site.hours if one.weekday is not Weekday.THURSDAY)
    async with units(database).begin(PEOPLE["planner"]) as unit:
        await sites.put(unit, site.model_copy(update={"hours": hours}), RULES, lambda _: None)
    found = await told(database)
    assert set(found) == set(before)
    assert (found[str(THURSDAY)], found[str(FRIDAY)]) == ((0, 0), (18, 18))


async def test_no_seat_lies_behind_the_evening_stop(database: Database) -> None:
    late = OpeningHours(weekday=Weekday.THURSDAY, opens=time(19), closes=time(21))
    await open_site(database, make_site(hours=(late,), counters=1))
    assert (await told(database))[str(THURSDAY)] == (3, 6)
