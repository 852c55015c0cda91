"""Login by e-mail: a code goes to the address, and whoever types it has shown that it is theirs.

Asking for a code does the same work and gets the same answer whether the address is known or not;
a wrong code, an old one and an unknown request are one refusal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.reservation.domain.contact import mailbox, subject_of
from services.reservation.domain.message import Kind
from services.reservation.handlers import contacts as contact_handlers
from services.reservation.handlers.sessions import LoginRefused
from services.reservation.store import contacts, messages, renewals
from services.reservation.store.contacts import LoginRequest, NewContact, StoredContact
from services.reservation.tools import Tools
from shared.errors import Language, Text
from shared.ids import CaseId, new_id
from shared.security import vault as vaults
from shared.security.vault import Cell
from shared.unit import Unit

CODE_PURPOSE = "login"
LASTS = timedelta(minutes=15)


class CodeLoginRefused(LoginRefused):
    """The one answer for every failed login by e-mail: whoever logs in so has no notice."""

    remedy = Text(
        "Type the eight digits of the newest mail, or ask for another code.",
        "最新のメールにある8桁を入力するか、新しいコードを受け取ってください。",
    )


@dataclass(frozen=True, slots=True)
class OpenLogin:
    """Who has logged in: their open renewals, or the id that their next one will have."""

    contact_id: UUID
    cases: Sequence[CaseId]
    next_case: CaseId | None


def login_cell(request_id: UUID) -> Cell:
    """Where the address of a login request lies."""
    return Cell(contact_handlers.login_subject(request_id), "login_request.email")


async def request(unit: Unit, tools: Tools, email: str, language: Language) -> UUID:
    """Send a code to ``email``; the id under which to type it."""
    request_id = new_id()
    cell = login_cell(request_id)
    sealed = (await tools.vault.seal(unit.conn, {cell: email}))[cell]
    keys = tools.address_keys(mailbox(email))
    await contacts.request(unit.conn, request_id, LoginRequest(keys, sealed, language), LASTS)
    await messages.write_code(unit.conn, Kind.LOGIN_CODE, request_id, unit.now)
    return request_id


async def confirm(unit: Unit, tools: Tools, request_id: UUID, code: str) -> OpenLogin:
    """Log in with the code of a request; it works once. Raises ``CodeLoginRefused``."""
    right = tools.is_code(CODE_PURPOSE, request_id, code)
    found = await contacts.take_request(unit.conn, request_id, right=right)
    if found is None:
        raise CodeLoginRefused
    login = await _login(unit, tools, request_id, found)
    await vaults.erase(unit.conn, [contact_handlers.login_subject(request_id)], at=unit.now)
    cases = await renewals.open_cases(unit.conn, login.contact_id)
    reserved = None if cases else await _reserved(unit, login)
    unit.audit("session.opened", subject=f"contact:{login.contact_id}")
    return OpenLogin(login.contact_id, cases, reserved)


async def forget_old(unit: Unit, limit: int = 200) -> int:
    """Forget login requests whose time is over, and their addresses with them."""
    old = await contacts.old_requests(unit.conn, limit)
    if old:
        subjects = [contact_handlers.login_subject(one) for one in old]
        await vaults.erase(unit.conn, subjects, at=unit.now)
    return len(old)


async def _login(unit: Unit, tools: Tools, request_id: UUID, found: LoginRequest) -> StoredContact:
    cell = login_cell(request_id)
    email = (await tools.vault.open(unit.conn, {cell: found.sealed_email}))[cell]
    if email is None:
        raise CodeLoginRefused
    keys = tools.address_keys(mailbox(email))
    if (known := await contacts.login(unit.conn, keys)) is not None:
        await contacts.rekey(unit.conn, known.contact_id, keys[0], found.language)
        return known
    contact_id = new_id()
    sealed, _ = await contact_handlers.seal(unit, tools, contact_id, email, None)
    new = NewContact(
        contact_id,
        found.language,
        sealed,
        None,
        address_key=keys[0],
        verified_at=unit.now,
        is_login=True,
    )
    # Whoever logs in with the same address at the same moment may have been first.
    if not await contacts.insert(unit.conn, new, unit.now):
        await vaults.erase(unit.conn, [subject_of(contact_id)], at=unit.now)
    login = await contacts.login(unit.conn, keys)
    if login is None:
        raise CodeLoginRefused
    return login


async def _reserved(unit: Unit, login: StoredContact) -> CaseId:
    """The next renewal's id is in the token already, so that opening it needs no other login."""
    if login.reserved_case_id is not None:
        return login.reserved_case_id
    case_id = CaseId(new_id())
    await contacts.reserve(unit.conn, login.contact_id, case_id)
    return case_id
