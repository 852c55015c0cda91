"""Names on the map: none over another, each as short as it may be."""

import csv
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.api.board.map_names import Named, below, short_names
from simulation.places import DATA

NAMES = st.text(st.sampled_from("ab （）()"), max_size=6)


def rows(file: str) -> list[dict[str, str]]:
    with (DATA / file).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def at(row: dict[str, str], latitude: str, longitude: str) -> tuple[float, float]:
    return float(row[latitude]), float(row[longitude])


def drawn(named: list[Named]) -> list[tuple[float, float, float]]:
    """Roughly where the names of Kawasaki are on its map: the middle, and half the width."""
    east, south = (
        [each.longitude * 90.4 for each in named],
        [-each.latitude * 111.2 for each in named],
    )
    scale = min(1000 / (max(east) - min(east) + 8), 480 / (max(south) - min(south) + 8))
    return [
        (
            each.longitude * 90.4 * scale,
            -each.latitude * 111.2 * scale + offset,
            sum(12 if ord(sign) > 0x2E7F else 6.5 for sign in each.name) / 2,
        )
        for each, offset in zip(named, below(named, 4), strict=True)
    ]


@pytest.mark.parametrize(("ward_name", "site_name"), [("name", "name_ja"), ("name_en", "name_en")])
def test_no_name_of_the_city_lies_over_another(ward_name: str, site_name: str) -> None:
    sites = [each for each in rows("sites.csv") if each["kind"] != "ward_office"]
    short = short_names(each[site_name] for each in sites)
    named = [
        Named(each[ward_name], *at(each, "office_latitude", "office_longitude"), above=True)
        for each in rows("wards.csv")
    ]
    named += [Named(short[each[site_name]], *at(each, "latitude", "longitude")) for each in sites]
    assert len(named) == 14
    for one, other in combinations(drawn(named), 2):
        apart = abs(one[0] - other[0]) >= one[2] + other[2] or abs(one[1] - other[1]) >= 11
        assert apart, (one, other)


def test_a_name_stands_beside_its_point_and_wards_above() -> None:
    alone = [Named("ward", 35.5, 139.7, above=True), Named("site", 35.6, 139.5)]
    assert below(alone, 4) == [-20, 20]
    assert below([], 4) == []
    same = [Named("somewhere", 35.5, 139.7)] * 4
    assert len(set(below(same, 4))) == len(same)


@given(st.lists(NAMES, unique=True))
def test_two_names_never_become_one(names: list[str]) -> None:
    short = short_names(names)
    assert len(set(short.values())) == len(names)


def test_what_stands_in_brackets_is_left_out() -> None:
    names = ["センター（かながわ）", "Center (Park)", "Hall (north)", "Hall (south)"]
    assert list(short_names(names).values()) == [
        "センター",
        "Center",
        "Hall (north)",
        "Hall (south)",
    ]
