"""The courier: cards whose citizens have booked elsewhere travel in sealed bags, there in a day.

A bag goes from one site to another; what left in the morning is on its shelf in the evening.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from simulation.replay.cases import Case
from simulation.replay.crew import Crew, NotTakenError

_ROOM: Final = "preparation"
_SHELF: Final = "A"
_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Bag:
    """A sealed batch on its way."""

    transfer_id: str
    seal: str
    to_site_id: str
    case_ids: Sequence[str]


class Courier:
    """Sends a day's cards and takes them in."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def collect(self, cases: Sequence[Case], day: date) -> list[Bag]:
        """Seal the cards of each way between two sites into a bag; it leaves now.

        Raises ``NotTakenError`` where a card cannot travel.
        """
        ways: dict[tuple[str, str], list[str]] = defaultdict(list)
        for case in cases:
            to_site_id = case.appointments[0].seat.site_id
            ways[case.site_id, to_site_id].append(self._crew.ledger.cases[case.key])
        parts = [
            (*way, ids[start : start + _MOST])
            for way, ids in sorted(ways.items())
            for start in range(0, len(ids), _MOST)
        ]
        return await self._crew.each(parts, lambda part: self._seal(*part, day))

    async def deliver(self, bags: Sequence[Bag]) -> None:
        """Open each bag where it was sent to, and lay all of its cards on the shelf.

        Raises ``NotTakenError`` where one is not there.
        """
        await self._crew.each(bags, self._open)

    async def _seal(self, site_id: str, to_site_id: str, case_ids: Sequence[str], day: date) -> Bag:
        wish = {"case_ids": case_ids, "site_id": site_id, "to_site_id": to_site_id}
        key = self._crew.ledger.key("transfer", day, site_id, to_site_id, case_ids[0])
        sent = await self._crew.staff("back_office").post(_ROOM, "/v1/transfers", wish, key)
        if sent["refused"]:
            raise NotTakenError(f"{sent['refused']} cards cannot leave {site_id}")
        return Bag(sent["transfer_id"], sent["seal"], to_site_id, case_ids)

    async def _open(self, bag: Bag) -> None:
        found = {
            "site_id": bag.to_site_id,
            "shelf": _SHELF,
            "seal": bag.seal,
            "case_ids": bag.case_ids,
            "emptied": True,
        }
        path = f"/v1/transfers/{bag.transfer_id}:arrive"
        answer = await self._crew.staff("back_office").step(_ROOM, path, found)
        # Opened again after a cut, its cards are refused: they lie on the shelf already.
        if answer["open"] or answer["missing"]:
            raise NotTakenError(f"cards of {bag.transfer_id} have not come to {bag.to_site_id}")
        self._crew.ledger.sums.count("cards sent to another site", len(bag.case_ids))
