"""Days as people in the city write them: the era's year and the western one together."""

from datetime import date, datetime

from services.reporting.api.tables import month_name
from shared.calendar import TOKYO
from shared.errors import Language

_REIWA = date(2019, 5, 1)
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def era_year(day: date, language: Language) -> str | None:
    """令和8年, R8; none before Reiwa, which this system does not reach."""
    if day < _REIWA:
        return None
    year = day.year - 2018
    if language == "ja":
        return f"令和{'元' if year == 1 else year}年"
    return f"R{year}"


def day_name(day: date, language: Language) -> str:
    """2026年7月15日（令和8年・水）, Wed 15 Jul 2026 (R8)."""
    weekday, era = _WEEKDAYS[language][day.weekday()], era_year(day, language)
    if language == "ja":
        beside = f"{era}・{weekday}" if era else weekday
        return f"{day.year}年{day.month}月{day.day}日（{beside}）"
    return f"{weekday} {day.day} {month_name(day).en} {day.year}" + (f" ({era})" if era else "")


def short_day(day: date | None, language: Language) -> str:
    """7/15（水）, Wed 15 Jul; a dash for no day."""
    if day is None:
        return "–"
    weekday = _WEEKDAYS[language][day.weekday()]
    if language == "ja":
        return f"{day.month}/{day.day}（{weekday}）"
    return f"{weekday} {day.day} {month_name(day).en}"


def moment(at: datetime, language: Language) -> str:
    """7/15（水） 9:05, Wed 15 Jul 9:05, as clocks in Japan show it."""
    local = at.astimezone(TOKYO)
    return f"{short_day(local.date(), language)} {local.hour}:{local.minute:02}"
