"""Who works at which desk: as planned; else as many as what was done must have taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.desks import Desk, Desks, Period
from services.preparation.domain.spread import percentile
from shared.errors import NotFound, Text

_BUSY: Final = 0.9
UNKNOWN_PEOPLE: Final = 1.0
"""Where nobody has said who works and nothing was done yet."""


class Basis(StrEnum):
    """Where the number of people comes from."""

    PLANNED = "planned"
    MEASURED = "measured"
    ASSUMED = "assumed"

    @property
    def label(self) -> Text:
        """The basis as people say it."""
        return _LABELS[self]


_LABELS: Final = {
    Basis.PLANNED: Text("planned", "計画"),
    Basis.MEASURED: Text("measured", "実績"),
    Basis.ASSUMED: Text("assumed", "仮定"),
}


class PeriodUnknown(NotFound):
    """Nothing was said of this desk from this day on."""

    slug = "desk-period-unknown"
    title = Text("Nothing is planned from that day on", "その日からの配置は登録されていません")
    remedy = Text(
        "GET /v1/outlook/desks lists what is planned.",
        "GET /v1/outlook/desks で確認してください。",
    )


@dataclass(frozen=True, slots=True)
class Staffed:
    """Desks, and on what each one's people are based."""

    desks: Desks
    basis: Mapping[Desk, Basis]


def staffed(
    minutes: Mapping[Desk, float],
    day_minutes: float,
    planned: Sequence[Period],
    done: Mapping[Desk, Sequence[int]],
    today: date,
) -> Staffed:
    """The desks; ``done`` are the cards each desk did on each day on which it did any.

    A desk without a plan is taken to be able to do what it did on a busy day (nine of ten days
    were no busier), for on others it may have had to wait for cards.
    """
    periods = list(planned)
    basis = dict.fromkeys((period.desk for period in planned), Basis.PLANNED)
    for desk in Desk:
        if desk in basis:
            continue
        basis[desk] = Basis.MEASURED if done.get(desk) else Basis.ASSUMED
        people = _measured(done.get(desk, ()), minutes[desk], day_minutes)
        periods.append(Period(desk, today, people))
    return Staffed(Desks(minutes, day_minutes, periods), basis)


def _measured(done: Sequence[int], minutes: float, day_minutes: float) -> float:
    if not done or minutes <= 0:
        return UNKNOWN_PEOPLE
    counts: dict[int, float] = {}
    for cards in done:
        counts[cards] = counts.get(cards, 0) + 1
    return percentile(counts, _BUSY) * minutes / day_minutes
