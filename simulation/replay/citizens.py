"""Citizens book, move and cancel: most through the city's bulk door, some step by step themselves.

Who goes step by step logs in with the number on the notice, looks for free seats, holds one and
confirms; for a certificate renewal, which no notice invites to, the call centre does so.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.calendar import TOKYO
from shared.contracts.base import Procedure
from simulation.doors import Person
from simulation.replay.agenda import Day, Turn
from simulation.replay.cases import Case, Seat
from simulation.replay.crew import Crew, NotTakenError, side_by_side

_ROOM = "reservation"
_MOST = 1000
_ON_ITS_WAY = frozenset(
    {"not-invited-yet", "case-held", "case-busy", "already-booked", "too-soon-after-miss"}
)
"""What is refused until news has come from another room, or a colleague is done."""
_LOGIN = "login-refused"


class Citizens:
    """Does a day's bookings."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def day(self, day: Day) -> None:
        """Everything that reservation is told on ``day``."""
        await side_by_side(self._in_bulk(day), self._step_by_step(day))

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
            await self._crew.each([turn for turn in turns if turn.case.stepwise], work)

    async def _bulk(self, day: Day, verb: str, turns: Sequence[Turn]) -> None:
        for start in range(0, len(turns), _MOST):
            await self._batch(f"{day.day}|{verb}|{start}", verb, turns[start : start + _MOST])

    async def _batch(self, name: str, verb: str, turns: Sequence[Turn]) -> None:
        crew = self._crew
        rows = [self._row(verb, turn) for turn in turns]
        key = crew.ledger.key(name)

        async def send() -> Mapping[str, Any]:
            clerk = crew.staff("clerk")
            answer: Mapping[str, Any] = await clerk.post(
                _ROOM, "/v1/bookings:batch", {"rows": rows}, key
            )
            return answer

        results = await crew.rows(send, waits=lambda one: one["code"] in _ON_ITS_WAY)
        for turn, result in zip(turns, results, strict=True):
            if result["code"] is not None:
                raise NotTakenError(f"{verb} {turn.case.key}: {result['code']}")
            self._note(turn.case, result["case_id"], result["booking_id"])

    def _row(self, verb: str, turn: Turn) -> Mapping[str, object]:
        ledger, key = self._crew.ledger, turn.case.key
        if verb == "cancel":
            return {"verb": verb, "booking_id": ledger.bookings[key]}
        seat = _seat(turn.appointment.seat)
        if verb == "move":
            return {"verb": verb, "booking_id": ledger.bookings[key], **seat}
        if key in ledger.cases:
            return {"verb": "book", "case_ids": [ledger.cases[key]], **seat}
        return {"verb": "renew", **_renewal(turn.case), **seat}

    def _note(self, case: Case, case_id: str, booking_id: str) -> None:
        self._crew.ledger.note("cases", case.key, case_id)
        self._crew.ledger.note("bookings", case.key, booking_id)

    async def _cancel(self, turn: Turn) -> None:
        path = f"/v1/bookings/{self._crew.ledger.bookings[turn.case.key]}:cancel"
        await self._crew.staff("clerk").post(_ROOM, path)

    async def _move(self, turn: Turn) -> None:
        path = f"/v1/bookings/{self._crew.ledger.bookings[turn.case.key]}:move"
        party = await self._crew.staff("clerk").post(_ROOM, path, _seat(turn.appointment.seat))
        self._booked(turn.case, party)

    async def _book(self, turn: Turn) -> None:
        if turn.case.procedure is Procedure.CARD_ISSUANCE:
            await self._book_as(await self._log_in(turn.case), turn)
        else:
            async with self._crew.call_centre(turn.case.key) as clerk:
                await self._open(clerk, turn.case)
                await self._book_as(clerk, turn)

    async def _book_as(self, who: Person, turn: Turn) -> None:
        case_id = self._crew.ledger.cases[turn.case.key]
        seat = await self._look(turn)
        wish = {"case_ids": [case_id], **seat}
        key = self._crew.ledger.key("hold", turn.case.key, turn.number, seat["starts_at"])
        hold = await self._crew.patiently(
            lambda: who.post(_ROOM, "/v1/holds", wish, key), *_ON_ITS_WAY
        )
        # Reservation may not have heard yet that a former visit was missed.
        party = await self._crew.patiently(
            lambda: who.post(_ROOM, f"/v1/holds/{hold['hold_id']}:confirm"), *_ON_ITS_WAY
        )
        self._booked(turn.case, party)

    async def _look(self, turn: Turn) -> Mapping[str, str]:
        """What is free at the preferred site on the day that suits: the hour that was wished for,
        or the free one nearest to it.
        """
        seat = turn.appointment.seat
        day = seat.day.isoformat()
        found = await self._crew.anybody.get(
            _ROOM,
            "/v1/availability",
            procedure=turn.case.procedure,
            ward=turn.case.ward,
            site_id=seat.site_id,
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
        return {"site_id": seat.site_id, "starts_at": chosen.astimezone(TOKYO).isoformat()}

    async def _log_in(self, case: Case) -> Person:
        login = {
            "notice_number": self._crew.ledger.notices[case.key],
            "birth_date": case.birth_date.isoformat(),
        }
        # Tries are counted by address: everybody calls from home, and nobody tries often.
        citizen = self._crew.anybody.calling_from(_address(case))
        session = await self._crew.patiently(
            lambda: citizen.post(_ROOM, "/v1/sessions", login), _LOGIN, pause=10.0
        )
        return citizen.with_token(session["access_token"])

    async def _open(self, clerk: Person, case: Case) -> None:
        ledger = self._crew.ledger
        if case.key not in ledger.cases:
            body = {**_renewal(case), "phone": _phone(case)}
            opened = await clerk.post(_ROOM, "/v1/renewals", body, ledger.key("renewal", case.key))
            ledger.note("cases", case.key, opened["case_id"])

    def _booked(self, case: Case, party: Mapping[str, Any]) -> None:
        booking = party["bookings"][0]
        self._note(case, booking["case_id"], booking["booking_id"])


def _seat(seat: Seat) -> dict[str, str]:
    return {"site_id": seat.site_id, "starts_at": seat.starts_at.isoformat()}


def _renewal(case: Case) -> dict[str, str]:
    ends_on = case.certificate_ends_on
    if ends_on is None:
        raise ValueError("a renewal has certificates that end")
    return {"ward": case.ward, "certificate_expires_on": ends_on.isoformat()}


def _address(case: Case) -> str:
    """Where the citizen calls from; made up too."""
    first, second, third = zlib.crc32(case.key.encode()).to_bytes(4)[1:]
    return f"10.{first}.{second}.{third}"


def _phone(case: Case) -> str:
    """One of its own for each case; made up, like everybody here."""
    digits = case.key[3:7] + case.key[8:]
    return f"0{digits[:2]}-{digits[2:6]}-{digits[6:]}"
