"""Whether a site sells seats, and whom it serves with what; its hours are ``shared.opening``'s."""

from datetime import date

from shared.calendar import is_after_third_saturday
from shared.contracts.base import Procedure
from shared.contracts.place import Site, SiteState
from shared.ids import WardCode
from shared.opening import in_period, serves_ward


def on_sale(site: Site) -> bool:
    """Whether free seats of ``site`` are sold: to its last day, unless its planner stopped that."""
    return site.state is SiteState.OPEN or (site.state is SiteState.WINDING_DOWN and site.selling)


def accepts(site: Site, procedure: Procedure, ward: WardCode | None, day: date) -> bool:
    """Whether ``site`` sells seats to residents of ``ward`` for ``procedure`` on ``day``.

    Without a ward: whether it does to residents of any.
    """
    return on_sale(site) and would_accept(site, procedure, ward, day)


def would_accept(site: Site, procedure: Procedure, ward: WardCode | None, day: date) -> bool:
    """Whether ``site``, were it selling, would serve residents of ``ward`` like this."""
    if national_system_rests(procedure, day):
        return False
    return any(
        entry.procedure is procedure and serves_ward(entry, ward) and in_period(entry, day)
        for entry in site.acceptance
    )


def ever_accepts(site: Site, procedure: Procedure, ward: WardCode | None) -> bool:
    """Whether ``site`` serves residents of ``ward`` (of any) with ``procedure`` on any day."""
    return on_sale(site) and any(
        entry.procedure is procedure and serves_ward(entry, ward) for entry in site.acceptance
    )


def wards_of(site: Site) -> frozenset[WardCode]:
    """The wards that ``site`` names: the one it stands in, and those it serves."""
    served = (ward for entry in site.acceptance for ward in entry.wards or ())
    return frozenset({site.ward, *served})


def national_system_rests(procedure: Procedure, day: date) -> bool:
    """No certificate work on the Sunday after the third Saturday (the brief's calendar)."""
    return procedure is Procedure.CERTIFICATE_RENEWAL and is_after_third_saturday(day)
