"""Cards that wait to be collected, as they stand at the end of a day, and the cases behind them.

One set of conditions names both, so that a figure and its cases cannot differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.reporting.store.stages import STAGE, Waiting
from shared.db import Connection
from shared.ids import CaseId, SiteId, WardCode


class Standing(StrEnum):
    """How a card case stands at the end of a day; one case may stand in several ways.

    Those of the official totals may be over. The last eight are the stages (``store.stages``).
    """

    WAITING_FOR_SHIPMENT = "waiting_for_shipment"
    WAITING_FOR_PRESET = "waiting_for_preset"
    WAITING_FOR_ISSUANCE = "waiting_for_issuance"
    TO_COLLECT = "to_collect"
    NOT_BOOKED = "not_booked"
    NOTICE_RETURNED = "notice_returned"
    PAST_DEADLINE = "past_deadline"
    DISPOSAL_DUE = "disposal_due"
    CARD_EXPIRES = "card_expires"
    OLD_CARD_EXPIRES = "old_card_expires"
    EXPIRED = "expired"
    APPLIED = "applied"
    SHIPPED = "shipped"
    PRESET = "preset"
    ISSUED = "issued"
    ENDED = "ended"
    AT_RECEIVED = "at_received"
    AT_INSPECTED = "at_inspected"
    AT_REGISTRY_CHECKED = "at_registry_checked"
    AT_PRESET = "at_preset"
    AT_SHELVED = "at_shelved"
    AT_NOTIFIED = "at_notified"
    AT_BOOKED = "at_booked"
    AT_HELD = "at_held"


PICKUP: Sequence[Standing] = (
    Standing.TO_COLLECT,
    Standing.NOT_BOOKED,
    Standing.NOTICE_RETURNED,
    Standing.PAST_DEADLINE,
    Standing.DISPOSAL_DUE,
    Standing.CARD_EXPIRES,
    Standing.OLD_CARD_EXPIRES,
    Standing.EXPIRED,
)
"""The columns of the table."""

# $1 is the day, $2 the instant at which it has ended, $3 how many days ahead expiry is looked for.
_CARDS = f"""
SELECT case_id, coalesce(completed_ward, ward) AS ward, notice_site,
       least(applied_on, (opened_at AT TIME ZONE 'Asia/Tokyo')::date) AS since,
       coalesce(applied_on <= $1, false) AS applied,
       coalesce(shipped_on <= $1, false) AS shipped,
       coalesce(preset_at < $2, false) AS preset,
       coalesce(notified_at < $2, false) AS notified,
       coalesce(booked_at < $2, false) AS booked,
       coalesce(notice_returned_at < $2, false) AS returned,
       coalesce(disposal_due_at < $2, false) AS due,
       coalesce(completed_at < $2, false) AS issued,
       coalesce(least(voided_at, disposed_at) < $2, false) AS ended,
       notice_deadline, card_expires_on, old_card_expires_on, {STAGE.format(by="$2")} AS stage
FROM case_fact
WHERE coalesce(completed_procedure, procedure, 'card_issuance') = 'card_issuance'
  AND ($4::text IS NULL OR coalesce(completed_ward, ward) = $4)
"""  # noqa: S608  our own expression
_OPEN = f"SELECT * FROM ({_CARDS}) AS any_card WHERE NOT issued AND NOT ended"  # noqa: S608  ours
_TOTALS = frozenset(
    {Standing.APPLIED, Standing.SHIPPED, Standing.PRESET, Standing.ISSUED, Standing.ENDED}
)

_IS: Mapping[Standing, str] = {
    Standing.WAITING_FOR_SHIPMENT: "applied AND NOT shipped AND NOT preset",
    Standing.WAITING_FOR_PRESET: "shipped AND NOT preset",
    Standing.WAITING_FOR_ISSUANCE: "preset",
    Standing.TO_COLLECT: "notified",
    Standing.NOT_BOOKED: "notified AND NOT booked",
    Standing.NOTICE_RETURNED: "notified AND returned",
    Standing.PAST_DEADLINE: "notified AND notice_deadline < $1",
    Standing.DISPOSAL_DUE: "due",
    Standing.CARD_EXPIRES: "preset AND card_expires_on BETWEEN $1 AND $1 + $3::int",
    Standing.OLD_CARD_EXPIRES: "shipped AND old_card_expires_on BETWEEN $1 AND $1 + $3::int",
    Standing.EXPIRED: "preset AND card_expires_on < $1",
    Standing.APPLIED: "applied",
    Standing.SHIPPED: "shipped",
    Standing.PRESET: "preset",
    Standing.ISSUED: "issued",
    Standing.ENDED: "ended AND NOT issued",
    **{Standing(f"at_{each}"): f"stage = '{each}'" for each in Waiting},
}

_TABLE = "SELECT ward, {columns} FROM ({open}) AS card GROUP BY ward ORDER BY ward NULLS LAST"

_CASES = """
SELECT case_id, ward, notice_site, since, notice_deadline,
       least(card_expires_on, old_card_expires_on) AS expires_on
FROM ({cards}) AS card
WHERE {standing}
  AND ($5::text IS NULL OR notice_site = $5)
  AND ($6::uuid IS NULL OR case_id > $6)
ORDER BY case_id
LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class AsOf:
    """A day in Japan, the instant at which it has ended, and how far ahead expiry is looked for."""

    day: date
    ended: datetime
    within_days: int
    ward: WardCode | None = None


@dataclass(frozen=True, slots=True)
class WardPickup:
    """The cards of a ward; none for cards whose ward nobody told yet."""

    ward: WardCode | None
    counts: tuple[int, ...]
    """In the order of ``PICKUP``."""


@dataclass(frozen=True, slots=True)
class StandingCase:
    """A case behind a figure: where its card lies, and the days that press."""

    case_id: CaseId
    ward: WardCode | None
    site_id: SiteId | None
    since: date | None
    deadline: date | None
    expires_on: date | None


async def table(conn: Connection, at: AsOf) -> list[WardPickup]:
    """The figures of each ward."""
    columns = ", ".join(f"count(*) FILTER (WHERE {_IS[each]})" for each in PICKUP)
    query = _TABLE.format(columns=columns, open=_OPEN)
    rows = await conn.fetch(query, at.day, at.ended, at.within_days, at.ward)
    return [WardPickup(row[0], tuple(row)[1:]) for row in rows]


async def cases(
    conn: Connection,
    standing: Standing,
    at: AsOf,
    site_id: SiteId | None,
    *,
    after: UUID | None,
    limit: int,
) -> list[StandingCase]:
    """The cases that stand so, by id; of one site's cards alone where one is named."""
    # Every parameter is named in each query, or its type would not be known.
    condition = f"({_IS[standing]}) AND $3::int IS NOT NULL"
    cards = _CARDS if standing in _TOTALS else _OPEN
    query = _CASES.format(cards=cards, standing=condition)
    rows = await conn.fetch(query, at.day, at.ended, at.within_days, at.ward, site_id, after, limit)
    return [StandingCase(*tuple(row)) for row in rows]
