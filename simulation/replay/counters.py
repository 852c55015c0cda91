"""The counters: who comes is served, most in bulk, some step by step; the others were missed.

A site signs its day off in the evening; only then is it told who did not come. In bulk a visit is
told when it is over, with the moments at which it was: none overlaps another at its counter.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from shared.contracts.base import Procedure
from simulation.doors import Person, suppress_code
from simulation.replay.agenda import Turn
from simulation.replay.cases import Case, End
from simulation.replay.crew import Crew, NotTakenError
from simulation.replay.proxies import come_for, states_of

_ROOM: Final = "issuance"
_MOST: Final = 1000
_ON_ITS_WAY: Final = frozenset(
    {"booking-not-known", "booking-elsewhere", "booking-not-active", "case-not-known"}
    | {"card-not-ready", "card-not-here", "card-held", "not-notified"}
)
"""What is refused until news has come from another room."""
_DAYS: Final = 5
"""Days that are signed off one after another; others meanwhile, for each waits for the disk."""
_LANES: Final = 3
"""Counters of a site at which somebody is served step by step at the same time."""
_DOCUMENTS: Final = [{"class": "A", "type": "drivers_licence"}]
_CERTIFICATES: Final = ["signing", "user_authentication"]
_STEPS: Final[Mapping[str, Mapping[str, object]]] = {
    "identity": {"documents": _DOCUMENTS},
    "pin-set": {"confirmed": True},
}
_REASONS: Final = {End.DEFERRED: "documents_missing", End.LETTER: "inquiry_letter"}


async def _at_once(_: timedelta) -> None:
    """Nobody waits."""


Pace = Callable[[timedelta], Awaitable[None]]
"""Returns when so much business time has passed."""


class Counters:
    """Does a day's visits."""

    def __init__(self, crew: Crew, pace: Pace = _at_once) -> None:
        self._crew = crew
        self._pace = pace
        self.served = 0
        """Cases completed so far."""

    async def serve(self, turns: Sequence[Turn]) -> None:
        """Serve those who come step by step, as their time comes."""
        await self._crew.each(_lanes(turns), self._lane)
        self._ended(turns)

    async def serve_in_bulk(self, turns: Sequence[Turn]) -> None:
        """Tell the visits of a day that are over."""
        rows = _over(turns, self._crew.ledger.bookings)
        for start in range(0, len(rows), _MOST):
            await self._batch(turns[start], rows[start : start + _MOST])
        self._ended(turns)

    async def mail(self, cases: Sequence[Case]) -> None:
        """Mail the inquiry letters that were asked for at a counter."""
        await self._crew.each(cases, self._mail)

    async def _mail(self, case: Case) -> None:
        clerk, case_id = self._crew.staff("clerk"), self._crew.ledger.cases[case.key]
        await clerk.post(_ROOM, f"/v1/inquiry-letters/{case_id}:mailed")

    async def sign_off(self, sites: Sequence[str], day: date) -> None:
        """Close the day; cards that went to a counter in vain lie on their shelf again.

        Raises ``NotTakenError`` where a site cannot close it.
        """
        parts = [sites[start : start + _DAYS] for start in range(0, len(sites), _DAYS)]
        await self._crew.each(parts, lambda part: self._close(part, day))

    async def _close(self, sites: Sequence[str], day: date) -> None:
        rows = [
            {"site_id": site_id, "date": day.isoformat(), "all_back": True} for site_id in sites
        ]
        key = self._crew.ledger.key("sign-off", day, sites[0])
        boss = self._crew.staff("supervisor")
        answer = await boss.post(_ROOM, "/v1/days:sign-off", {"rows": rows}, key)
        for row, result in zip(rows, answer["results"], strict=True):
            if (code := _code(result)) is not None:
                raise NotTakenError(f"the sign-off of {row['site_id']} on {day}: {code}")

    async def _batch(self, first: Turn, rows: Sequence[Mapping[str, object]]) -> None:
        clerk = self._crew.staff("clerk")
        key = self._crew.ledger.key("visits", first.appointment.seat.day, first.case.key, len(rows))

        async def send() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = await clerk.post(
                _ROOM, "/v1/visits:batch", {"rows": rows}, key
            )
            return answer

        results = await self._crew.rows(send, waits=lambda one: _code(one) in _ON_ITS_WAY)
        for result in results:
            if (code := _code(result)) is not None:
                raise NotTakenError(f"a visit: {code}")

    def _ended(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            if turn.appointment.end is End.SERVED:
                self.served += 1
                self._crew.ledger.over(turn.case.key)

    async def serve_at(self, counter: str, turn: Turn) -> None:
        """Serve one party at a counter."""
        await self._serve(counter, turn)
        self._ended([turn])

    async def _lane(self, lane: tuple[str, Sequence[Turn]]) -> None:
        counter, turns = lane
        for turn in turns:
            # Such a one was served before the replay was cut off.
            with suppress_code("visit-ended"):
                await self._serve(counter, turn)

    async def _serve(self, counter: str, turn: Turn) -> None:
        clerk, ledger, case = self._crew.staff("clerk"), self._crew.ledger, turn.case
        visit = await self._arrives(clerk, turn)
        path = f"/v1/visits/{visit['visit_id']}"
        _, called_at, ended_at = _moments(turn)
        await self._pace(called_at - turn.appointment.seat.starts_at)
        called = await clerk.step(_ROOM, f"{path}:call", {"counter": counter})
        await self._pace(ended_at - called_at)
        at = f"{path}/cases/{visit['cases'][0]['case_id']}"
        if (proxy := come_for(turn)) is not None:
            called = await clerk.step(_ROOM, f"{at}/proxy", proxy)
        if (states := states_of(turn)) is not None:
            await clerk.step(_ROOM, f"{at}/certificates", states)
        if turn.appointment.end is End.LETTER:
            await clerk.post(_ROOM, f"{at}/inquiry-letter")
        elif (reason := _REASONS.get(turn.appointment.end)) is not None:
            await clerk.post(_ROOM, f"{at}/defer", {"reason": reason})
        else:
            await self._finish(clerk, at, called, ledger.key("end", case.key))

    async def _arrives(self, clerk: Person, turn: Turn) -> Mapping[str, Any]:
        """The visit of a party that is checked in, or that draws a ticket."""
        door, who = "/v1/visits", _who(turn, self._crew.ledger.bookings)
        if turn.case.walk_in:
            door, who = "/v1/tickets", {**who, "purpose": "certificate_renewal"}
        who["site_id"] = turn.appointment.seat.site_id
        key = self._crew.ledger.key("visit", turn.case.key, turn.number)
        visit: Mapping[str, Any] = await self._crew.patiently(
            lambda: clerk.post(_ROOM, door, who, key), *_ON_ITS_WAY
        )
        return visit

    async def _finish(self, clerk: Person, at: str, visit: Mapping[str, Any], key: str) -> None:
        """Do what the room names as the next step until nothing is left."""
        while (step := visit["cases"][0]["next_step"]) is not None:
            if step == "issue":
                visit = await clerk.post(_ROOM, f"{at}/issue", {}, key)
            elif step == "renew":
                body = {"certificates": _CERTIFICATES}
                visit = await clerk.post(_ROOM, f"{at}/renew", body, key)
            elif step in _STEPS:
                visit = await clerk.step(_ROOM, f"{at}/{step}", _STEPS[step])
            else:
                raise NotTakenError(f"a step that no clerk here knows: {step}")


def who_come(turns: Sequence[Turn], *, stepwise: bool) -> list[Turn]:
    """Those who do not miss their visit, and are served in this way."""
    return [
        turn
        for turn in turns
        if turn.case.stepwise is stepwise and turn.appointment.end is not End.MISSED
    ]


def _lanes(turns: Sequence[Turn]) -> list[tuple[str, list[Turn]]]:
    """Who is served one after another, by site and counter; nobody waits for a long one alone."""
    lanes: dict[tuple[str, int], list[Turn]] = defaultdict(list)
    for number, turn in enumerate(turns):
        lanes[turn.appointment.seat.site_id, number % _LANES].append(turn)
    longest_first = sorted(lanes.items(), key=lambda one: (-len(one[1]), one[0]))
    return [(f"R{lane}", each) for (_, lane), each in longest_first]


def _over(turns: Sequence[Turn], bookings: Mapping[str, str]) -> list[Mapping[str, object]]:
    """The visits as they were: each at a counter of its own of those that begin together."""
    counters: Counter[tuple[str, int]] = Counter()
    rows = []
    for turn in turns:
        seat = turn.appointment.seat
        counters[seat.site_id, seat.minute] += 1
        counter = counters[seat.site_id, seat.minute]
        rows.append(_row(turn, _who(turn, bookings), str(counter)))
    return rows


def _who(turn: Turn, bookings: Mapping[str, str]) -> dict[str, str]:
    """Who comes: a booked party, or somebody of a ward."""
    if turn.case.walk_in:
        return {"ward": turn.case.ward}
    return {"booking_id": bookings[turn.case.key]}


def _row(turn: Turn, who: Mapping[str, str], counter: str) -> Mapping[str, object]:
    came, called, ended = _moments(turn)
    row: dict[str, object] = {
        "verb": "serve",
        "site_id": turn.appointment.seat.site_id,
        **who,
        "checked_in_at": came.isoformat(),
        "called_at": called.isoformat(),
        "ended_at": ended.isoformat(),
        "counter": counter,
    }
    if (proxy := come_for(turn)) is not None:
        row["proxy"] = proxy
    if (states := states_of(turn)) is not None:
        row["states"] = states
    if (reason := _REASONS.get(turn.appointment.end)) is not None:
        return row | {"outcome": "deferred", "reason": reason}
    if turn.case.procedure is Procedure.CARD_ISSUANCE:
        return row | {"documents": _DOCUMENTS, "pin_set": True}
    return row | {"pin_set": True, "certificates": _CERTIFICATES}


def _moments(turn: Turn) -> tuple[datetime, datetime, datetime]:
    """When the party came, was called and left: early by up to ten minutes, called within four,
    and gone before the next are called.
    """
    drawn, starts = zlib.crc32(turn.case.key.encode()), turn.appointment.seat.starts_at
    came = starts - timedelta(seconds=drawn % 601)
    called = starts + timedelta(seconds=drawn // 601 % 241)
    return came, called, called + timedelta(seconds=540 + drawn // 145_000 % 361)


def _code(result: Mapping[str, Any]) -> str | None:
    problem = result["problem"]
    return None if problem is None else str(problem["type"]).rpartition(":")[2]
