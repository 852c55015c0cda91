"""A satellite that serves by itself holds a lease: while it is away, cards at its site are handed
over there alone, and here only what its journal tells is worked.

ready → away (the satellite has taken its lease) → back (a supervisor has taken it back) → ready.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.errors import Conflict, NotFound, Text
from shared.ids import SiteId
from shared.security.principal import Principal


class SatelliteState(StrEnum):
    """Who hands over the cards of a site."""

    READY = "ready"
    AWAY = "away"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Satellite:
    """A satellite as headquarters know it; ``holder`` is the database that has its lease."""

    site_id: SiteId
    state: SatelliteState
    lease: int
    holder: UUID | None
    changed_at: datetime
    received_number: int
    received_at: datetime | None
    conflicts: int


@dataclass(frozen=True, slots=True)
class AtSatellite(Principal):
    """Whoever acted at a satellite, as its journal tells. ``is_decided``: what cannot be true
    beside other news is recorded all the same, for a supervisor has decided so.
    """

    is_decided: bool = False


class SatelliteUnknown(NotFound):
    """There is no satellite at this site."""

    slug = "satellite-not-known"
    title = Text("No satellite is set up at this site", "この窓口にはサテライトの登録がありません")
    remedy = Text(
        "Set it up at headquarters first (POST /v1/satellites).",
        "本部でサテライトを登録してください（POST /v1/satellites）。",
    )


class SiteAway(Conflict):
    """The satellite of this site serves by itself."""

    slug = "site-away"
    title = Text(
        "This site is served by its own satellite", "この窓口はサテライト側で受付・交付しています"
    )
    remedy = Text(
        "Serve the citizen at the satellite; if it cannot serve any more, a supervisor takes the"
        " site back (POST /v1/satellites/{site_id}:take-back).",
        "サテライトで対応してください。対応できない場合は責任者が窓口を引き取ってください"
        "（POST /v1/satellites/{site_id}:take-back）。",
    )


class LeaseRefused(Conflict):
    """The lease is held by another database, or was taken back."""

    slug = "lease-refused"
    title = Text("This satellite has no lease", "サテライトに貸し出されていません")
    remedy = Text(
        "A supervisor at headquarters sets the satellite up again (POST /v1/satellites).",
        "本部の責任者がサテライトを登録し直してください（POST /v1/satellites）。",
    )


class NotLeased(Conflict):
    """At the satellite: nothing may be done without a lease."""

    slug = "satellite-not-leased"
    title = Text(
        "This satellite may not serve by itself now", "このサテライトでは現在、受付・交付できません"
    )
    remedy = Text(
        "Connect it to headquarters; if it was taken back, headquarters serve this site.",
        "本部に接続してください。引き取り済みの場合は本部のシステムで対応してください。",
    )


class AtHeadquartersOnly(Conflict):
    """At the satellite: an act that its journal has no words for."""

    slug = "headquarters-only"
    title = Text("This is done at headquarters", "この操作は本部で行います")
    remedy = Text("Do it at headquarters.", "本部のシステムで操作してください。")


def leased(satellite: Satellite, holder: UUID) -> bool:
    """Whether ``holder`` begins a new lease; False where it has one. Raises ``LeaseRefused``."""
    if satellite.state is SatelliteState.READY:
        return True
    if satellite.state is SatelliteState.AWAY and satellite.holder == holder:
        return False
    raise LeaseRefused(extras={"state": satellite.state})
