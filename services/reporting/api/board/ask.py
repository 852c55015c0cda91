"""What a page is asked for: a moment, a language, a fiscal year, and a unit in which to read."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reporting.api.board.view import View
from services.reporting.api.board.words import Speaker, speaker
from services.reporting.gateways.processes import Health
from shared.calendar import BusinessCalendar, FiscalYear
from shared.contracts.place import SiteName
from shared.errors import Language
from shared.unit import Unit


@dataclass(frozen=True, slots=True)
class Ask:
    """One page for one reader."""

    unit: Unit
    calendar: BusinessCalendar
    today: date
    year: FiscalYear
    language: Language
    band: float
    """Share of a forecast by which a month may be off before it is named."""
    health: Sequence[Health] = ()
    """How the processes of the house are, for the page that tells of them."""

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.unit.now

    @property
    def t(self) -> Speaker:
        """The words of this reader."""
        return speaker(self.language)

    def name(self, name: SiteName) -> str:
        """A site's name for this reader."""
        return name.ja if self.language == "ja" else name.en


Reader = Callable[[Ask], Awaitable[View]]
"""Reads and words a page."""
