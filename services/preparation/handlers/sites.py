"""What reservation says about sites: facts are kept as they come; the store restores order."""

from collections.abc import Sequence

from services.preparation.domain.shelves import Homes
from services.preparation.settings import PreparationSettings
from services.preparation.store import sites
from services.preparation.store.sites import SiteFact
from shared.contracts.base import Procedure
from shared.contracts.place import Site
from shared.contracts.site import (
    SiteChanged,
    SiteClosed,
    SiteOpened,
    SitePlanned,
    SiteWindDownStarted,
)
from shared.db import Connection
from shared.ids import WardCode
from shared.messaging.envelope import Message
from shared.unit import Unit

Snapshot = SitePlanned | SiteOpened | SiteChanged | SiteWindDownStarted | SiteClosed


async def changed(
    unit: Unit,
    messages: Sequence[
        Message[SitePlanned]
        | Message[SiteOpened]
        | Message[SiteChanged]
        | Message[SiteWindDownStarted]
        | Message[SiteClosed]
    ],
) -> None:
    """Remember what each site is now."""
    await sites.remember(unit.conn, [_fact(message.data, message.sequence) for message in messages])


async def homes(conn: Connection, settings: PreparationSettings) -> Homes:
    """The default shelf of each ward."""
    return Homes(settings.homes, await sites.offices(conn))


def _fact(said: Snapshot, sequence: int) -> SiteFact:
    site = said.site
    last = said.last_day if isinstance(said, SiteWindDownStarted) else site.closes_on
    wards = _card_wards(site)
    return SiteFact(site.site_id, site.kind, site.ward, site.state, last, wards, sequence)


def _card_wards(site: Site) -> frozenset[WardCode] | None:
    accepted = [one.wards for one in site.acceptance if one.procedure is Procedure.CARD_ISSUANCE]
    if None in accepted:
        return None
    return frozenset(ward for wards in accepted for ward in wards or ())
