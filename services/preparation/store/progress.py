"""What a citizen asks about: the card, the last notice and the booking in one row."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.preparation.domain.stages import Stage
from shared.contracts.base import CaseKind
from shared.db import Connection, Row
from shared.ids import CaseId, SiteId, WardCode


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case as its citizen may know it; ``booked_*`` only while a booking stands."""

    case_id: CaseId
    kind: CaseKind
    ward: WardCode
    stage: Stage
    stage_since: datetime
    held: bool
    applied_on: date
    shipped_on: date
    pickup_deadline: date | None
    booked_site_id: SiteId | None
    booked_at: datetime | None
    stages: Mapping[Stage, date]
    """The days on which it came to its stages."""


async def views(conn: Connection, case_ids: Collection[CaseId]) -> list[CaseView]:
    """These cases, in their order; those without a card are left out."""
    stages: dict[CaseId, dict[Stage, date]] = defaultdict(dict)
    for row in await conn.fetch(_STAGES, list(case_ids)):
        stages[row["case_id"]][Stage(row["stage"])] = row["day"]
    return [_view(row, stages[row["case_id"]]) for row in await conn.fetch(_VIEWS, list(case_ids))]


def _view(row: Row, stages: Mapping[Stage, date]) -> CaseView:
    told = {**row, "kind": CaseKind(row["kind"]), "stage": Stage(row["stage"])}
    return CaseView(**told, stages=stages)


_STAGES = """
SELECT case_id, stage, (at AT TIME ZONE 'Asia/Tokyo')::date AS day FROM card_stage
WHERE case_id = ANY($1::uuid[])
"""
_VIEWS = """
SELECT card.case_id, card.kind, card.ward, card.stage, card.stage_since, card.applied_on,
       card.shipped_on,
       card.holds > 0 AS held,
       latest.pickup_deadline, booking.site_id AS booked_site_id, booking.starts_at AS booked_at
FROM card
LEFT JOIN LATERAL (SELECT pickup_deadline FROM notice WHERE notice.case_id = card.case_id
                   ORDER BY notice_seq DESC LIMIT 1) AS latest ON true
LEFT JOIN booking ON booking.case_id = card.case_id AND booking.state = 'booked'
WHERE card.case_id = ANY($1::uuid[]) ORDER BY card.case_id
"""
