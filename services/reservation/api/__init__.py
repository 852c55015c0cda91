"""HTTP of the reservation room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reservation.access import ACCESS
from services.reservation.api import (
    alternatives,
    availability,
    booking_batch,
    bookings,
    calendar,
    cases,
    closures,
    contacts,
    cutover,
    email_sessions,
    holds,
    links,
    messages,
    moves,
    renewals,
    sessions,
    site_files,
    site_life,
    site_parts,
    site_rules,
    sites,
    suspensions,
    waitlist,
)
from services.reservation.api.citizen_desk import CitizenDesk, SessionUse
from services.reservation.api.desk import Desk
from services.reservation.citizen_settings import CitizenSettings
from services.reservation.handlers import searches
from services.reservation.handlers.board import Board
from services.reservation.settings import ReservationSettings
from services.reservation.tools import Tools
from shared.calendar import BusinessCalendar
from shared.http.app import create_app
from shared.room import Resources
from shared.security.blind_index import BlindIndex
from shared.security.citizen_tokens import CitizenKeys, CitizenTokens
from shared.settings import KernelSettings, key_ring

DESCRIPTION = """
Sites and their calendars, free seats, and bookings.

A citizen logs in at `POST /v1/sessions` with the number on the notice and the birth date, looks
for a seat at `GET /v1/availability` and takes it at `POST /v1/bookings`, or holds it first at
`POST /v1/holds`. Where nothing suits, `POST /v1/waitlist` waits for a seat that is given back.
Staff do all of this on behalf.
"""

SEATS = (
    bookings.router,
    holds.router,
    site_rules.router,
    moves.router,
    booking_batch.router,
    cutover.router,
    waitlist.router,
)
LIFE = (
    site_parts.router,
    site_life.router,
    site_files.router,
    closures.router,
    suspensions.router,
    calendar.router,
    alternatives.router,
)
CITIZENS = (
    cases.router,
    email_sessions.router,
    renewals.router,
    contacts.router,
    links.router,
    messages.router,
)


def build(resources: Resources) -> FastAPI:
    """The app of this room.

    Raises ``ValueError`` naming a setting that is missing or malformed.
    """
    desk = _desk(resources.settings)
    board = Board(resources.database, resources.units, desk.rules, room=resources.room)
    app = create_app(
        title="Madoguchi: reservation",
        description=DESCRIPTION,
        # What is asked most comes first: the framework looks through routers in this order.
        routers=[
            availability.router,
            *SEATS,
            sessions.router,
            sites.router,
            *LIFE,
            *CITIZENS,
        ],
        access=ACCESS,
        resources=resources,
        lifespan=lambda _: _beside(board, resources),
    )
    app.state.desk, app.state.board = desk, board
    citizens = _citizen_desk(resources)
    app.state.citizen_desk = citizens
    app.state.booking_groups = bookings.booking_groups(resources, desk.rules, citizens.tools)
    return app


@asynccontextmanager
async def _beside(board: Board, resources: Resources) -> AsyncIterator[None]:
    """While the app serves, what was asked lately is kept at hand, and searches are told."""
    telling = searches.telling(resources.units, board.searches, resources.room)
    tasks = [asyncio.create_task(work) for work in (board.lately.keep(), telling)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _desk(settings: KernelSettings) -> Desk:
    if settings.citizen_signing_key_file is None:
        raise ValueError("MADOGUCHI_CITIZEN_SIGNING_KEY_FILE: name a PEM file of P-256 keys")
    keys = CitizenKeys.read(settings.citizen_signing_key_file)
    return Desk(
        rules=ReservationSettings().rules(BusinessCalendar()),
        index=BlindIndex(key_ring(settings.notice_keys, "NOTICE_KEYS")),
        keys=keys,
        tokens=CitizenTokens(keys, issuer=settings.citizen_issuer, audience=settings.oidc_audience),
    )


def _citizen_desk(resources: Resources) -> CitizenDesk:
    limits = CitizenSettings().fair_use()
    return CitizenDesk(Tools.read(resources.doors), limits, SessionUse(limits.session_changes))
