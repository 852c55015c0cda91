"""How far a forecast was from what came, over the months that are over.

* MAE: mean absolute error, in procedures.
* MAPE: mean absolute error as a share of what came; months in which nothing came are left out.
* MASE: MAE over the mean absolute error of the naive forecast "as a year before" on what was known
  before the forecast began (Hyndman and Koehler 2006); with less than thirteen such months "as the
  month before". Below 1 it beats the naive one. None where even that is not known.
* Bias: mean error; above 0 the forecast expected too much.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean

from services.reporting.domain.monthly import Counts
from shared.contracts.base import Procedure

Series = Mapping[date, int]
"""Procedures by first day of the month."""

YEAR = 12


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The error of a forecast for one procedure, or for both together (None)."""

    procedure: Procedure | None
    months: int
    mae: float
    mape: float | None
    mase: float | None
    bias: float


def series(counts: Counts, procedure: Procedure | None) -> Series:
    """The months of one procedure; of both together where each has its number."""
    if procedure is not None:
        return {month: count for (month, each), count in counts.items() if each is procedure}
    months = {month for month, _ in counts}
    return {
        month: sum(counts[month, each] for each in Procedure)
        for month in sorted(months)
        if all((month, each) in counts for each in Procedure)
    }


def accuracies(expected: Counts, came: Counts, before: Counts) -> list[Accuracy]:
    """The error for each procedure and for both, where any month is over.

    ``came`` has the months that are over, ``before`` what is known of the time until the forecast
    begins; what came counts there too.
    """
    found = (
        accuracy(each, series(expected, each), series(came, each), series({**before, **came}, each))
        for each in (*Procedure, None)
    )
    return [each for each in found if each is not None]


def accuracy(
    procedure: Procedure | None, expected: Series, came: Series, known: Series
) -> Accuracy | None:
    """The error over the months that are in both; None where there is none."""
    months = sorted(set(expected) & set(came))
    if not months:
        return None
    errors = [expected[month] - came[month] for month in months]
    shares = [
        abs(error) / came[month] for month, error in zip(months, errors, strict=True) if came[month]
    ]
    mae = fmean(abs(error) for error in errors)
    scale = naive_error({m: count for m, count in known.items() if m < min(expected)})
    return Accuracy(
        procedure=procedure,
        months=len(months),
        mae=mae,
        mape=fmean(shares) if shares else None,
        mase=mae / scale if scale else None,
        bias=fmean(errors),
    )


def naive_error(known: Series) -> float | None:
    """The mean absolute error of the naive forecast on ``known``; None where it has no months."""
    seasonal = _differences(known, YEAR)
    return fmean(seasonal or _differences(known, 1) or [0]) or None


def leaves_band(expected: int, came: int, band: float) -> bool:
    """Whether what came is farther from ``expected`` than the share ``band`` of it."""
    return abs(came - expected) > band * expected


def _differences(known: Series, lag: int) -> Sequence[int]:
    return list(_lagged(known, lag))


def _lagged(known: Series, lag: int) -> Iterable[int]:
    for month, count in known.items():
        before = known.get(months_before(month, lag))
        if before is not None:
            yield abs(count - before)


def months_before(month: date, count: int) -> date:
    """The first day of the month ``count`` months before ``month``."""
    number = month.year * YEAR + month.month - 1 - count
    return date(number // YEAR, number % YEAR + 1, 1)
