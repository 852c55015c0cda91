"""Telling other rooms of a site: the whole of it, and what it decides that they work by."""

from typing import Any

from services.reservation.store import site_rules
from shared.contracts.place import Site
from shared.contracts.site import Lateness, SiteSnapshot
from shared.unit import Unit


async def tell(unit: Unit, kind: type[SiteSnapshot], site: Site, **more: Any) -> None:
    """Say what has become of ``site``; ``more`` is what this kind of news carries besides."""
    own = await site_rules.read(unit.conn, site.site_id)
    lateness = tuple(
        Lateness(procedure=procedure, minutes=own[procedure].lateness_minutes)
        for procedure in sorted(own)
        if own[procedure].lateness_minutes is not None
    )
    unit.emit(kind(site=site, lateness=lateness, **more))
