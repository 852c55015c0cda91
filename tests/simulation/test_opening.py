"""The plan's rules of opening are reservation's: the same files give the same hours and wards."""

import csv
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.reservation.domain.opening import national_system_rests, would_accept
from services.reservation.handlers import site_files
from services.reservation.handlers.site_files import Table
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Site
from shared.ids import WardCode
from shared.opening import hours_on
from simulation.places import DATA
from simulation.replay.city import WARDS, read_city
from simulation.replay.seats import rests


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if v and k != "remark"} for row in rows]


def as_reservation_reads(folder: Path) -> dict[str, Site]:
    hours: dict[str, list[OpeningHours]] = defaultdict(list)
    accepted: dict[str, list[Acceptance]] = defaultdict(list)
    for row in cells(folder / "site_hours.csv"):
        part = site_files.part_of(Table.HOURS, row)
        assert isinstance(part, OpeningHours)
        hours[row["site_id"]].append(part)
    for row in cells(folder / "site_acceptance.csv"):
        entry = site_files.part_of(Table.ACCEPTANCE, row)
        assert isinstance(entry, Acceptance)
        accepted[row["site_id"]].append(entry)
    sites = [site_files.site_of(row) for row in cells(folder / "sites.csv")]
    return {
        site.site_id: site.model_copy(
            update={
                "hours": tuple(hours[site.site_id]),
                "acceptance": tuple(accepted[site.site_id]),
            }
        )
        for site in sites
    }


@pytest.mark.parametrize("folder", [DATA, DATA / "replay"])
def test_sites_are_open_alike_on_every_day_of_a_year(folder: Path) -> None:
    city, theirs = read_city(WARDS, folder / "sites.csv"), as_reservation_reads(folder)
    for ours in city.sites:
        site = theirs[ours.site_id]
        assert ours.seats == min(site.counters, site.terminals)
        for ahead in range(366):
            day = date(2025, 4, 1) + timedelta(days=ahead)
            assert ours.hours_on(day, city.calendar) == list(hours_on(site, day, city.calendar))
            for procedure in Procedure:
                assert rests(procedure, day) == national_system_rests(procedure, day)
                for ward in city.wards:
                    may = ours.accepts(procedure, ward.code, day) and not rests(procedure, day)
                    assert may == would_accept(site, procedure, WardCode(ward.code), day)
