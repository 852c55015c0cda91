"""HTTP → command. Bodies are exact: a field nobody asked for is refused, above all a PIN."""

from dataclasses import replace

from fastapi import FastAPI

from services.issuance.access import ACCESS
from services.issuance.api import (
    board,
    conflicts,
    counter,
    counters,
    day_end,
    days,
    days_batch,
    satellites,
    tickets,
    visit_batch,
    visits,
)
from services.issuance.api.board_page import board_page
from services.issuance.api.counter_page import counter_page
from services.issuance.api.desk import Desk
from services.issuance.api.desk_routes import ROUTERS as DESK_ROUTES
from services.issuance.api.own_sites import limited
from services.issuance.api.page_session import COUNTER, PageSession
from services.issuance.api.sign_in import CounterLook
from services.issuance.handlers.board import Outlook
from services.issuance.handlers.journal import JournalUnits
from services.issuance.handlers.measuring import Learning
from services.issuance.handlers.queue import QueueRules
from services.issuance.instance import InstanceSettings
from services.issuance.settings import IssuanceSettings
from shared.http.app import create_app
from shared.http.page_session import SHOWN, refusals
from shared.http.page_sign_in import PageSignIn, Provider
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
    settings, own = IssuanceSettings(), InstanceSettings()
    if own.served is not None:
        resources = replace(resources, authenticate=limited(resources.authenticate, own.served))
    if own.satellite is not None:
        resources = replace(resources, units=_of_satellite(resources))
    outlook = Outlook(settings.priorities, settings.default_times, settings.national)
    provider, look = Provider.of(settings, resources.settings), CounterLook()
    hub = board.hub(resources, outlook, settings.board_listeners)
    app = create_app(
        title="Madoguchi issuance",
        description=DESCRIPTION,
        routers=[
            days.router,
            day_end.router,
            days_batch.router,
            visits.router,
            visit_batch.router,
            satellites.router,
            conflicts.router,
            counter.router,
            *DESK_ROUTES,
            tickets.router,
            counters.router,
            board.router,
            board_page(),
            counter_page(PageSignIn(COUNTER, look, provider)),
        ],
        access=ACCESS,
        resources=resources,
        lifespan=board.lifespan(hub, provider.http if provider else None),
    )
    app.add_middleware(PageSession)
    for shown in SHOWN:
        app.add_exception_handler(shown, refusals(COUNTER, look.refused))
    app.state.hub = hub
    app.state.served = own.served
    app.state.satellite = own.satellite
    app.state.desk = Desk(
        index=BlindIndex(key_ring(resources.settings.notice_keys, "NOTICE_KEYS")),
        grace=settings.grace,
        soon_days=settings.out_of_reservation_days,
        queue=QueueRules(settings.priorities, settings.skips_allowed),
        outlook=outlook,
        learning=Learning(settings.measured_days, settings.measured_least),
        national=settings.national,
        switch_from=settings.next_generation_from,
    )
    return app


def _of_satellite(resources: Resources) -> JournalUnits:
    room = resources.room
    source = resources.settings.source(room)
    return JournalUnits(resources.database, room=room, source=source, clock=resources.clock)
