"""The city's wards and sites, read from files: nothing of one city is in code.

The files say which figures are approximate. Hours, counters and terminals are invented.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"
SITE_FILES: Mapping[str, Path] = {
    "sites": DATA / "sites.csv",
    "hours": DATA / "site_hours.csv",
    "acceptance": DATA / "site_acceptance.csv",
}
"""By table, in the order in which reservation takes them; remarks say what is invented."""


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


def site_ids(path: Path = DATA / "sites.csv") -> list[str]:
    """The sites in the order of the file that reservation imports."""
    return [row["site_id"] for row in _read(path)]


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
