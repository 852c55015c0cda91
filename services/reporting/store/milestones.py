"""The first time at which a case reached each milestone, for any mixture of milestones at once.

Earliest of all tellings: the same in any order and however often it is told.
"""

from collections.abc import Sequence
from datetime import datetime

from services.reporting.domain.milestones import Milestone
from shared.db import Connection
from shared.ids import CaseId

_REACH = """
INSERT INTO case_fact AS known (
    case_id, received_at, inspected_at, rejected_at, registry_checked_at, held_at, released_at,
    voided_at, preset_at, shelved_at, notified_at, notice_returned_at, dispatched_at,
    arrived_at, transfer_failed_at, disposal_due_at, disposed_at, booked_at, booking_moved_at,
    booking_cancelled_at, booking_missed_at, booking_fulfilled_at, offered_at,
    contact_erased_at, checked_in_at, called_at, served_at, deferred_at, abandoned_at,
    visit_missed_at, certificate_failed_at, pin_reset_at
)
SELECT case_id,
    min(at) FILTER (WHERE milestone = 'received'),
    min(at) FILTER (WHERE milestone = 'inspected'),
    min(at) FILTER (WHERE milestone = 'rejected'),
    min(at) FILTER (WHERE milestone = 'registry_checked'),
    min(at) FILTER (WHERE milestone = 'held'),
    min(at) FILTER (WHERE milestone = 'released'),
    min(at) FILTER (WHERE milestone = 'voided'),
    min(at) FILTER (WHERE milestone = 'preset'),
    min(at) FILTER (WHERE milestone = 'shelved'),
    min(at) FILTER (WHERE milestone = 'notified'),
    min(at) FILTER (WHERE milestone = 'notice_returned'),
    min(at) FILTER (WHERE milestone = 'dispatched'),
    min(at) FILTER (WHERE milestone = 'arrived'),
    min(at) FILTER (WHERE milestone = 'transfer_failed'),
    min(at) FILTER (WHERE milestone = 'disposal_due'),
    min(at) FILTER (WHERE milestone = 'disposed'),
    min(at) FILTER (WHERE milestone = 'booked'),
    min(at) FILTER (WHERE milestone = 'booking_moved'),
    min(at) FILTER (WHERE milestone = 'booking_cancelled'),
    min(at) FILTER (WHERE milestone = 'booking_missed'),
    min(at) FILTER (WHERE milestone = 'booking_fulfilled'),
    min(at) FILTER (WHERE milestone = 'offered'),
    min(at) FILTER (WHERE milestone = 'contact_erased'),
    min(at) FILTER (WHERE milestone = 'checked_in'),
    min(at) FILTER (WHERE milestone = 'called'),
    min(at) FILTER (WHERE milestone = 'served'),
    min(at) FILTER (WHERE milestone = 'deferred'),
    min(at) FILTER (WHERE milestone = 'abandoned'),
    min(at) FILTER (WHERE milestone = 'visit_missed'),
    min(at) FILTER (WHERE milestone = 'certificate_failed'),
    min(at) FILTER (WHERE milestone = 'pin_reset')
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS told (case_id, milestone, at)
GROUP BY case_id
ORDER BY case_id
ON CONFLICT (case_id) DO UPDATE SET
    received_at = least(known.received_at, excluded.received_at),
    inspected_at = least(known.inspected_at, excluded.inspected_at),
    rejected_at = least(known.rejected_at, excluded.rejected_at),
    registry_checked_at = least(known.registry_checked_at, excluded.registry_checked_at),
    held_at = least(known.held_at, excluded.held_at),
    released_at = least(known.released_at, excluded.released_at),
    voided_at = least(known.voided_at, excluded.voided_at),
    preset_at = least(known.preset_at, excluded.preset_at),
    shelved_at = least(known.shelved_at, excluded.shelved_at),
    notified_at = least(known.notified_at, excluded.notified_at),
    notice_returned_at = least(known.notice_returned_at, excluded.notice_returned_at),
    dispatched_at = least(known.dispatched_at, excluded.dispatched_at),
    arrived_at = least(known.arrived_at, excluded.arrived_at),
    transfer_failed_at = least(known.transfer_failed_at, excluded.transfer_failed_at),
    disposal_due_at = least(known.disposal_due_at, excluded.disposal_due_at),
    disposed_at = least(known.disposed_at, excluded.disposed_at),
    booked_at = least(known.booked_at, excluded.booked_at),
    booking_moved_at = least(known.booking_moved_at, excluded.booking_moved_at),
    booking_cancelled_at = least(known.booking_cancelled_at, excluded.booking_cancelled_at),
    booking_missed_at = least(known.booking_missed_at, excluded.booking_missed_at),
    booking_fulfilled_at = least(known.booking_fulfilled_at, excluded.booking_fulfilled_at),
    offered_at = least(known.offered_at, excluded.offered_at),
    contact_erased_at = least(known.contact_erased_at, excluded.contact_erased_at),
    checked_in_at = least(known.checked_in_at, excluded.checked_in_at),
    called_at = least(known.called_at, excluded.called_at),
    served_at = least(known.served_at, excluded.served_at),
    deferred_at = least(known.deferred_at, excluded.deferred_at),
    abandoned_at = least(known.abandoned_at, excluded.abandoned_at),
    visit_missed_at = least(known.visit_missed_at, excluded.visit_missed_at),
    certificate_failed_at = least(known.certificate_failed_at, excluded.certificate_failed_at),
    pin_reset_at = least(known.pin_reset_at, excluded.pin_reset_at)
"""


async def reach(conn: Connection, facts: Sequence[tuple[CaseId, Milestone, datetime]]) -> None:
    """Keep that these cases reached these milestones at these times, in one statement.

    Rows are written in the order of their ids, so that two batches never wait in a circle here.
    """
    await conn.execute(
        _REACH,
        [case_id for case_id, _, _ in facts],
        [milestone for _, milestone, _ in facts],
        [at for _, _, at in facts],
    )
