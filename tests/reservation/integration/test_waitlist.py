"""The waiting list: fair order, one party at a time, and a seat that is not taken passes on."""

from datetime import datetime, timedelta

import httpx
import pytest

from services.reservation.domain.booking import SlotTaken
from services.reservation.domain.link import Purpose
from services.reservation.domain.waitlist import AlreadyWaiting, Entry, EntryState, OfferEnded
from services.reservation.handlers import bookings, moves, offers, waitlist
from services.reservation.handlers.bookings import Request
from services.reservation.handlers.moves import Target
from services.reservation.handlers.waitlist import Wish
from shared.clock import FixedClock
from shared.contracts.preparation import CardVoided, VoidReason
from shared.db import Database
from shared.ids import BookingId, CaseId
from shared.security.principal import Principal
from tests.reservation.mailbox import Mailbox, code, links, post
from tests.reservation.support import (
    FRIDAY,
    MORNING,
    PEOPLE,
    RULES,
    SITE,
    THURSDAY,
    bearer,
    case,
    citizen,
    counts,
    events_of,
    hear,
    ids,
    invite,
    make_site,
    open_site,
    tokyo,
    told,
    types,
    units,
)

NINE, TEN = tokyo(THURSDAY, 9), tokyo(THURSDAY, 10)
HOLDER, ANNA, BEN, CARA = (case(name) for name in ("holder", "anna", "ben", "cara"))
OFFERED = "waitlist.offered.v1"


@pytest.fixture
async def room(database: Database) -> Database:
    """A room with one seat at a time."""
    await open_site(database, make_site(counters=1))
    await invite(database, HOLDER, ANNA, BEN, CARA)
    return database


class City:
    """The room at one moment after another."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock

    async def book(self, *cases: CaseId, at: datetime = NINE) -> BookingId:
        """Book the cases together."""
        async with units(self.database, self.clock).begin(citizen(*cases)) as unit:
            return (await bookings.book(unit, Request(cases, SITE, at), RULES))[0].booking_id

    async def cancel(self, case_id: CaseId, booking_id: BookingId) -> None:
        """Cancel, as its citizen."""
        async with units(self.database, self.clock).begin(citizen(case_id)) as unit:
            await bookings.cancel(unit, booking_id, RULES, lambda _: None)

    async def join(self, *cases: CaseId) -> Entry:
        """Wait for any time on Thursday."""
        async with units(self.database, self.clock).begin(citizen(*cases)) as unit:
            entry = await waitlist.join(unit, Wish(cases, (SITE,), THURSDAY, THURSDAY), RULES)
        self.clock.advance(timedelta(seconds=1))
        return entry

    async def due(self) -> int:
        """Everything that is due now."""
        done = 0
        for work in (offers.lapse, offers.work(RULES), offers.end):
            while True:
                system = Principal.system("reservation")
                async with units(self.database, self.clock).begin(system) as unit:
                    some = await work(unit)
                done += some
                if not some:
                    break
        return done

    async def state(self, entry: Entry) -> EntryState:
        """Where a party stands."""
        async with units(self.database, self.clock).begin(PEOPLE["clerk"]) as unit:
            return (await waitlist.find(unit, entry.entry_id)).state

    async def accept(self, *cases: CaseId, entry: Entry) -> list[BookingId]:
        """Take what is offered."""
        async with units(self.database, self.clock).begin(citizen(*cases)) as unit:
            made = await waitlist.accept(unit, entry.entry_id, RULES)
        return [one.booking_id for one in made]

    async def sound(self) -> bool:
        """Whether counts equal rows."""
        found = await counts(self.database)
        return all(booked == accounted <= 1 for booked, accounted in found)


@pytest.fixture
def city(room: Database, clock: FixedClock) -> City:
    """The room, from nine o'clock on Wednesday."""
    return City(room, clock)


async def test_a_cancelled_seat_goes_to_who_has_waited_longest(city: City) -> None:
    booking = await city.book(HOLDER)
    first, second = await city.join(ANNA), await city.join(BEN)
    assert await city.due() == 0
    await city.cancel(HOLDER, booking)
    await city.due()
    assert types(await events_of(city.database, ANNA), "waitlist") == [OFFERED]
    assert types(await events_of(city.database, BEN), "waitlist") == []
    assert (await city.state(first), await city.state(second)) == ("offered", "waiting")

    made = await city.accept(ANNA, entry=first)
    assert await city.accept(ANNA, entry=first) == made
    assert await city.state(first) == "served"
    assert types(await events_of(city.database, ANNA), "booking") == ["booking.confirmed.v1"]
    assert await city.sound()


async def test_nobody_else_can_take_a_seat_before_it_was_offered(city: City) -> None:
    booking = await city.book(HOLDER)
    await city.join(ANNA)
    await city.cancel(HOLDER, booking)
    city.clock.advance(timedelta(seconds=59))
    with pytest.raises(SlotTaken):
        await city.book(BEN)
    await city.due()
    city.clock.advance(timedelta(minutes=30))
    with pytest.raises(SlotTaken):
        await city.book(BEN)


async def test_an_unanswered_offer_passes_on_and_then_to_everybody(city: City) -> None:
    booking = await city.book(HOLDER)
    first, second = await city.join(ANNA), await city.join(BEN)
    await city.cancel(HOLDER, booking)
    await city.due()
    city.clock.advance(RULES.offer_for)
    await city.due()
    assert (await city.state(first), await city.state(second)) == ("waiting", "offered")
    with pytest.raises(OfferEnded):
        await city.accept(ANNA, entry=first)
    city.clock.advance(RULES.offer_for)
    await city.due()
    assert (await city.state(first), await city.state(second)) == ("waiting", "waiting")
    assert types(await events_of(city.database, ANNA), "waitlist") == [OFFERED]
    city.clock.advance(RULES.return_within + timedelta(minutes=1))
    await city.book(CARA)
    assert await city.sound()


async def test_who_declines_waits_on_and_is_asked_after_those_asked_less_often(city: City) -> None:
    nine, ten = await city.book(HOLDER), await city.book(CARA, at=TEN)
    first, second = await city.join(ANNA), await city.join(BEN)
    await city.cancel(HOLDER, nine)
    await city.due()
    async with units(city.database, city.clock).begin(citizen(ANNA)) as unit:
        assert (await waitlist.decline(unit, first.entry_id, RULES)).state == "waiting"
    await city.due()
    async with units(city.database, city.clock).begin(citizen(BEN)) as unit:
        await waitlist.decline(unit, second.entry_id, RULES)
    await city.due()
    city.clock.advance(RULES.return_within + timedelta(minutes=1))
    third = await city.join(HOLDER)
    await city.cancel(CARA, ten)
    await city.due()
    states = [await city.state(one) for one in (first, second, third)]
    assert states == ["waiting", "waiting", "offered"]
    assert await city.sound()


async def test_who_withdraws_lets_the_seat_pass_on(city: City) -> None:
    booking = await city.book(HOLDER)
    first, second = await city.join(ANNA), await city.join(BEN)
    await city.cancel(HOLDER, booking)
    await city.due()
    async with units(city.database, city.clock).begin(citizen(ANNA)) as unit:
        assert (await waitlist.withdraw(unit, first.entry_id, RULES)).state == "withdrawn"
    await city.due()
    assert await city.state(second) == "offered"
    await city.join(ANNA)
    assert await city.sound()


async def test_a_party_is_offered_seats_for_all_of_it_or_none(
    database: Database, clock: FixedClock
) -> None:
    await open_site(database, make_site(counters=2))
    await invite(database, HOLDER, ANNA, BEN, CARA)
    city = City(database, clock)
    one, other = await city.book(HOLDER), await city.book(CARA)
    party = await city.join(ANNA, BEN)
    await city.cancel(HOLDER, one)
    await city.due()
    assert await city.state(party) == "waiting"
    city.clock.advance(RULES.return_within + timedelta(minutes=1))
    await city.cancel(CARA, other)
    await city.due()
    assert await city.state(party) == "offered"
    assert len(await city.accept(BEN, entry=party)) == 2
    assert all(booked == accounted for booked, accounted in await counts(database))


async def test_who_has_a_booking_is_offered_earlier_times_only_and_moved(city: City) -> None:
    booking = await city.book(HOLDER)
    own = await city.book(ANNA, at=TEN)
    entry = await city.join(ANNA)
    async with units(city.database, city.clock).begin(citizen(HOLDER)) as unit:
        await moves.move(unit, booking, Target(SITE, tokyo(THURSDAY, 11)), RULES, lambda _: None)
    await city.due()
    assert await city.accept(ANNA, entry=entry) == [own]
    told = types(await events_of(city.database, ANNA), "booking")
    assert told == ["booking.confirmed.v1", "booking.moved.v1"]
    assert await city.sound()


async def test_a_case_waits_once_and_ends_with_its_days(city: City) -> None:
    entry = await city.join(ANNA)
    with pytest.raises(AlreadyWaiting):
        await city.join(ANNA)
    city.clock.advance(tokyo(FRIDAY, 9) - MORNING)
    await city.due()
    assert await city.state(entry) == "ended"
    async with units(city.database, city.clock).begin(citizen(ANNA)) as unit:
        wish = Wish((ANNA,), (SITE,), FRIDAY, FRIDAY + timedelta(days=10))
        assert (await waitlist.join(unit, wish, RULES)).state == "waiting"


async def test_joining_reading_and_leaving_over_http(
    client: httpx.AsyncClient, room: Database
) -> None:
    body = {
        "case_ids": ids([ANNA]),
        "site_ids": [SITE],
        "first_day": "2026-04-02",
        "last_day": "2026-04-10",
    }
    joined = await client.post("/v1/waitlist", json=body, headers=bearer("clerk", once=True))
    assert joined.status_code == 201, joined.text
    path = joined.headers["Location"]
    assert (await client.get(path, headers=bearer("elsewhere"))).status_code == 403
    place = {name: value for name, value in joined.json().items() if name != "free_now"}
    assert joined.json()["free_now"] == [
        {"site_id": SITE, "starts_at": "2026-04-02T09:00:00+09:00"}
    ]
    assert (await client.get(path, headers=bearer("clerk"))).json() == place
    query: dict[str, str] = {"site_id": SITE}
    listed = await client.get("/v1/waitlist", params=query, headers=bearer("clerk"))
    assert listed.json()["items"] == [place]
    query["format"] = "csv"
    file = await client.get("/v1/waitlist", params=query, headers=bearer("clerk"))
    assert file.text.count("\n") == 2
    ended = await client.post(f"{path}:accept", headers=bearer("clerk"))
    assert ended.json()["type"] == "urn:madoguchi:problem:offer-ended"
    left = await client.post(f"{path}:withdraw", headers=bearer("clerk"))
    assert left.json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-04-10", "2026-04-02", "last_day"),
        ("2026-03-01", "2026-04-01", "last_day"),
        ("2026-07-02", "2026-07-03", "first_day"),
    ],
)
async def test_days_that_can_never_be_offered_are_refused(
    client: httpx.AsyncClient, room: Database, first: str, last: str, field: str
) -> None:
    body = {
        "case_ids": ids([ANNA]), "site_ids": [SITE], "first_day": first, "last_day": last
    }  # fmt: skip
    answer = await client.post("/v1/waitlist", json=body, headers=bearer("clerk", once=True))
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_an_offer_is_mailed_and_its_link_takes_it(
    client: httpx.AsyncClient, city: City, mailbox: Mailbox
) -> None:
    await invite(city.database, ANNA, number="7K2-481517")
    login = {"notice_number": "7K2-481517", "birth_date": "1990-02-03"}
    who = bearer((await client.post("/v1/sessions", json=login)).json()["access_token"])
    contact = f"/v1/contacts/{ANNA}"
    await client.put(contact, json={"email": "anna@mail.example", "language": "en"}, headers=who)
    await post(city.database, mailbox.gateway()).round()
    typed = {"code": code(mailbox.take())}
    assert (await client.post(f"{contact}:verify", json=typed, headers=who)).status_code == 200

    booking = await city.book(HOLDER)
    entry = await city.join(ANNA)
    await city.cancel(HOLDER, booking)
    await city.due()
    await post(city.database, mailbox.gateway()).round()
    token = links(mailbox.take())[Purpose.OFFER]
    session = await client.post("/v1/sessions:link", json={"token": token})
    path, taker = f"/v1/waitlist/{entry.entry_id}", bearer(session.json()["access_token"])
    assert (await client.get(path, headers=taker)).json()["offer"]["state"] == "open"
    taken = await client.post(f"{path}:accept", headers=taker)
    assert taken.status_code == 200, taken.text
    assert taken.json()["bookings"][0]["starts_at"] == "2026-04-02T09:00:00+09:00"


async def test_a_seat_that_an_event_frees_is_offered_too(city: City) -> None:
    await city.book(HOLDER)
    entry = await city.join(ANNA)
    event = CardVoided(case_id=HOLDER, reason=VoidReason.WITHDRAWN)
    await hear(city.database, told(event, 2, at=city.clock.now()))
    with pytest.raises(SlotTaken):
        await city.book(BEN)
    await city.due()
    assert await city.state(entry) == "offered"
    assert await city.sound()
