"""Lots of invented cards, as CSV files that preparation imports.

Everything is drawn from a seed: the same seed gives the same cards. Nobody in them exists; there
are no names, and the birth dates are drawn too.
"""

import csv
import io
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from simulation.places import Ward, wards

COLUMNS = (
    "lot",
    "row",
    "card_reference",
    "ward",
    "kind",
    "applied_on",
    "shipped_on",
    "card_expires_on",
    "birth_date",
)


@dataclass(frozen=True)
class Card:
    """One row of a lot."""

    lot: str
    row: int
    card_reference: str
    ward: str
    kind: str
    applied_on: date
    shipped_on: date
    card_expires_on: date
    birth_date: date


def draw_lot(lot: str, cards: int, shipped_on: date, seed: int = 1) -> list[Card]:
    """``cards`` cards shipped on a day, their wards drawn by population."""
    choose = random.Random(seed)  # noqa: S311  a simulation wants repeatable draws
    homes = wards()
    return [_draw(choose, homes, lot, row, shipped_on) for row in range(1, cards + 1)]


def write_csv(cards: Sequence[Card]) -> bytes:
    """The lot file, UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(card, column) for column in COLUMNS] for card in cards)
    return text.getvalue().encode()


def _draw(
    choose: random.Random, homes: Sequence[Ward], lot: str, row: int, shipped_on: date
) -> Card:
    age = timedelta(days=choose.randint(18 * 366, 90 * 365))
    birth = shipped_on - age
    home = choose.choices(homes, [ward.population for ward in homes])[0]
    return Card(
        lot=lot,
        row=row,
        card_reference=f"{lot}-{row:05d}",
        ward=home.code,
        kind=choose.choice(("new", "renewal")),
        applied_on=shipped_on - timedelta(days=choose.randint(14, 40)),
        shipped_on=shipped_on,
        card_expires_on=nth_birthday_after(birth, shipped_on, 10),
        birth_date=birth,
    )


def nth_birthday_after(birth: date, day: date, count: int) -> date:
    """The ``count``-th birthday after ``day``, as the validity of a card is reckoned."""
    had = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    year = birth.year + had + count
    # Law takes a birthday on 29 February to 28 February where the year has none.
    leap = birth.month == 2 and birth.day == 29
    return date(year, 2, 28) if leap and year % 4 else date(year, birth.month, birth.day)


if __name__ == "__main__":
    sys.stdout.buffer.write(write_csv(draw_lot("SAMPLE-0001", 40, date(2026, 4, 1))))
