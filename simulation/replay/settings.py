"""How citizens and staff of a simulated city behave: shares, spans and times, all of them settings.

The defaults are invented, within what cities report; a file (``--behaviour``) replaces any of them.
Shares are of the completed cases, spans are in business days on which the city acts, times are
Japan's.
"""

import tomllib
from datetime import time
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import Text
from simulation.replay.files import FileFault

Share = Annotated[float, Field(ge=0, le=0.5)]
Span = Annotated[int, Field(ge=0, le=40)]
_HORIZON = 35
"""Business days that lie within the 60 days up to which reservation takes bookings, always."""


class Behaviour(BaseModel):
    """Everything that is drawn by a share or a span."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stepwise: Annotated[float, Field(ge=0.1, le=1)] = 0.1
    """Cases that go step by step as a citizen and a clerk would; the others through bulk doors."""

    acts_every: Annotated[int, Field(ge=1, le=7)] = 1
    """The city acts on each so-many-th business day alone, and spans count these: a year of few
    cases is then soon over. Visits lie on such days too."""

    missed: Share = 0.03
    """Cases that miss a first visit and book again."""
    moved: Share = 0.04
    """Cases whose booking is moved once."""
    cancelled: Share = 0.02
    """Cases whose booking is cancelled and made again."""
    deferred: Share = 0.01
    """Cases sent home once, documents missing."""
    proxy: Share = 0.02
    """Cases somebody else comes for; a renewal by proxy takes a second visit after a letter."""
    walk_in: Share = 0.02
    """Renewals that come without a booking."""
    families: Share = 0.05
    """Card holders who come with others of their ward, two to four, and are served together."""
    transferred: Share = 0.01
    """Cards whose citizen books at another site than where they lie."""
    waitlisted: Share = 0.002
    """Cases that take a seat which somebody gives up, from the waiting list."""
    held: Share = 0.01
    """Cards that wait for the registry on their way."""
    defect: Share = 0.004
    """Cards that inspection sends back, over and above those that are completed."""
    void: Share = 0.006
    """Cards whose case ends before its notice, over and above."""
    void_booked: Share = 0.003
    """Cards whose case ends with a visit booked, over and above."""

    import_before: Span = 6
    """From the import of a lot to its notices."""
    inspect_before: Span = 5
    check_before: Span = 4
    preset_before: Span = 3
    shelve_before: Span = 1
    held_for: Annotated[int, Field(ge=1, le=20)] = 3
    """How long a held card waits."""
    notice_to_booking: tuple[Span, Span] = (2, 8)
    """From the notice to the booking, at least and at most."""
    booking_to_visit: tuple[Span, Span] = (1, 20)
    """From the booking to the first visit, at least and at most."""

    own_office: Annotated[float, Field(gt=0)] = 3.0
    """How much more a ward office draws its own residents than another site as near."""
    reach_km: Annotated[float, Field(gt=0)] = 4.0
    """The distance at which a site draws e times less."""
    choosy: Share = 0.4
    """Citizens who want a Saturday, a Sunday, or an hour before ten or after three."""
    children: Share = 0.1
    """Card holders under 18."""

    minutes: Annotated[int, Field(ge=10, le=120, multiple_of=10)] = 20
    """How long a visit is planned; must be what reservation plans for both procedures."""
    opens: time = time(8)
    """When staff begin: imports, desks, notices, bookings."""
    rounds: tuple[time, ...] = ()
    """When besides the evening the clock stands for visits step by step; each costs a moment."""
    closes: time = time(19, 55)
    """When the visits of the day are told and the sites sign it off: after the last visit and its
    grace, before the national system stops at 20:00."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        desks = (
            self.import_before,
            self.inspect_before,
            self.check_before,
            self.preset_before,
            self.shelve_before,
        )
        if list(desks) != sorted(desks, reverse=True):
            raise ValueError("the desks are passed in their order: no later one is farther before")
        times = (self.opens, *self.rounds, self.closes)
        if list(times) != sorted(times):
            raise ValueError("opens, rounds and closes follow each other")
        for least, most in (self.notice_to_booking, self.booking_to_visit):
            if least > most:
                raise ValueError("a span is written [least, most]")
        if self.booking_to_visit[0] < 1:
            raise ValueError("nobody books for the same day")
        if self.acts_every > 1 and self.booking_to_visit[1] * self.acts_every > _HORIZON:
            raise ValueError("booking_to_visit times acts_every reaches beyond 60 days")
        return self

    @property
    def longest(self) -> int:
        """Business days that a case takes from its lot to its first visit, at most."""
        return (
            self.import_before
            + self.held_for
            + self.notice_to_booking[1]
            + self.booking_to_visit[1]
        )


def read_behaviour(path: Path | None) -> Behaviour:
    """The defaults, or a TOML file of what is otherwise. Raises ``FileFault``."""
    if path is None:
        return Behaviour()
    try:
        return Behaviour(**tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        place, said = str(path), str(error.strerror)
    except tomllib.TOMLDecodeError as error:
        place, said = path.name, str(error)
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join((path.name, *map(str, first["loc"])))
        said = first["msg"]
    raise FileFault(
        Text(place, place),
        Text(said, said),
        Text(
            "Write TOML; the fields stand in docs/operations/replay.md.",
            "TOML形式で記載してください。項目は docs/operations/replay.md にあります。",
        ),
    ) from None
