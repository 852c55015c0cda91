"""How long cards and certificates are valid, and when they may be renewed.

Card: to the tenth birthday after its issue, the fifth for who is under 18 then; for foreign
residents no later than the end of their period of stay (番号利用法 第17条; 平成26年総務省令第85号
第26条, 第27条; age 18 since 2022-04-01). Certificates: to the fifth birthday after their issue,
never past the card (公的個人認証法 第5条, 第24条 and its 施行規則). Renewal opens three months
before the end. On the next-generation card certificates last as long as the card does; when that
card starts is a setting (project brief, "Validity").

Which of the two a card gets is decided by the age when J-LIS received the application (as cities
explain it, e.g. Miyakonojo), which our files do not have: ``possible_ends`` allows for both days.

Who is born on 29 February has the birthday on 28 February in a year without one: a year of age is
completed at the end of the day before the birthday (年齢計算ニ関スル法律; 民法 第143条), and
this is how the like rule for driving licences says it (道路交通法 第92条の2).
"""

import calendar
from datetime import date
from typing import Final

ADULT: Final = 18
"""Age from which a card lasts ten birthdays."""

ADULT_BIRTHDAYS: Final = 10
CHILD_BIRTHDAYS: Final = 5
CERTIFICATE_BIRTHDAYS: Final = 5
RENEWAL_MONTHS: Final = 3


def birthday_in(year: int, birth_date: date) -> date:
    """The birthday in ``year``; 28 February for who is born on the 29th, where there is none."""
    leap = (birth_date.month, birth_date.day) == (2, 29)
    if leap and not calendar.isleap(year):
        return date(year, 2, 28)
    return birth_date.replace(year=year)


def age_on(day: date, birth_date: date) -> int:
    """Full years of age on ``day``, counted at birthdays. Raises ``ValueError`` before birth."""
    if day < birth_date:
        raise ValueError("nobody has an age before birth")
    return day.year - birth_date.year - (day < birthday_in(day.year, birth_date))


def nth_birthday_after(day: date, birth_date: date, count: int) -> date:
    """The ``count``-th birthday strictly after ``day``."""
    passed = day >= birthday_in(day.year, birth_date)
    return birthday_in(day.year + passed + count - 1, birth_date)


def card_expires_on(issued_on: date, birth_date: date, stay_ends_on: date | None = None) -> date:
    """The last day of a card. Raises ``ValueError`` where it was issued before birth."""
    adult = age_on(issued_on, birth_date) >= ADULT
    count = ADULT_BIRTHDAYS if adult else CHILD_BIRTHDAYS
    last = nth_birthday_after(issued_on, birth_date, count)
    return last if stay_ends_on is None else min(last, stay_ends_on)


def possible_ends(applied_on: date, shipped_on: date, birth_date: date) -> frozenset[date]:
    """The last days that a card made between these two may have, without a period of stay.

    Raises ``ValueError`` where it was applied for before birth.
    """
    grown_up = (age_on(applied_on, birth_date) >= ADULT, age_on(shipped_on, birth_date) >= ADULT)
    counts = {ADULT_BIRTHDAYS if adult else CHILD_BIRTHDAYS for adult in grown_up}
    return frozenset(
        nth_birthday_after(issued_on, birth_date, count)
        for issued_on in (applied_on, shipped_on)
        for count in counts
    )


def certificate_expires_on(
    issued_on: date, birth_date: date, card_ends_on: date, *, next_generation: bool = False
) -> date:
    """The last day of a certificate: never past its card; on the next generation, its card's."""
    if next_generation:
        return card_ends_on
    return min(nth_birthday_after(issued_on, birth_date, CERTIFICATE_BIRTHDAYS), card_ends_on)


def renewal_opens_on(ends_on: date) -> date:
    """The first day on which a card or certificate that ends on ``ends_on`` may be renewed.

    Three months before, by the calendar; where that month is too short, its last day
    (民法 第143条第2項ただし書, counted backwards).
    """
    years, month = divmod(ends_on.month - 1 - RENEWAL_MONTHS, 12)
    year = ends_on.year + years
    return date(year, month + 1, min(ends_on.day, calendar.monthrange(year, month + 1)[1]))


def is_next_generation(applied_on: date, starts_on: date | None) -> bool:
    """Whether an application gets a card of the next generation; never without a start."""
    return starts_on is not None and applied_on >= starts_on
