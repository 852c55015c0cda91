"""What a site decides otherwise than its city, procedure by procedure.

A rule that a site leaves out is the city's. A booking keeps the duration it was made with,
whatever the rules say later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from pydantic import Field

from services.reservation.domain.rules import Rules
from shared.calendar import TOKYO
from shared.contracts.base import Procedure, Value

Days = Annotated[int, Field(ge=0, le=366)]
Minutes = Annotated[int, Field(ge=0, le=7 * 24 * 60)]
Seats = Annotated[int, Field(ge=0, le=1000)]


class Overrides(Value):
    """The rules of one site for one procedure; none where the city's holds."""

    horizon_days: Annotated[int, Field(ge=1, le=366)] | None = None
    """How far ahead one may book, in days."""

    released_at: time | None = None
    """When the last day of the horizon opens; local time (Asia/Tokyo)."""

    change_until: time | None = None
    """Until when one may change or cancel on the day before; local time (Asia/Tokyo)."""

    minutes: Annotated[int, Field(ge=5, le=240)] | None = None
    """Time planned for one case."""

    transfer_business_days: Annotated[int, Field(ge=1, le=30)] | None = None
    """How long a card travels to this site."""

    return_within_minutes: Minutes | None = None
    """A seat given back returns after a random delay no longer than this."""

    hold_minutes: Annotated[int, Field(ge=1, le=120)] | None = None
    """How long a seat is held while the form is filled."""

    offer_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] | None = None
    """How long a freed seat is kept for one party of the waiting list."""

    kept_call_centre: Seats | None = None
    """Seats of each cell that only staff may book."""

    call_centre_released_days: Days | None = None
    """So many days ahead everybody may book the call centre's share."""

    kept_walk_in: Seats | None = None
    """Seats of each cell that are kept for those who come without a booking."""

    walk_in_released_days: Days | None = None
    """So many days ahead the walk-in share may be booked too."""

    lateness_minutes: Annotated[int, Field(ge=0, le=120)] | None = None
    """How late a party may come without losing its turn."""


NONE = Overrides()
_AS_IT_IS = (
    "horizon_days",
    "released_at",
    "change_until",
    "transfer_business_days",
    "kept_call_centre",
    "call_centre_released_days",
    "kept_walk_in",
    "walk_in_released_days",
)
_DURATIONS = {
    "return_within_minutes": "return_within",
    "hold_minutes": "hold_for",
    "offer_minutes": "offer_for",
    "lateness_minutes": "lateness",
}


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The rules of a site at one moment: the city's, and what the site decides otherwise."""

    city: Rules
    overrides: Mapping[Procedure, Overrides]
    at: datetime

    def of(self, procedure: Procedure) -> Rules:
        """The rules that hold for ``procedure``.

        Before ``released_at`` the horizon is a day shorter: new days open at a set time.
        """
        rules = under(self.city, procedure, self.overrides.get(procedure, NONE))
        if self.at.astimezone(TOKYO).time() >= rules.released_at:
            return rules
        return replace(rules, horizon_days=rules.horizon_days - 1)


def under(rules: Rules, procedure: Procedure, own: Overrides) -> Rules:
    """``rules`` with what a site decides otherwise for ``procedure``."""
    if own == NONE:
        return rules
    told = {name: value for name, value in own if value is not None}
    values: dict[str, Any] = {name: told[name] for name in _AS_IT_IS if name in told}
    values |= {
        field: timedelta(minutes=told[name]) for name, field in _DURATIONS.items() if name in told
    }
    if own.minutes is not None:
        values["minutes"] = {**rules.minutes, procedure: own.minutes}
    return replace(rules, **values)
