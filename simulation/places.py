"""The city's wards and sites, read from files: nothing of one city is in code.

The files say which figures are approximate. Hours, counters and terminals are invented.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

DATA = Path(__file__).parent / "data"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@dataclass(frozen=True)
class Ward:
    """A ward of residence; ``code`` is municipal, with its check digit."""

    code: str
    name: str
    name_en: str
    population: int


@dataclass(frozen=True)
class Place:
    """A place where a site is or may be."""

    id: str
    name: str
    kind: str
    ward: str
    latitude: float
    longitude: float


def wards(path: Path = DATA / "wards.csv") -> list[Ward]:
    """The wards in the file's order."""
    return [
        Ward(row["code"], row["name"], row["name_en"], int(row["population"]))
        for row in _read(path)
    ]


def places(path: Path = DATA / "places.csv") -> list[Place]:
    """The places in the file's order."""
    return [
        Place(
            row["id"],
            row["name"],
            row["kind"],
            row["ward"],
            float(row["latitude"]),
            float(row["longitude"]),
        )
        for row in _read(path)
    ]


def ward_offices() -> list[Place]:
    """The seven places that are ward offices."""
    return [place for place in places() if place.kind == "ward_office"]


def ward_office_site(place: Place, opens_on: date) -> Mapping[str, object]:
    """A ward office as reservation takes it: hours of the calendar, invented counters, own ward."""
    weekdays = [{"weekday": day, "opens": "08:30", "closes": "17:00"} for day in WEEKDAYS]
    saturdays = {"weekday": "saturday", "opens": "08:30", "closes": "12:30", "occurrences": [2, 4]}
    return {
        "name": {"ja": place.name, "en": place.id.replace("-", " ").title()},
        "kind": place.kind,
        "ward": place.ward,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "opens_on": opens_on.isoformat(),
        "hours": [*weekdays, saturdays],
        "counters": 4,
        "terminals": 4,
        "acceptance": [
            {"procedure": "card_issuance", "wards": [place.ward]},
            {"procedure": "certificate_renewal"},
        ],
    }


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
