"""The counters: who comes is served, most in bulk, some step by step; the others were missed.

A site signs its day off in the evening; only then is it told who did not come. In bulk a visit is
told when it is over, with the moments at which it was. A family is one visit; of whom issuance has
not heard yet that they come with it, it is told afterwards.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from simulation.doors import Person, suppress_code
from simulation.replay.agenda import Turn, together
from simulation.replay.cases import Case, End
from simulation.replay.crew import Crew, NotTakenError
from simulation.replay.proxies import come_for, states_of
from simulation.replay.told import CERTIFICATES, DOCUMENTS, REASONS, Party, moments, over, who

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
_STEPS: Final[Mapping[str, Mapping[str, object]]] = {
    "identity": {"documents": DOCUMENTS},
    "pin-set": {"confirmed": True},
}


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

    async def serve(self, parties: Sequence[Party]) -> None:
        """Serve those who come step by step, as their time comes."""
        await self._crew.each(_lanes(parties), self._lane)
        self._ended(parties)

    async def serve_in_bulk(self, parties: Sequence[Party]) -> None:
        """Tell the visits of a day that are over."""
        rows = over(parties, self._crew.ledger.bookings)
        late: list[Turn] = []
        for start in range(0, len(rows), _MOST):
            some = slice(start, start + _MOST)
            late += await self._batch("visits", parties[some], rows[some])
        alone = [[turn] for turn in late]
        if alone:
            await self._batch("late", alone, over(alone, self._crew.ledger.bookings))
        self._ended(parties)

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

    async def _batch(
        self, name: str, parties: Sequence[Party], rows: Sequence[Mapping[str, object]]
    ) -> list[Turn]:
        """Tell these visits; who of a family was not among those served."""
        clerk, first = self._crew.staff("clerk"), parties[0][0]
        key = self._crew.ledger.key(name, first.appointment.seat.day, first.case.key, len(rows))

        async def send() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = await clerk.post(
                _ROOM, "/v1/visits:batch", {"rows": rows}, key
            )
            return answer

        results = await self._crew.rows(send, waits=lambda one: _code(one) in _ON_ITS_WAY)
        late = []
        for party, result in zip(parties, results, strict=True):
            if (code := _code(result)) is not None:
                raise NotTakenError(f"a visit: {code}")
            if len(party) > 1:
                came = _came(result["body"])
                late += [turn for turn in party if self._id(turn) not in came]
        return late

    def _ended(self, parties: Sequence[Party]) -> None:
        ledger = self._crew.ledger
        for party in parties:
            if party[0].appointment.end is not End.SERVED:
                continue
            if len(party) > 1:
                ledger.sums.count("families served together", 1)
            for turn in party:
                self.served += 1
                ledger.over(turn.case.key)

    def _id(self, turn: Turn) -> str:
        return self._crew.ledger.cases[turn.case.key]

    async def serve_at(self, counter: str, party: Party) -> None:
        """Serve one party at a counter."""
        await self._serve(counter, party)
        self._ended([party])

    async def _lane(self, lane: tuple[str, Sequence[Party]]) -> None:
        counter, parties = lane
        for party in parties:
            await self._serve(counter, party)

    async def _serve(self, counter: str, party: Party) -> None:
        clerk = self._crew.staff("clerk")
        visit = await self._arrives(clerk, party[0])
        # Such a one was over before the replay was cut off.
        with suppress_code("visit-ended"):
            await self._attend(clerk, counter, f"/v1/visits/{visit['visit_id']}", party)
        if len(party) > 1:
            came = _came(visit)
            for turn in party:
                if self._id(turn) not in came:
                    await self._serve(counter, [turn])

    async def _attend(self, clerk: Person, counter: str, path: str, party: Party) -> None:
        """Call those of a visit to the counter, and do what each of them came for."""
        first = party[0]
        _, called_at, ended_at = moments(first)
        await self._pace(called_at - first.appointment.seat.starts_at)
        called = await clerk.step(_ROOM, f"{path}:call", {"counter": counter})
        await self._pace(ended_at - called_at)
        if len(party) == 1:
            await self._one(clerk, first, path, called["cases"][0])
            return
        came = {case["case_id"]: case for case in called["cases"]}
        for turn in party:
            if (case := came.get(self._id(turn))) is not None:
                await self._one(clerk, turn, path, case)

    async def _one(self, clerk: Person, turn: Turn, path: str, case: Mapping[str, Any]) -> None:
        """What is done for one case of a visit; ``case`` as it was called."""
        at = f"{path}/cases/{case['case_id']}"
        step = case["next_step"]
        if (proxy := come_for(turn)) is not None:
            step = _next(await clerk.step(_ROOM, f"{at}/proxy", proxy), at)
        if (states := states_of(turn)) is not None:
            await clerk.step(_ROOM, f"{at}/certificates", states)
        if turn.appointment.end is End.LETTER:
            await clerk.post(_ROOM, f"{at}/inquiry-letter")
        elif (reason := REASONS.get(turn.appointment.end)) is not None:
            await clerk.post(_ROOM, f"{at}/defer", {"reason": reason})
        else:
            await self._finish(clerk, at, step, self._crew.ledger.key("end", turn.case.key))

    async def _arrives(self, clerk: Person, turn: Turn) -> Mapping[str, Any]:
        """The visit of a party that is checked in, or that draws a ticket."""
        door, comes = "/v1/visits", who(turn, self._crew.ledger.bookings)
        if turn.case.walk_in:
            door, comes = "/v1/tickets", {**comes, "purpose": "certificate_renewal"}
        comes["site_id"] = turn.appointment.seat.site_id
        key = self._crew.ledger.key("visit", turn.case.key, turn.number)
        visit: Mapping[str, Any] = await self._crew.patiently(
            lambda: clerk.post(_ROOM, door, comes, key), *_ON_ITS_WAY
        )
        return visit

    async def _finish(self, clerk: Person, at: str, step: str | None, key: str) -> None:
        """Do what the room names as the next step until nothing is left."""
        while step is not None:
            if step == "issue":
                visit = await clerk.post(_ROOM, f"{at}/issue", {}, key)
            elif step == "renew":
                body = {"certificates": CERTIFICATES}
                visit = await clerk.post(_ROOM, f"{at}/renew", body, key)
            elif step in _STEPS:
                visit = await clerk.step(_ROOM, f"{at}/{step}", _STEPS[step])
            else:
                raise NotTakenError(f"a step that no clerk here knows: {step}")
            step = _next(visit, at)


def who_come(turns: Sequence[Turn], *, stepwise: bool) -> list[list[Turn]]:
    """The parties that do not miss their visit, and are served in this way."""
    return together(
        turn
        for turn in turns
        if turn.case.stepwise is stepwise and turn.appointment.end is not End.MISSED
    )


def _came(visit: Mapping[str, Any]) -> set[str]:
    """The cases of a family's visit.

    Raises ``NotTakenError`` where one was refused at the door: with its visit its booking is used
    up, so nobody would serve it and the count would be waited for in vain.
    """
    for case in visit["cases"]:
        if case["state"] == "deferred":
            raise NotTakenError(f"one of a family: {case['reason']}")
    return {case["case_id"] for case in visit["cases"]}


def _next(visit: Mapping[str, Any], at: str) -> str | None:
    """The next step of the case whose address ends like ``at``."""
    steps: dict[str, str | None] = {one["case_id"]: one["next_step"] for one in visit["cases"]}
    return steps[at.rpartition("/")[2]]


def _lanes(parties: Sequence[Party]) -> list[tuple[str, list[Party]]]:
    """Who is served one after another, by site and counter; nobody waits for a long one alone."""
    lanes: dict[tuple[str, int], list[Party]] = defaultdict(list)
    for number, party in enumerate(parties):
        lanes[party[0].appointment.seat.site_id, number % _LANES].append(party)
    longest_first = sorted(lanes.items(), key=lambda one: (-len(one[1]), one[0]))
    return [(f"R{lane}", each) for (_, lane), each in longest_first]


def _code(result: Mapping[str, Any]) -> str | None:
    problem = result["problem"]
    return None if problem is None else str(problem["type"]).rpartition(":")[2]
