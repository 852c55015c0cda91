"""How often free seats were looked for, and how often in vain: numbers, and nobody's name."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias, TypeVar

from services.reservation.domain.availability import Question
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode

T = TypeVar("T", SiteId, WardCode)
Way: TypeAlias = tuple[date, WardCode | None, Procedure, SiteId | None]
"""The day of the search, the one ward and the one site that were named, and for what."""
LARGEST = 10_000
"""Ways that are kept apart at a time, however many sites and wards there are."""


@dataclass(slots=True)
class Searches:
    """What one process counted since it was last told. Each way: searches, and those in vain."""

    counts: dict[Way, tuple[int, int]] = field(default_factory=dict)

    def count(
        self,
        question: Question,
        nothing_for: Collection[Procedure],
        today: date,
        sites: Container[SiteId],
        wards: Container[WardCode],
    ) -> None:
        """Somebody looked, and found nothing for some procedures.

        A site that is none of ``sites``, or a ward that is none of ``wards``, is not named:
        strangers write what they like, and what is told stays for good.
        """
        ward = _one_known(question.wards, wards)
        site = _one_known(question.site_ids or (), sites)
        for procedure in question.procedures:
            self._add((today, ward, procedure, site), 1, procedure in nothing_for)

    def take(self) -> Mapping[Way, tuple[int, int]]:
        """What was counted; counting begins anew."""
        taken, self.counts = self.counts, {}
        return taken

    def give_back(self, taken: Mapping[Way, tuple[int, int]]) -> None:
        """What could not be told counts on."""
        for way, (searched, refused) in taken.items():
            self._add(way, searched, refused)

    def _add(self, way: Way, searched: int, refused: int) -> None:
        if way not in self.counts and len(self.counts) >= LARGEST:
            today, _, procedure, _ = way
            way = (today, None, procedure, None)
        before, in_vain = self.counts.get(way, (0, 0))
        self.counts[way] = (before + searched, in_vain + refused)


def _one_known(named: Collection[T], known: Container[T]) -> T | None:
    one = next(iter(named)) if len(named) == 1 else None
    return one if one in known else None
