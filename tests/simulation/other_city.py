"""The files of a city that is not Kawasaki: two wards, a hall for both procedures and a desk for
certificates, and more demand in its first month than they have seats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

_WARDS = """\
code,population,office_latitude,office_longitude
131016,67000,35.694,139.753
131024,170000,35.671,139.772
"""
_SITES = """\
site_id,name_ja,name_en,kind,ward,latitude,longitude,opens_on,counters,terminals
hall,区役所,Hall,ward_office,131016,35.694,139.753,2024-01-01,2,1
desk,証明書コーナー,Desk,satellite,131024,35.671,139.772,2024-01-01,1,2
"""
_ACCEPTANCE = """\
site_id,procedure
hall,card_issuance
hall,certificate_renewal
desk,certificate_renewal
"""
_HOURS = {"hall": "09:00,12:00", "desk": "10:00,12:00"}
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
_DEMAND = {"card_issuance": (60, 35), "certificate_renewal": (45, 35)}


@dataclass(frozen=True, slots=True)
class CityFiles:
    """Where they lie."""

    demand: Path
    wards: Path
    sites: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        """As `madoguchi replay` takes them."""
        named = {"--demand": self.demand, "--wards": self.wards, "--sites": self.sites}
        return tuple(str(part) for pair in named.items() for part in pair)


def write_city(folder: Path, months: Sequence[str]) -> CityFiles:
    """Write them, with the demand of two ``months``."""
    files = CityFiles(folder / "demand.csv", folder / "wards.csv", folder / "sites.csv")
    files.wards.write_text(_WARDS)
    files.sites.write_text(_SITES, encoding="utf-8")
    (folder / "site_acceptance.csv").write_text(_ACCEPTANCE)
    hours = [f"{site},{day},{_HOURS[site]}\n" for site, day in product(_HOURS, _WEEK)]
    (folder / "site_hours.csv").write_text("site_id,weekday,opens,closes\n" + "".join(hours))
    lines = [
        f"{month},{service},forecast,{count}\n"
        for service, wanted in _DEMAND.items()
        for month, count in zip(months, wanted, strict=True)
    ]
    files.demand.write_text("month,service,basis,count\n" + "".join(lines))
    return files
