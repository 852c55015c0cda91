"""Opening many certificate renewals at once, each together with its booking, by staff on behalf.

Few statements for all. A contact is known by its telephone, and one that has a renewal gets no
other: the database keeps that. Who left no telephone has a renewal without a contact.

Locks: contacts come after cells, in the order of their ids; new ones in the order of their keys.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.reservation.domain.booking import CaseBusy
from services.reservation.domain.contact import subject_of, telephone
from services.reservation.domain.renewal import Opening, Renewal, RenewalActive
from services.reservation.handlers.contacts import phone_cell
from services.reservation.store import contacts, renewals
from services.reservation.store.contacts import NewContact
from services.reservation.tools import Tools
from shared.contracts.base import CaseKind, CaseOpened, Procedure
from shared.ids import new_id
from shared.security import vault as vaults
from shared.unit import Unit


async def open_all(
    unit: Unit, tools: Tools, asked: Sequence[tuple[Unit, Opening]]
) -> list[RenewalActive | None]:
    """Open renewals, each asked for by its own part of ``unit``; the refusals, in their order.

    Raises ``CaseBusy`` where a contact is erased at this moment.
    """
    callers = await _callers(unit, tools, [opening for _, opening in asked])
    if any(opening.phone is not None and opening.phone not in callers for _, opening in asked):
        raise CaseBusy
    wanted = [
        (part, _renewal(unit, opening, callers.get(opening.phone or ""))) for part, opening in asked
    ]
    opened = await renewals.insert_all(unit.conn, [renewal for _, renewal in wanted])
    links = []
    for part, renewal in wanted:
        if renewal.case_id not in opened:
            continue
        if renewal.contact_id is not None:
            links.append((renewal.case_id, renewal.contact_id))
        tell(part, renewal)
    await contacts.link_new(unit.conn, links)
    return await _refusals(unit, [None if r.case_id in opened else r for _, r in wanted])


def tell(unit: Unit, renewal: Renewal) -> None:
    """Say that a renewal was opened, to other rooms and to the audit."""
    unit.emit(
        CaseOpened(
            case_id=renewal.case_id,
            procedure=Procedure.CERTIFICATE_RENEWAL,
            kind=CaseKind.RENEWAL,
            ward=renewal.ward,
        )
    )
    if renewal.contact_id is None:
        unit.audit("case.opened", subject=str(renewal.case_id))
    else:
        contact_id = str(renewal.contact_id)
        unit.audit("case.opened", subject=str(renewal.case_id), contact_id=contact_id)


def _renewal(unit: Unit, opening: Opening, contact_id: UUID | None) -> Renewal:
    return Renewal(
        case_id=opening.case_id,
        contact_id=contact_id,
        ward=opening.ward,
        certificate_expires_on=opening.certificate_expires_on,
        opened_at=unit.now,
        ended_at=None,
    )


async def _refusals(unit: Unit, refused: Sequence[Renewal | None]) -> list[RenewalActive | None]:
    contact_ids = [r.contact_id for r in refused if r is not None and r.contact_id is not None]
    active = await renewals.active_of(unit.conn, contact_ids) if contact_ids else {}
    return [
        RenewalActive(active[r.contact_id]) if r is not None and r.contact_id is not None else None
        for r in refused
    ]


async def _callers(unit: Unit, tools: Tools, asked: Sequence[Opening]) -> Mapping[str, UUID]:
    """The contact of each telephone, kept from now on where it was not known."""
    first = {opening.phone: opening for opening in reversed(asked) if opening.phone is not None}
    if not first:
        return {}
    keys = {phone: tools.address_keys(telephone(phone)) for phone in first}
    found = await _known(unit, keys)
    if missing := {phone: first[phone] for phone in keys.keys() - found.keys()}:
        await _keep(unit, tools, missing, keys)
        found = {**found, **await _known(unit, {phone: keys[phone] for phone in missing})}
    return found


async def _known(unit: Unit, keys: Mapping[str, Sequence[str]]) -> dict[str, UUID]:
    """Contacts by telephone; the newest of its keys counts."""
    found = await contacts.logins(unit.conn, [key for each in keys.values() for key in each])
    hits = {phone: [found[key] for key in each if key in found] for phone, each in keys.items()}
    return {phone: each[0] for phone, each in hits.items() if each}


async def _keep(
    unit: Unit, tools: Tools, new: Mapping[str, Opening], keys: Mapping[str, Sequence[str]]
) -> None:
    """Keep new contacts; one whose telephone another transaction has kept meanwhile is dropped."""
    made = {phone: new_id() for phone in new}
    cells = {phone_cell(made[phone]): phone for phone in new}
    sealed = await tools.vault.seal(unit.conn, cells)
    kept = await contacts.insert_logins(
        unit.conn,
        [
            NewContact(
                made[phone],
                opening.language,
                None,
                sealed[phone_cell(made[phone])],
                address_key=keys[phone][0],
                is_login=True,
            )
            for phone, opening in new.items()
        ],
        unit.now,
    )
    if dropped := [subject_of(one) for one in made.values() if one not in kept]:
        await vaults.erase(unit.conn, dropped, at=unit.now)
