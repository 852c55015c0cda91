"""Keeps which alerts there were, and who took note of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.reporting.domain.alerts import Alert, AlertKind
from services.reporting.handlers import alerts
from services.reporting.handlers.alerts import Watch
from services.reporting.store import alerts as stored
from services.reporting.store.alerts import AlertId, Kept
from shared.errors import NotFound, Text
from shared.ids import SiteId
from shared.security.principal import EVERY_SITE, Principal, Role, SiteForbidden
from shared.unit import Unit


class NoSuchAlert(NotFound):
    """There is no alert with this id."""

    slug = "no-such-alert"
    title = Text("There is no such alert", "この警告はありません")
    remedy = Text(
        "See GET /v1/alerts/history for the ids.", "GET /v1/alerts/history で確認できます。"
    )


async def look(unit: Unit, watch: Watch) -> None:
    """Write down what asks for somebody now, and what no longer does."""
    await stored.alone(unit.conn)
    await stored.settle(unit.conn, await alerts.found(unit, watch), unit.now)


async def seen(
    unit: Unit, watch: Watch
) -> tuple[Sequence[Alert], Mapping[tuple[AlertKind, str], Kept]]:
    """What asks for somebody now, and each of it as it is written down."""
    found = await alerts.found(unit, watch)
    return found, await shown(unit, found)


async def shown(unit: Unit, found: Sequence[Alert]) -> Mapping[tuple[AlertKind, str], Kept]:
    """All that stands, ``found`` written down with it: who was shown an alert finds it in the
    history, also where it ends before the next look, which ends it there."""
    kept = await stored.open_(unit.conn)
    fresh = [each for each in found if (each.kind, each.subject) not in kept]
    if fresh:
        await stored.begin(unit.conn, fresh, unit.now)
        kept = await stored.open_(unit.conn)
    return kept


def is_theirs(principal: Principal, site_id: SiteId | None) -> bool:
    """Whether an alert of this site is for somebody to take note of; one of the whole city (none)
    is for planners, and for who may act at every site."""
    if site_id is None and Role.PLANNER in principal.roles:
        return True
    return principal.may_act_at(site_id or EVERY_SITE)


async def acknowledge(unit: Unit, alert_id: AlertId) -> Kept:
    """Say that the caller has taken note; who was first stays.

    Raises ``NoSuchAlert``, and ``SiteForbidden`` for an alert that is not theirs.
    """
    kept = await stored.lock(unit.conn, alert_id)
    if kept is None:
        raise NoSuchAlert
    if not is_theirs(unit.principal, kept.alert.site_id):
        raise SiteForbidden(kept.alert.site_id or EVERY_SITE)
    if kept.acknowledged_at is not None:
        return kept
    by = unit.principal.subject
    await stored.acknowledge(unit.conn, alert_id, unit.now, by)
    unit.audit("alert.acknowledged", subject=str(alert_id), site_id=kept.alert.site_id)
    return replace(kept, acknowledged_at=unit.now, acknowledged_by=by)
