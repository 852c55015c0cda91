"""What preparation tells of cards: each message becomes a fact of its case's file.

The facts are kept whatever order they come in; what they mean together is decided when a citizen
stands at the counter. Hold and void reasons are not kept: the counter needs only that they exist.
"""

from collections.abc import Sequence

from services.issuance.domain.case_file import Ended
from services.issuance.store import case_files
from services.issuance.store.case_files import Notice, Opened, Place
from shared.contracts.base import CaseOpened
from shared.contracts.preparation import (
    CardArrived,
    CardDispatched,
    CardDisposalDue,
    CardDisposed,
    CardHeld,
    CardNotified,
    CardReceived,
    CardReleased,
    CardShelved,
    CardTransferFailed,
    CardVoided,
    TransferFailure,
)
from shared.messaging.envelope import Message
from shared.security.blind_index import BlindKey
from shared.unit import Unit


async def opened(unit: Unit, messages: Sequence[Message[CaseOpened]]) -> None:
    """A case begins, in preparation or in reservation."""
    await case_files.opened(unit.conn, [Opened.by(m.data) for m in messages])


async def received(unit: Unit, messages: Sequence[Message[CardReceived]]) -> None:
    """The card is in the city; its validity is known, and that of the card it replaces."""
    facts = [(m.data.case_id, m.sequence, m.data.card_expires_on) for m in messages]
    await case_files.valid_until(unit.conn, facts)
    await case_files.replaces(
        unit.conn, [(m.data.case_id, m.sequence, m.data.old_card_expires_on) for m in messages]
    )


async def shelved(unit: Unit, messages: Sequence[Message[CardShelved]]) -> None:
    """The card lies on a shelf."""
    places = [
        Place(m.data.case_id, m.sequence, m.data.site_id, m.data.shelf_position) for m in messages
    ]
    await case_files.placed(unit.conn, places)


async def dispatched(unit: Unit, messages: Sequence[Message[CardDispatched]]) -> None:
    """The card left for another site."""
    places = [Place(m.data.case_id, m.sequence, None, in_transit=True) for m in messages]
    await case_files.placed(unit.conn, places)


async def arrived(unit: Unit, messages: Sequence[Message[CardArrived]]) -> None:
    """The card is at the site, on its way to the shelf."""
    places = [Place(m.data.case_id, m.sequence, m.data.site_id) for m in messages]
    await case_files.placed(unit.conn, places)


async def transfer_failed(unit: Unit, messages: Sequence[Message[CardTransferFailed]]) -> None:
    """Only a missing card changes its place; a late or unmovable one stays as last told."""
    places = [
        Place(m.data.case_id, m.sequence, None)
        for m in messages
        if m.data.reason is TransferFailure.MISSING
    ]
    await case_files.placed(unit.conn, places)


async def notified(unit: Unit, messages: Sequence[Message[CardNotified]]) -> None:
    """A notice invites the citizen; its number is known by its hash."""
    notices = [
        Notice(m.data.case_id, BlindKey(m.data.key_id, m.data.number_key), m.data.notice_seq)
        for m in messages
    ]
    await case_files.notified(unit.conn, notices)
    await case_files.valid_until(
        unit.conn, [(m.data.case_id, m.sequence, m.data.card_expires_on) for m in messages]
    )
    await case_files.to_be_collected_by(
        unit.conn, [(m.data.case_id, m.sequence, m.data.pickup_deadline) for m in messages]
    )
    await case_files.resident_in(
        unit.conn, [(m.data.case_id, m.sequence, m.data.ward) for m in messages]
    )


async def held(unit: Unit, messages: Sequence[Message[CardHeld]]) -> None:
    """The card must wait."""
    await case_files.held(unit.conn, [(m.data.case_id, m.sequence, True) for m in messages])


async def released(unit: Unit, messages: Sequence[Message[CardReleased]]) -> None:
    """The hold was cleared; the ward may be another one now."""
    await case_files.held(unit.conn, [(m.data.case_id, m.sequence, False) for m in messages])
    await case_files.resident_in(
        unit.conn, [(m.data.case_id, m.sequence, m.data.ward) for m in messages]
    )


async def voided(unit: Unit, messages: Sequence[Message[CardVoided]]) -> None:
    """The case has ended without its card."""
    facts = [(m.data.case_id, m.sequence, Ended.VOIDED) for m in messages]
    await case_files.ended(unit.conn, facts)


async def disposal_due(unit: Unit, messages: Sequence[Message[CardDisposalDue]]) -> None:
    """The card waits for its disposal."""
    facts = [(m.data.case_id, m.sequence, Ended.DISPOSAL_DUE) for m in messages]
    await case_files.ended(unit.conn, facts)


async def disposed(unit: Unit, messages: Sequence[Message[CardDisposed]]) -> None:
    """The card was destroyed."""
    facts = [(m.data.case_id, m.sequence, Ended.DISPOSED) for m in messages]
    await case_files.ended(unit.conn, facts)
