"""How often free seats were looked for, and how often in vain: numbers, and nobody's name."""

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from services.reservation.domain.availability import Question
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode

Way: TypeAlias = tuple[date, WardCode | None, Procedure, SiteId | None]
"""The day of the search, the one ward and the one site that were named, and for what."""
LARGEST = 10_000
"""Ways that are kept apart at a time; strangers can name many wards."""


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
    ) -> None:
        """Somebody looked, and found nothing for some procedures.

        A site that is none of ``sites`` is not named: strangers write what they like, and what is
        told stays for good.
        """
        ward = question.wards[0] if len(question.wards) == 1 else None
        asked = question.site_ids
        site = next(iter(asked)) if asked is not None and len(asked) == 1 else None
        for procedure in question.procedures:
            way = (today, ward, procedure, site if site in sites else None)
            self._add(way, 1, procedure in nothing_for)

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
