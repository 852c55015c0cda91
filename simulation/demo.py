"""One lot of cards through the four rooms, by their public doors alone.

Staff import the city's sites, import and prepare the lot and send the notices; every citizen logs
in, looks for a free seat and books; when the day comes, a clerk hands over the card. At the end
reporting has counted every card in its month. Business time is replayed: the story takes days.
"""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

import httpx

from shared.calendar import TOKYO, BusinessCalendar, FiscalYear
from simulation.clock import SimulatedClock, reached
from simulation.doors import Endpoints, Person, suppress_code, until
from simulation.lots import Card, draw_lot, write_csv
from simulation.places import SITE_FILES, site_ids, ward_offices, wards

CARDS = 40
Rows = Sequence[Mapping[str, object]]


class Progress(Protocol):
    """Called at each step; ``done`` of ``total`` are counts of the same unit."""

    def __call__(self, message: str, *, done: int = 0, total: int = 0) -> None: ...


@dataclass(frozen=True)
class Seat:
    """A citizen's booking."""

    case_id: str
    booking_id: str
    site_id: str
    starts_at: datetime


@dataclass
class Story:
    """What the demo knows so far."""

    endpoints: Endpoints
    http: httpx.AsyncClient
    clock: SimulatedClock
    progress: Progress
    calendar: BusinessCalendar = field(default_factory=BusinessCalendar)

    def staff(self, *roles: str, sites: Sequence[str] = ("*",)) -> Person:
        """Somebody with a token of these roles at these sites."""
        token = self.endpoints.token(roles, sites)
        return Person(self.http, self.endpoints.apis, token)

    @property
    def anybody(self) -> Person:
        """Somebody without a token."""
        return Person(self.http, self.endpoints.apis)

    async def move_to(self, at: datetime) -> None:
        """Let business time be ``at`` (or later, where it is already) in every room."""
        await self.clock.advance(at)
        await reached(self.http, self.endpoints.apis.values(), self.clock.now)


async def run(endpoints: Endpoints, progress: Progress) -> Rows:
    """Play the story once; the month's table as reporting gives it.

    Raises ``RefusedError`` when a room refuses, ``TimeoutError`` when news does not arrive.
    """
    async with httpx.AsyncClient(timeout=60) as http, SimulatedClock(endpoints.settings) as clock:
        story = Story(endpoints, http, clock, progress)
        morning = _next_morning(story)
        await story.move_to(morning)
        counted_before = await _completed(story, morning, morning)
        await _open_sites(story)
        cards = draw_lot(f"DEMO-{morning:%Y%m%d}", CARDS, morning.astimezone(TOKYO).date())
        notices = await _prepare(story, cards)
        seats = await _book(story, cards, notices)
        await _hand_over(story, seats)
        return await _table(story, morning, counted_before + len(seats))


async def live(endpoints: Endpoints) -> None:
    """Let business time pass as it does outside, until cancelled."""
    async with SimulatedClock(endpoints.settings) as clock:
        await clock.run()


def _next_morning(story: Story) -> datetime:
    """Nine o'clock of the first business day that has not begun in any room."""
    last = max(story.clock.now, datetime.now(UTC) - timedelta(days=1))
    day = story.calendar.next_business_day(last.astimezone(TOKYO).date())
    return datetime.combine(day, time(9), TOKYO)


async def _open_sites(story: Story) -> None:
    """Import the city's sites and their calendars, then open each; what is there already stays.

    A temporary window whose period is over by now stays closed.
    """
    planner = story.staff("planner")
    for table, path in SITE_FILES.items():
        story.progress(f"Importing {path.name}")
        file = path.read_bytes()
        await planner.upload("reservation", f"/v1/sites:import?table={table}", file)
    found = site_ids()
    for number, site_id in enumerate(found, start=1):
        story.progress("Opening the sites", done=number, total=len(found))
        with suppress_code("site-not-openable"):
            await planner.post("reservation", f"/v1/sites/{site_id}:open")


async def _prepare(story: Story, cards: Sequence[Card]) -> Mapping[str, str]:
    """Import, inspect, check, preset, shelve and notify; notice numbers by card reference."""
    office = story.staff("back_office")
    story.progress("Importing the lot")
    imported = await office.upload("preparation", "/v1/lots", write_csv(cards))
    cases = [result["case_id"] for result in imported["results"]]
    first, lot = cases[0], {"lot_id": cards[0].lot}
    for stage in ("inspected", "registry_checked", "preset"):
        story.progress(f"Preparing the cards: {stage}")
        # The first by itself, the rest in bulk: both ways are open.
        await office.post("preparation", f"/v1/cards/{first}/stages/{stage}")
        await office.post("preparation", f"/v1/stages/{stage}", lot)
    homes = {place.ward: place.id for place in ward_offices()}
    for ward in sorted({card.ward for card in cards}):
        chosen = [case for case, card in zip(cases, cards, strict=True) if card.ward == ward]
        await _shelve(office, {"case_ids": chosen, "site_id": homes[ward], "shelf": "A"})
    batch = await office.post("preparation", "/v1/notices", lot)
    printed = await office.text("preparation", f"/v1/notices/{batch['batch_id']}/print-file")
    rows = csv.DictReader(io.StringIO(printed))
    return {row["card_reference"]: row["notice_number"] for row in rows}


async def _shelve(office: Person, wanted: Mapping[str, Any]) -> None:
    async def shelve() -> Any:
        return await office.post("preparation", "/v1/stages/shelved", wanted)

    await until(shelve, "the site's arrival at preparation", refused={422})


async def _book(story: Story, cards: Sequence[Card], notices: Mapping[str, str]) -> Sequence[Seat]:
    seats = []
    for number, card in enumerate(cards, start=1):
        story.progress("Citizens book", done=number, total=len(cards))
        seats.append(await _book_one(story, card, notices[card.card_reference]))
    return seats


async def _book_one(story: Story, card: Card, notice_number: str) -> Seat:
    login = {"notice_number": notice_number, "birth_date": card.birth_date.isoformat()}

    async def log_in() -> Any:
        return await story.anybody.post("reservation", "/v1/sessions", login)

    session = await until(log_in, "the notice's arrival at reservation", refused={401})
    citizen = story.anybody.with_token(session["access_token"])
    case = session["cases"][0]
    first = date.fromisoformat(case["bookable_from"])
    found = await citizen.get(
        "reservation",
        "/v1/availability",
        procedure=case["procedure"],
        ward=case["ward"],
        site_id=case["site_id"],
        **{"from": first.isoformat(), "to": (first + timedelta(days=14)).isoformat()},
    )
    start = found["sites"][0]["days"][0]["starts"][0]["starts_at"]
    wish = {"case_ids": [case["case_id"]], "site_id": case["site_id"], "starts_at": start}
    party = await citizen.post("reservation", "/v1/bookings", wish)
    return Seat(
        case_id=case["case_id"],
        booking_id=party["bookings"][0]["booking_id"],
        site_id=case["site_id"],
        starts_at=datetime.fromisoformat(start),
    )


async def _hand_over(story: Story, seats: Sequence[Seat]) -> None:
    in_order = sorted(seats, key=lambda seat: seat.starts_at)
    for number, seat in enumerate(in_order, start=1):
        story.progress("Clerks hand over the cards", done=number, total=len(seats))
        await story.move_to(seat.starts_at)
        await _serve(story, seat)


async def _serve(story: Story, seat: Seat) -> None:
    clerk = story.staff("clerk", sites=[seat.site_id])

    async def check_in() -> Any:
        who = {"site_id": seat.site_id, "booking_id": seat.booking_id}
        return await clerk.post("issuance", "/v1/visits", who)

    # 404 before the booking has come, 409 before the card's place has.
    visit = await until(check_in, "the booking's arrival at issuance", refused={404, 409})
    path = f"/v1/visits/{visit['visit_id']}"
    case = f"{path}/cases/{seat.case_id}"
    await clerk.post("issuance", f"{path}:call", {"counter": "1"})
    documents = [{"class": "A", "type": "drivers_licence"}]
    await clerk.post("issuance", f"{case}/identity", {"documents": documents})
    await clerk.post("issuance", f"{case}/pin-set", {"confirmed": True})
    await clerk.post("issuance", f"{case}/issue")


async def _table(story: Story, since: datetime, expected: int) -> Rows:
    """A line per month, ward and procedure once everything has been counted, and their sum: of the
    fiscal year in which the story began, and of the next where it ends there.
    """
    story.progress("Reporting counts")

    async def counted() -> bool | None:
        return await _completed(story, since, story.clock.now) >= expected or None

    await until(counted, f"the count of {expected} cards at reporting")
    names = {ward.code: ward.name for ward in wards()}
    lines: Counter[tuple[str, str, str]] = Counter()
    for row in await _cells(story, since, story.clock.now):
        lines[row["month"], names.get(row["ward"], row["ward"]), row["procedure"]] += row[
            "completed"
        ]
    table = [
        {"month": month, "ward": ward, "procedure": procedure, "completed": count}
        for (month, ward, procedure), count in sorted(lines.items())
    ]
    return [*table, {"month": "", "ward": "", "procedure": "sum", "completed": lines.total()}]


async def _completed(story: Story, since: datetime, until: datetime) -> int:
    return sum(row["completed"] for row in await _cells(story, since, until))


async def _cells(story: Story, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
    first, last = (FiscalYear.of(at.astimezone(TOKYO).date()).first.year for at in (since, until))
    planner = story.staff("planner")
    reports = [
        await planner.get("reporting", "/v1/reports/monthly", fiscal_year=year, layout="long")
        for year in range(first, last + 1)
    ]
    return [row for report in reports for row in report["rows"]]
