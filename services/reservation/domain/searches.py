"""How often free seats were looked for, and how often in vain: numbers, and nobody's name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias

from services.reservation.domain.availability import Question
from shared.contracts.base import Procedure
from shared.ids import SiteId, WardCode

Way: TypeAlias = tuple[date, WardCode | None, Procedure, SiteId | None]
"""The day of the search, the one ward and the one site that were named, and for what."""
LARGEST = 10_000
"""Ways that are kept apart at a time; strangers can name many sites."""


@dataclass(slots=True)
class Searches:
    """What one process counted since it was last told. Each way: searches, and those in vain."""

    counts: dict[Way, tuple[int, int]] = field(default_factory=dict)

    def count(self, question: Question, nothing_for: Collection[Procedure], today: date) -> None:
        """Somebody looked, and found nothing for some procedures."""
        ward = question.wards[0] if len(question.wards) == 1 else None
        sites = question.site_ids
        site = next(iter(sites)) if sites is not None and len(sites) == 1 else None
        for procedure in question.procedures:
            way = (today, ward, procedure, site)
            if way not in self.counts and len(self.counts) >= LARGEST:
                way = (today, None, procedure, None)
            searched, refused = self.counts.get(way, (0, 0))
            self.counts[way] = (searched + 1, refused + (procedure in nothing_for))

    def take(self) -> Mapping[Way, tuple[int, int]]:
        """What was counted; counting begins anew."""
        taken, self.counts = self.counts, {}
        return taken

    def give_back(self, taken: Mapping[Way, tuple[int, int]]) -> None:
        """What could not be told counts on."""
        for way, (searched, refused) in taken.items():
            more, in_vain = self.counts.get(way, (0, 0))
            self.counts[way] = (searched + more, refused + in_vain)
