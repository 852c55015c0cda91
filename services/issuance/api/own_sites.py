"""An instance that serves some sites answers for no other: its callers are the same people, and
may act here at the sites of this instance alone.
"""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request

from shared.errors import Problem, Text
from shared.http.resources import Authenticate
from shared.ids import SiteId
from shared.security.principal import EVERY_SITE, Principal


class SiteServedElsewhere(Problem):
    """Another instance serves this site; ``served`` names the sites of this one."""

    status = 421
    slug = "site-served-elsewhere"
    title = Text("This site is not served here", "この窓口は、このサーバーの担当ではありません")
    remedy = Text(
        "Send the request to the instance of this site, or by the address of the city, which finds"
        " it.",
        "担当のサーバー、または市の共通アドレスに送信してください。",
    )


@dataclass(frozen=True, slots=True)
class PrincipalHere(Principal):
    """A principal at an instance that serves the sites ``served``."""

    served: frozenset[SiteId] = frozenset()

    def require_site(self, site_id: SiteId) -> None:
        """Raise ``SiteForbidden`` for a site of others, ``SiteServedElsewhere`` for another's."""
        Principal.require_site(self, site_id)
        if site_id != EVERY_SITE:
            require_served(self.served, site_id)


def require_served(served: Collection[SiteId] | None, site_id: SiteId) -> None:
    """Raise ``SiteServedElsewhere`` unless ``site_id`` is ``served``; None serves every site."""
    if served is not None and site_id not in served:
        raise SiteServedElsewhere(extras={"site_id": site_id, "served": sorted(served)})


def limited(authenticate: Authenticate, served: frozenset[SiteId]) -> Authenticate:
    """``authenticate`` for an instance that serves some sites."""

    async def here(authorization: str | None) -> Principal:
        found = await authenticate(authorization)
        return PrincipalHere(
            subject=found.subject,
            roles=found.roles,
            sites=found.sites,
            cases=found.cases,
            served=served,
        )

    return here


def require_board(request: Request, site_id: SiteId) -> None:
    """Raise ``SiteServedElsewhere`` where the waiting room of ``site_id`` is not served here."""
    require_served(request.app.state.served, site_id)
