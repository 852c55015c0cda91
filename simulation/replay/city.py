"""A city as its files describe it: wards, and sites with their hours and whom they serve.

Nothing of one city is in code. The sites' file is the one reservation imports; hours and acceptance
stand beside it under the names reservation's own export gives them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Final, TypeVar

from shared.calendar import BusinessCalendar
from shared.contracts.base import Procedure
from shared.contracts.place import Weekday
from shared.errors import Text
from simulation.places import DATA
from simulation.replay.files import FileFault, Row, read_rows

T = TypeVar("T")
WARDS: Final = DATA / "wards.csv"
SITES: Final = DATA / "replay" / "sites.csv"
DEMAND: Final = DATA / "kawasaki_monthly_demand.csv"
HURRIED: Final = DATA / "replay" / "hurried.toml"
HOURS_FILE: Final = "site_hours.csv"
ACCEPTANCE_FILE: Final = "site_acceptance.csv"


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward of residence; ``office`` is where it lies, in degrees."""

    code: str
    population: int
    office: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours; ``occurrences`` of the month's such weekdays, empty for each."""

    weekday: int
    opens: time
    closes: time
    occurrences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whom a site serves with what; no wards means all."""

    procedure: Procedure
    wards: tuple[str, ...]
    from_date: date
    until_date: date

    def covers(self, procedure: Procedure, ward: str) -> bool:
        """Whether it is about ``procedure`` for residents of ``ward``."""
        return self.procedure is procedure and (not self.wards or ward in self.wards)


@dataclass(frozen=True, slots=True)
class Site:
    """A place where citizens are served."""

    site_id: str
    kind: str
    ward: str
    place: tuple[float, float]
    opens_on: date
    closes_on: date
    open_on_holidays: bool
    seats: int
    """Cases that can be served at the same time."""
    hours: tuple[Hours, ...] = ()
    acceptance: tuple[Acceptance, ...] = ()

    def hours_on(self, day: date, calendar: BusinessCalendar) -> list[tuple[time, time]]:
        """When it is open on ``day``, by reservation's rules."""
        if not self.opens_on <= day <= self.closes_on:
            return []
        closed = calendar.is_holiday(day) or calendar.rules.closes(day)
        if closed and not self.open_on_holidays:
            return []
        nth = (day.day - 1) // 7 + 1
        return [
            (each.opens, each.closes)
            for each in self.hours
            if each.weekday == day.weekday() and (not each.occurrences or nth in each.occurrences)
        ]

    def accepts(self, procedure: Procedure, ward: str, day: date) -> bool:
        """Whether it serves residents of ``ward`` with ``procedure`` on ``day``."""
        return any(
            each.covers(procedure, ward) and each.from_date <= day <= each.until_date
            for each in self.acceptance
        )

    def ever_accepts(self, procedure: Procedure, ward: str) -> bool:
        """Whether it serves them on any day."""
        return any(each.covers(procedure, ward) for each in self.acceptance)


@dataclass(frozen=True, slots=True)
class City:
    """Wards and sites, and the files that reservation is given."""

    wards: tuple[Ward, ...]
    sites: tuple[Site, ...]
    tables: dict[str, Path]
    calendar: BusinessCalendar = field(default_factory=BusinessCalendar, compare=False, repr=False)


def read_city(wards: Path = WARDS, sites: Path = SITES) -> City:
    """The city of these files. Raises ``FileFault`` naming line, field and remedy."""
    homes = tuple(map(_ward, read_rows(wards, ("code", "population"))))
    codes = {ward.code for ward in homes}
    tables = {
        "sites": sites,
        "hours": sites.with_name(HOURS_FILE),
        "acceptance": sites.with_name(ACCEPTANCE_FILE),
    }
    hours = _by_site(tables["hours"], ("site_id", "weekday", "opens", "closes"), _hours)
    accepted = _by_site(tables["acceptance"], ("site_id", "procedure"), _acceptance)
    found = []
    for row in read_rows(sites, ("site_id", "kind", "ward", "opens_on", "counters", "terminals")):
        site_id = row["site_id"]
        found.append(_site(row, codes, hours.get(site_id, ()), accepted.get(site_id, ())))
    _require_all_served(sites, homes, found)
    return City(homes, tuple(found), tables)


def _require_all_served(path: Path, wards: Sequence[Ward], sites: Sequence[Site]) -> None:
    for ward in wards:
        for procedure in Procedure:
            if not any(site.ever_accepts(procedure, ward.code) for site in sites):
                raise FileFault(
                    Text(path.name, path.name),
                    Text(
                        f"no site serves {procedure} for the ward {ward.code}.",
                        f"区 {ward.code} の {procedure} を受け付ける窓口がありません。",
                    ),
                    Text(
                        f"Add a line to {ACCEPTANCE_FILE} beside it.",
                        f"同じフォルダーの {ACCEPTANCE_FILE} に行を追加してください。",
                    ),
                )


def _ward(row: Row) -> Ward:
    return Ward(
        code=_code(row, "code"),
        population=_whole(row, "population"),
        office=(_degrees(row, "office_latitude"), _degrees(row, "office_longitude")),
    )


def _site(
    row: Row, codes: set[str], hours: Sequence[Hours], accepted: Sequence[Acceptance]
) -> Site:
    ward = _code(row, "ward")
    if ward not in codes:
        raise row.fault(
            "ward",
            Text("is not in the wards' file.", "区のファイルにありません。"),
            Text("Add the ward there, or correct it.", "区を追加するか、修正してください。"),
        )
    if not hours:
        raise row.fault(
            "site_id",
            Text(f"has no line in {HOURS_FILE}.", f"{HOURS_FILE} に行がありません。"),
            Text("Add its hours there.", "開設時間を追加してください。"),
        )
    return Site(
        site_id=row["site_id"],
        kind=row["kind"],
        ward=ward,
        place=(_degrees(row, "latitude"), _degrees(row, "longitude")),
        opens_on=_day(row, "opens_on"),
        closes_on=_day(row, "closes_on", date.max),
        open_on_holidays=row["open_on_holidays"].lower() == "true",
        seats=min(_whole(row, "counters"), _whole(row, "terminals")),
        hours=tuple(hours),
        acceptance=tuple(accepted),
    )


def _by_site(path: Path, needed: Sequence[str], read: Callable[[Row], T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for row in read_rows(path, needed):
        found.setdefault(row["site_id"], []).append(read(row))
    return found


def _hours(row: Row) -> Hours:
    weekdays = [each.value for each in Weekday]
    return Hours(
        weekday=_read(row, "weekday", weekdays.index, "monday"),
        opens=_read(row, "opens", time.fromisoformat, "08:30"),
        closes=_read(row, "closes", time.fromisoformat, "17:00"),
        occurrences=_read(row, "occurrences", _numbers, "2 4"),
    )


def _acceptance(row: Row) -> Acceptance:
    return Acceptance(
        procedure=_read(row, "procedure", Procedure, "card_issuance"),
        wards=tuple(row["wards"].split()),
        from_date=_day(row, "from_date", date.min),
        until_date=_day(row, "until_date", date.max),
    )


def _code(row: Row, name: str) -> str:
    def check(text: str) -> str:
        # JIS X 0402: the sixth digit is a check digit.
        if len(text) != 6 or not (text.isascii() and text.isdecimal()):
            raise ValueError(text)
        total = sum(
            int(digit) * weight for digit, weight in zip(text, (6, 5, 4, 3, 2), strict=False)
        )
        if (11 - total % 11) % 10 != int(text[5]):
            raise ValueError(text)
        return text

    return _read(row, name, check, "141313, with its check digit")


def _whole(row: Row, name: str) -> int:
    def check(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise ValueError(text)
        return int(text)

    return _read(row, name, check, "1")


def _degrees(row: Row, name: str) -> float:
    return _read(row, name, float, "35.53")


def _day(row: Row, name: str, default: date | None = None) -> date:
    if default is not None and not row[name]:
        return default
    return _read(row, name, date.fromisoformat, "2025-04-01")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split())


def _read(row: Row, name: str, convert: Callable[[str], T], example: str) -> T:
    try:
        return convert(row[name])
    except ValueError:
        raise row.fault(
            name,
            Text("cannot be used.", "使えない値です。"),
            Text(f"Write it as {example}.", f"{example} の形式で記載してください。"),
        ) from None
