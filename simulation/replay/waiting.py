"""The waiting list: who finds no seat waits for one that somebody gives up on the same day.

A clerk joins on behalf of who called, sees what is offered, and takes it for them.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulation.replay.agenda import Turn
from simulation.replay.callers import opened
from simulation.replay.crew import PATIENCE, Crew, NotTakenError

_ROOM: Final = "reservation"
_NEWS: Final = ("not-invited-yet", "case-held", "case-busy")
"""What is refused until news has come from another room, or a colleague is done."""
_PAUSE: Final = 0.1

Place = tuple[Turn, str]
"""Somebody who waits, and the id of their place on the list."""


class WaitingList:
    """Does a day's waiting."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def join(self, turns: Sequence[Turn]) -> list[Place]:
        """Wait for a seat of the site and day that each wants, before any of today is given up."""
        return await self._crew.each(turns, self._join)

    async def take(self, places: Sequence[Place]) -> None:
        """Take what is offered to each. Raises ``NotTakenError`` where nothing is."""
        await self._crew.each(places, self._take)

    async def _join(self, turn: Turn) -> Place:
        ledger, seat = self._crew.ledger, turn.appointment.seat
        async with self._crew.call_centre(turn.case.key) as clerk:
            case_id = await opened(self._crew, clerk, turn.case)
            wish = {
                "case_ids": [case_id],
                "site_ids": [seat.site_id],
                "first_day": seat.day.isoformat(),
                "last_day": seat.day.isoformat(),
            }
            key = ledger.key("waitlist", turn.case.key)
            place = await self._crew.patiently(
                lambda: clerk.post(_ROOM, "/v1/waitlist", wish, key), *_NEWS
            )
        return turn, place["waitlist_id"]

    async def _take(self, place: Place) -> None:
        turn, waitlist_id = place
        clerk, path = self._crew.staff("clerk"), f"/v1/waitlist/{waitlist_id}"
        end = time.monotonic() + PATIENCE
        while (await self._state(path)) == "waiting":
            if time.monotonic() > end:
                raise NotTakenError(f"nothing was offered to {turn.case.key}, who waits")
            await asyncio.sleep(_PAUSE)
        party: Mapping[str, Any] = await self._crew.patiently(
            lambda: clerk.post(_ROOM, f"{path}:accept"), "case-busy"
        )
        self._crew.ledger.note("bookings", turn.case.key, party["bookings"][0]["booking_id"])
        self._crew.ledger.sums.count("seats taken from the waiting list", 1)

    async def _state(self, path: str) -> str:
        place = await self._crew.staff("clerk").get(_ROOM, path)
        return str(place["state"])
