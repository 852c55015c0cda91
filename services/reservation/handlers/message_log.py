"""The log of messages: references and outcomes, no addresses and no texts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.reservation.domain.message import MessageState
from services.reservation.handlers import post
from services.reservation.store import messages, outgoing
from services.reservation.store.messages import Logged
from shared.errors import NotFound, Text
from shared.ids import CaseId, SiteId
from shared.security.principal import EVERY_SITE
from shared.unit import Unit


class NoSuchMessage(NotFound):
    """No message has this id."""

    slug = "no-such-message"
    title = Text("There is no such message", "この通知はありません")


async def page(
    unit: Unit,
    *,
    site_id: SiteId | None,
    state: MessageState | None,
    case_id: CaseId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Logged]:
    """What was written, in order."""
    return await messages.page(
        unit.conn, site_id=site_id, state=state, case_id=case_id, after=after, limit=limit
    )


async def bounced(unit: Unit, message_id: UUID, code: str) -> Logged:
    """A mail server far away sent a mail back: record it, and have somebody call.

    Said again it changes nothing. Raises ``NoSuchMessage`` and ``SiteForbidden``.
    """
    found = await messages.read(unit.conn, message_id)
    if found is None:
        raise NoSuchMessage
    unit.principal.require_site(found.site_id or EVERY_SITE)
    ended = await outgoing.bounced(unit.conn, message_id, unit.now, code)
    if ended is not None:
        await post.came_back(unit, ended)
        unit.audit("message.bounced", subject=str(message_id), site_id=found.site_id, code=code)
    return await messages.read(unit.conn, message_id) or found
