"""Inquiry letters: the list of those to mail, and that they were mailed."""

from collections.abc import Sequence
from datetime import datetime

from services.issuance.domain.certificates import LetterState
from services.issuance.store import certificates
from services.issuance.store.certificates import Letter
from shared.errors import NotFound, Text
from shared.ids import CaseId, SiteId
from shared.unit import Unit


class LetterUnknown(NotFound):
    """No inquiry letter was asked for."""

    slug = "letter-not-known"
    title = Text("No inquiry letter was asked for", "照会書の送付依頼がありません")


async def page(
    unit: Unit,
    site_id: SiteId,
    state: LetterState | None,
    after: tuple[datetime, CaseId] | None,
    limit: int,
) -> Sequence[Letter]:
    """Letters of a site, the oldest first."""
    unit.audit("letter.list", subject=site_id, site_id=site_id)
    return await certificates.letters(unit.conn, site_id, state, after, limit)


async def mailed(unit: Unit, case_id: CaseId) -> Letter:
    """Note that a letter was mailed; noting it again changes nothing.

    Raises ``LetterUnknown`` and ``Forbidden`` (site).
    """
    letter = await certificates.lock_letter(unit.conn, case_id)
    if letter is None:
        raise LetterUnknown
    unit.principal.require_site(letter.site_id)
    if letter.state is LetterState.TO_MAIL:
        await certificates.letter_became(unit.conn, case_id, LetterState.MAILED, unit.now)
        unit.audit("letter.mail", subject=str(case_id), site_id=letter.site_id)
    return await certificates.lock_letter(unit.conn, case_id) or letter
