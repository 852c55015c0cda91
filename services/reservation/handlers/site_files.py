"""Sites and their calendars in bulk: five tables, each a file, each site changed by itself.

A file of hours, exceptions, staff or acceptance says all of that for each site it names; sites it
does not name stay as they are. Values that are there already change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from services.reservation.domain.rules import Rules
from services.reservation.handlers import sites
from services.reservation.handlers.sites import Displaced
from services.reservation.store import sites as store
from shared.contracts.place import (
    Acceptance,
    HoursException,
    OpeningHours,
    Site,
    SiteName,
    SiteState,
    Staffing,
)
from shared.csv_file import Form
from shared.ids import SiteId
from shared.unit import Unit


class Table(StrEnum):
    """What a file is about."""

    SITES = "sites"
    HOURS = "hours"
    EXCEPTIONS = "exceptions"
    STAFF = "staff"
    ACCEPTANCE = "acceptance"


class Outcome(StrEnum):
    """What became of a site."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


FORMS: Mapping[Table, Form] = {
    Table.SITES: Form(
        ("site_id", "name_ja", "name_en", "kind", "ward", "latitude", "longitude", "opens_on",
         "counters", "terminals"),
        ("closes_on", "open_on_holidays"),
    ),
    Table.HOURS: Form(("site_id", "weekday", "opens", "closes"), ("occurrences",)),
    Table.EXCEPTIONS: Form(("site_id", "business_date"), ("opens", "closes")),
    Table.STAFF: Form(("site_id", "weekday", "starts", "ends", "people")),
    Table.ACCEPTANCE: Form(("site_id", "procedure"), ("wards", "from_date", "until_date")),
}  # fmt: skip
PARTS: Mapping[Table, type[BaseModel]] = {
    Table.HOURS: OpeningHours,
    Table.EXCEPTIONS: HoursException,
    Table.STAFF: Staffing,
    Table.ACCEPTANCE: Acceptance,
}
_LISTS = ("occurrences", "wards")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows of one site, and the closure that a change began."""

    outcome: Outcome
    version: int


def part_of(table: Table, cells: Mapping[str, str]) -> BaseModel:
    """A row as the part of a site that it is. Raises ``pydantic.ValidationError``."""
    values: dict[str, Any] = {k: v for k, v in cells.items() if k != "site_id"}
    for name in _LISTS:
        if name in values:
            values[name] = values[name].split()
    return PARTS[table].model_validate(values)


def site_of(cells: Mapping[str, str]) -> Site:
    """A row of the sites as a new site without a calendar. Raises ``pydantic.ValidationError``."""
    values: dict[str, Any] = dict(cells)
    values["name"] = {"ja": values.pop("name_ja", None), "en": values.pop("name_en", None)}
    return Site.model_validate({**values, "state": SiteState.PLANNED})


async def take_site(unit: Unit, described: Site, rules: Rules, policy: Displaced) -> Taken:
    """Plan a site, or change what the file of sites says of it; its calendar stays.

    Raises ``SiteForbidden`` and what changing a site raises.
    """
    unit.principal.require_site(described.site_id)
    stored = await store.lock(unit.conn, described.site_id)
    if stored is not None:
        names = ("hours", "exceptions", "staff", "acceptance")
        kept = {name: getattr(stored.site, name) for name in names}
        described = described.model_copy(update=kept)
    settled = await sites.put(unit, described, rules, _any, policy=policy)
    return _taken(None if stored is None else stored.version, settled.version)


async def take_part(
    unit: Unit,
    site_id: SiteId,
    table: Table,
    parts: Sequence[BaseModel],
    *,
    rules: Rules,
    policy: Displaced,
) -> Taken:
    """Replace one table of a site. Raises ``SiteForbidden`` and what changing a site raises."""
    unit.principal.require_site(site_id)
    before = (await sites.find(unit, site_id)).version
    change = {table.value: tuple(parts)}
    settled = await sites.amend(unit, site_id, change, rules, _any, policy=policy)
    return _taken(before, settled.version)


def rows_of(site: Site, table: Table) -> list[dict[str, Any]]:
    """What a file of ``table`` says of the site; importing it changes nothing."""
    if table is Table.SITES:
        values = site.model_dump(mode="json")
        name = SiteName.model_validate(values.pop("name"))
        return [{**values, "name_ja": name.ja, "name_en": name.en}]
    parts: Sequence[BaseModel] = getattr(site, table.value)
    return [{"site_id": site.site_id, **_cells(part)} for part in parts]


def _cells(part: BaseModel) -> dict[str, Any]:
    values = part.model_dump(mode="json")
    for name in _LISTS:
        if values.get(name) is not None:
            values[name] = " ".join(str(one) for one in values[name])
    return values


def _any(_: int | None) -> None:
    """A file is not made from one version."""


def _taken(before: int | None, after: int) -> Taken:
    if before is None:
        return Taken(Outcome.CREATED, after)
    return Taken(Outcome.UNCHANGED if before == after else Outcome.CHANGED, after)
