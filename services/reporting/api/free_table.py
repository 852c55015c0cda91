"""First free dates as tables."""

from collections.abc import Sequence
from datetime import date

from services.reporting.domain.free import first_free, first_free_of_ward
from services.reporting.handlers.site_reports import Outlook
from shared.contracts.base import Procedure
from shared.contracts.place import SiteName
from shared.errors import Language, Text
from shared.http.tables import Cell, Column, Table

_PROCEDURE = Column("procedure", Text("Procedure", "手続"))
_FIRST = Column("first_free", Text("First free day", "最短予約可能日"))
_DAYS = Column("days", Text("Days from today", "本日からの日数"))
_WARD = Column("ward", Text("Ward of residence", "住所地の区（団体コード）"))
_SITE = Column("site_id", Text("Site", "窓口"))
_NAME = Column("site_name", Text("Name of the site", "窓口名"))


def free_by_site(outlook: Outlook, language: Language) -> Table:
    """A row per site and procedure that it offers."""
    seats = outlook.seats
    found = first_free(seats)
    offered = sorted({(key[0], each) for key, free in seats.items() for each in free})
    names = {site.site_id: site.name for site in outlook.sites}
    rows: list[Sequence[Cell]] = []
    for site_id, procedure in offered:
        day = found.get((site_id, procedure))
        name = _name(names.get(site_id), language)
        rows.append((site_id, name, procedure, day, _days(outlook, day)))
    return Table(f"first-free-{outlook.today}", (_SITE, _NAME, _PROCEDURE, _FIRST, _DAYS), rows)


def free_by_ward(outlook: Outlook) -> Table:
    """A row per ward and procedure: the first day at any site that serves the ward."""
    rows: list[Sequence[Cell]] = []
    seats = outlook.seats
    for ward in sorted({site.ward for site in outlook.sites}):
        for procedure in Procedure:
            found = first_free_of_ward(seats, outlook.sites, ward, procedure)
            day, site_id = found or (None, None)
            rows.append((ward, procedure, day, _days(outlook, day), site_id))
    columns = (_WARD, _PROCEDURE, _FIRST, _DAYS, _SITE)
    return Table(f"first-free-of-wards-{outlook.today}", columns, rows)


def _days(outlook: Outlook, day: date | None) -> int | None:
    return None if day is None else (day - outlook.today).days


def _name(name: SiteName | None, language: Language) -> str | None:
    return None if name is None else name.ja if language == "ja" else name.en
