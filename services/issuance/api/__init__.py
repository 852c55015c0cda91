"""HTTP → command. Bodies are exact: a field nobody asked for is refused, above all a PIN."""

from fastapi import FastAPI

from services.issuance.access import ACCESS
from services.issuance.api import counter, days, visits
from services.issuance.api.desk import Desk
from services.issuance.settings import IssuanceSettings
from shared.http.app import create_app
from shared.room import Resources
from shared.security.blind_index import BlindIndex
from shared.settings import key_ring

DESCRIPTION = (
    "The counter, from check-in to card in hand: whom a site expects, visits and their cases, "
    "and the sign-off of the day."
)


def build(resources: Resources) -> FastAPI:
    """The app of the issuance room.

    Raises ``ValueError`` where the key ring of notice numbers is missing or malformed.
    """
    app = create_app(
        title="Madoguchi issuance",
        description=DESCRIPTION,
        routers=[days.router, visits.router, counter.router],
        access=ACCESS,
        resources=resources,
    )
    app.state.desk = Desk(
        index=BlindIndex(key_ring(resources.settings.notice_keys, "NOTICE_KEYS")),
        grace=IssuanceSettings().grace,
    )
    return app
