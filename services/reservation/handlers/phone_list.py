"""Calls that staff make because no mail reaches somebody; every list shown is audited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.reservation.handlers.contacts import email_cell, phone_cell
from services.reservation.store import phone_list
from services.reservation.store.phone_list import PhoneEntry
from services.reservation.tools import Tools
from shared.errors import NotFound, Text
from shared.ids import SiteId
from shared.security.principal import EVERY_SITE
from shared.security.vault import Cell
from shared.unit import Unit


class NoSuchCall(NotFound):
    """No entry of the phone list has this id."""

    slug = "no-such-call"
    title = Text("There is no such call on the list", "この電話連絡はリストにありません")


@dataclass(frozen=True, slots=True)
class Call:
    """An entry, and how to reach the citizen; both None where nothing is kept."""

    entry: PhoneEntry
    phone: str | None
    email: str | None


async def page(
    unit: Unit,
    tools: Tools,
    site_id: SiteId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Call]:
    """Open calls, the oldest first. Each shown is audited as a reading of contact data."""
    entries = await phone_list.page(unit.conn, site_id, after, limit)
    cells: dict[Cell, bytes] = {}
    for entry in entries:
        if entry.contact_id is not None:
            sealed = {
                phone_cell(entry.contact_id): entry.sealed_phone,
                email_cell(entry.contact_id): entry.sealed_email,
            }
            cells |= {cell: data for cell, data in sealed.items() if data is not None}
        unit.audit("phone_list.read", subject=str(entry.case_id), site_id=entry.site_id)
    opened = await tools.vault.open(unit.conn, cells)
    return [_call(entry, opened) for entry in entries]


async def close(unit: Unit, entry_id: UUID, outcome: str) -> None:
    """Take a call off the list; one that is off stays as it is.

    Raises ``NoSuchCall`` and ``SiteForbidden``.
    """
    found = await phone_list.site_of(unit.conn, entry_id)
    if found is None:
        raise NoSuchCall
    site_id, case_id = found
    unit.principal.require_site(EVERY_SITE if site_id is None else site_id)
    if await phone_list.done(unit.conn, entry_id, unit.now, outcome):
        unit.audit(
            "phone_list.closed",
            subject=str(case_id),
            site_id=site_id,
            entry_id=str(entry_id),
            outcome=outcome,
        )


def _call(entry: PhoneEntry, opened: dict[Cell, str | None]) -> Call:
    if entry.contact_id is None:
        return Call(entry, None, None)
    phone, email = phone_cell(entry.contact_id), email_cell(entry.contact_id)
    return Call(entry, opened.get(phone), opened.get(email))
