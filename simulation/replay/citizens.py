"""Citizens book, move and cancel: most through the city's bulk door, some step by step themselves.

Who goes step by step logs in with the number on the notice, looks for free seats, holds one and
confirms; a family with one notice after another. For a certificate renewal the call centre does so.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from simulation.doors import Person, RefusedError
from simulation.replay.agenda import Day, Turn, together
from simulation.replay.callers import address, opened, renewal
from simulation.replay.cases import Case, Seat
from simulation.replay.crew import Crew, NotTakenError, side_by_side
from simulation.replay.waiting import WaitingList

_ROOM = "reservation"
_MOST = 1000
_ON_ITS_WAY = frozenset(
    {"not-invited-yet", "case-held", "case-busy", "already-booked", "too-soon-after-miss"}
)
"""What is refused until news has come from another room, or a colleague is done."""
_LOGIN = "login-refused"
_GONE = frozenset({"slot-taken", "no-such-slot"})
_LOOKS = 2
"""How often who finds a seat gone looks for another."""


class Citizens:
    """Does a day's bookings."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._waiting = WaitingList(crew)

    async def day(self, day: Day) -> None:
        """Everything that reservation is told on ``day``."""
        places = await self._waiting.join(day.waits)
        await side_by_side(self._in_bulk(day), self._step_by_step(day))
        await self._waiting.take(places)

    async def _in_bulk(self, day: Day) -> None:
        # Who cancels books anew on the same day.
        for verb, turns in ("cancel", day.cancels), ("move", day.moves), ("book", day.books):
            await self._bulk(day, verb, [turn for turn in turns if not turn.case.stepwise])

    async def _step_by_step(self, day: Day) -> None:
        for turns, work in (
            (day.cancels, self._cancel),
            (day.moves, self._move),
            (day.books, self._book),
        ):
            mine = together(turn for turn in turns if turn.case.stepwise)
            await self._crew.each(mine, work)

    async def _bulk(self, day: Day, verb: str, turns: Sequence[Turn]) -> None:
        parties = together(turns)
        for start in range(0, len(parties), _MOST):
            await self._batch(f"{day.day}|{verb}|{start}", verb, parties[start : start + _MOST])

    async def _batch(self, name: str, verb: str, parties: Sequence[Sequence[Turn]]) -> None:
        crew = self._crew
        rows = [self._row(verb, party) for party in parties]
        key = crew.ledger.key(name)

        async def send() -> Mapping[str, Any]:
            clerk = crew.staff("clerk")
            answer: Mapping[str, Any] = await clerk.post(
                _ROOM, "/v1/bookings:batch", {"rows": rows}, key
            )
            return answer

        results = await crew.rows(send, waits=lambda one: one["code"] in _ON_ITS_WAY)
        for party, result in zip(parties, results, strict=True):
            if result["code"] is not None:
                raise NotTakenError(f"{verb} {party[0].case.key}: {result['code']}")
            if len(party) > 1:
                self._booked(party, result["body"])
            else:
                self._note(party[0].case, result["case_id"], result["booking_id"])

    def _row(self, verb: str, party: Sequence[Turn]) -> Mapping[str, object]:
        ledger, case = self._crew.ledger, party[0].case
        if verb == "cancel":
            return {"verb": verb, "booking_id": ledger.bookings[case.key]}
        seat = _seat(party[0].appointment.seat)
        if verb == "move":
            return {"verb": verb, "booking_id": ledger.bookings[case.key], **seat}
        if case.key in ledger.cases:
            return {"verb": "book", "case_ids": self._ids(party), **seat}
        return {"verb": "renew", **renewal(case), **seat}

    def _ids(self, party: Sequence[Turn]) -> list[str]:
        return [self._crew.ledger.cases[turn.case.key] for turn in party]

    def _note(self, case: Case, case_id: str, booking_id: str) -> None:
        self._crew.ledger.note("cases", case.key, case_id)
        self._crew.ledger.note("bookings", case.key, booking_id)

    async def _cancel(self, party: Sequence[Turn]) -> None:
        path = f"/v1/bookings/{self._crew.ledger.bookings[party[0].case.key]}:cancel"
        await self._crew.staff("clerk").post(_ROOM, path)

    async def _move(self, party: Sequence[Turn]) -> None:
        path = f"/v1/bookings/{self._crew.ledger.bookings[party[0].case.key]}:move"
        seat = _seat(party[0].appointment.seat)
        self._booked(party, await self._crew.staff("clerk").post(_ROOM, path, seat))

    async def _book(self, party: Sequence[Turn]) -> None:
        case = party[0].case
        if case.procedure is Procedure.CARD_ISSUANCE:
            await self._book_as(await self._log_in(party), party)
        else:
            async with self._crew.call_centre(case.key) as clerk:
                await opened(self._crew, clerk, case)
                await self._book_as(clerk, party)

    async def _book_as(self, who: Person, party: Sequence[Turn]) -> None:
        hold = await self._hold(who, party)
        # Reservation may not have heard yet that a former visit was missed.
        made = await self._crew.patiently(
            lambda: who.post(_ROOM, f"/v1/holds/{hold['hold_id']}:confirm"), *_ON_ITS_WAY
        )
        self._booked(party, made)

    async def _hold(self, who: Person, party: Sequence[Turn]) -> Mapping[str, Any]:
        """Hold what is free. What was asked for before the replay was cut off is asked for again:
        its seat may show as taken, for it is their own.
        """
        known = self._crew.ledger.wishes.get(_wish(party[0]))
        starts_at = known or await self._look(party)
        for _ in range(_LOOKS):
            try:
                return await self._hold_at(who, party, starts_at)
            except RefusedError as error:
                if error.code not in _GONE:
                    raise
            starts_at = await self._look(party)
        return await self._hold_at(who, party, starts_at)

    async def _hold_at(
        self, who: Person, party: Sequence[Turn], starts_at: str
    ) -> Mapping[str, Any]:
        turn = party[0]
        self._crew.ledger.wish(_wish(turn), starts_at)
        site_id = turn.appointment.seat.site_id
        wanted = {"case_ids": self._ids(party), "site_id": site_id, "starts_at": starts_at}
        key = self._crew.ledger.key("hold", turn.case.key, turn.number, starts_at)
        hold: Mapping[str, Any] = await self._crew.patiently(
            lambda: who.post(_ROOM, "/v1/holds", wanted, key), *_ON_ITS_WAY
        )
        return hold

    async def _look(self, party: Sequence[Turn]) -> str:
        """What is free at the preferred site on the day that suits: the hour that was wished for,
        or the free one nearest to it.
        """
        case, seat = party[0].case, party[0].appointment.seat
        day = seat.day.isoformat()
        found = await self._crew.anybody.get(
            _ROOM,
            "/v1/availability",
            procedure=case.procedure,
            ward=case.ward,
            site_id=seat.site_id,
            party=len(party),
            **{"from": day, "to": day},
        )
        free = [
            datetime.fromisoformat(start["starts_at"])
            for site in found["sites"]
            for each in site["days"]
            for start in each["starts"]
        ]
        wished = seat.starts_at
        chosen = min(free, key=lambda at: abs(at - wished), default=wished)
        return chosen.astimezone(TOKYO).isoformat()

    async def _log_in(self, party: Sequence[Turn]) -> Person:
        """A session for all of a family, opened with one notice after another."""
        # Tries are counted by address: everybody calls from home, and nobody tries often.
        citizen = self._crew.anybody.calling_from(address(party[0].case))
        for turn in party:
            citizen = citizen.with_token(await self._session(citizen, turn.case))
        return citizen

    async def _session(self, citizen: Person, case: Case) -> str:
        login = {
            "notice_number": self._crew.ledger.notices[case.key],
            "birth_date": case.birth_date.isoformat(),
        }
        session = await self._crew.patiently(
            lambda: citizen.post(_ROOM, "/v1/sessions", login), _LOGIN, pause=10.0
        )
        return str(session["access_token"])

    def _booked(self, party: Sequence[Turn], made: Mapping[str, Any]) -> None:
        """Note the bookings; each belongs to the member whose case it names."""
        bookings = {one["case_id"]: one["booking_id"] for one in made["bookings"]}
        for turn in party:
            case_id = self._crew.ledger.cases[turn.case.key]
            self._note(turn.case, case_id, bookings[case_id])


def _wish(turn: Turn) -> str:
    """The name under which the journal has what somebody asks for."""
    return f"{turn.case.key}/{turn.number}"


def _seat(seat: Seat) -> dict[str, str]:
    return {"site_id": seat.site_id, "starts_at": seat.starts_at.isoformat()}
