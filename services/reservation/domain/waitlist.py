"""The waiting list: a freed seat is kept for one party at a time, in fair order, then passes on.

Fewest offers first, then who has waited longest. Nobody is offered the same time at the same site
twice, and nobody two at once. Source: the brief's reservation rules.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from services.reservation.domain.cells import Free, party_cells
from shared.contracts.base import Procedure
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable
from shared.ids import CaseId, OfferId, SiteId

EntryId = NewType("EntryId", UUID)


class EntryState(StrEnum):
    """Where a party stands on the list."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A seat is kept for it."""
    SERVED = "served"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    """Its days are over, or one of its cases is."""


class OfferState(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class Offer:
    """A seat kept for a party until ``expires_at``, by the hold of the same id."""

    offer_id: OfferId
    entry_id: EntryId
    site_id: SiteId
    starts_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OPEN

    def open_at(self, now: datetime) -> bool:
        """Whether it can still be answered."""
        return self.state is OfferState.OPEN and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Entry:
    """A party that waits for a seat at one of some sites, on a day from first to last."""

    entry_id: EntryId
    case_ids: tuple[CaseId, ...]
    site_ids: tuple[SiteId, ...]
    procedure: Procedure
    first_day: date
    last_day: date
    made_at: datetime
    offers: int = 0
    """How many it has been made; who has had fewer comes first."""
    state: EntryState = EntryState.WAITING
    offer: Offer | None = None
    """The last one."""

    @property
    def over(self) -> bool:
        """Whether nothing is offered any more."""
        return self.state not in (EntryState.WAITING, EntryState.OFFERED)


class NoSuchEntry(NotFound):
    """No place on the list has this id."""

    slug = "no-such-waitlist-entry"
    title = Text("There is no such place on the waiting list", "このキャンセル待ちはありません")


class AlreadyWaiting(Conflict):
    """A case has a place on the list."""

    slug = "already-waiting"
    title = Text("This case is on the waiting list already", "すでにキャンセル待ちをしています")
    remedy = Text(
        "Keep that place, or withdraw it with POST /v1/waitlist/{waitlist_id}:withdraw first.",
        "そのまま待つか、POST /v1/waitlist/{waitlist_id}:withdraw で取り下げてください。",
    )


class WishRefused(Unprocessable):
    """Nothing can be offered for such a wish."""

    slug = "wish-refused"
    title = Text("Nothing can be offered for this", "この条件ではキャンセル待ちができません")


class OfferEnded(Conflict):
    """Nothing is kept for this party at this moment."""

    slug = "offer-ended"
    title = Text("The seat is no longer kept for you", "ご案内した枠の確保期限が過ぎています")
    remedy = Text(
        "You are still on the list and hear of the next seat.",
        "引き続きキャンセル待ちをしています。次の空きが出たらお知らせします。",
    )


def refused(field: str, message: Text, remedy: Text) -> WishRefused:
    """The problem that says which field of a wish is wrong and what would be right."""
    return WishRefused(errors=[FieldError(field, message, remedy)])


def check_days(first: date, last: date, opens: date, closes: date) -> None:
    """Raise ``WishRefused`` unless some day from first to last can be booked now or later on.

    ``opens`` and ``closes`` are the days that lie open for the party's cases.
    """
    if last < first:
        raise refused(
            "last_day",
            Text("Lies before first_day.", "first_day より前の日付です。"),
            Text("Send a day on or after first_day.", "first_day 以降の日付を指定してください。"),
        )
    if last < opens:
        raise refused(
            "last_day",
            Text("No visit is possible that early.", "この日までには来庁いただけません。"),
            Text(f"Send {opens} or later.", f"{opens} 以降の日付を指定してください。"),
        )
    if first > closes:
        raise refused(
            "first_day",
            Text("Lies beyond the days that can be booked.", "予約受付期間を過ぎています。"),
            Text(f"Send {closes} or earlier.", f"{closes} 以前の日付を指定してください。"),
        )


def fitting(free: Free, minutes: Sequence[int], cell_minutes: int) -> Iterator[datetime]:
    """The starts, in order, at which a party fits into ``free``; ``minutes`` by case."""
    for at in sorted(free):
        cells = party_cells(at, minutes, cell_minutes)
        if all(free.get(cell, 0) >= seats for cell, seats in cells.items()):
            yield at


def openings(
    free: Free, freed: Collection[datetime], minutes: Sequence[int], cell_minutes: int
) -> list[datetime]:
    """The starts, in order, at which a party fits into ``free`` with the help of ``freed`` cells.

    Those that use most of what was freed, so that no gaps are left that nobody can use. ``free``
    counts the freed seats already; ``minutes`` by case.
    """
    use = {
        at: len(party_cells(at, minutes, cell_minutes).keys() & set(freed))
        for at in fitting(free, minutes, cell_minutes)
    }
    most = max(use.values(), default=0)
    return [at for at, used in use.items() if used == most > 0]


def with_freed(
    free: Free, returned: Mapping[datetime, int], *, kept: int, already: bool
) -> dict[datetime, int]:
    """Free seats by cell when ``returned`` ones are there and ``kept`` are left to others.

    ``already``: the free seats count the returned ones.
    """
    more = {} if already else returned
    return {at: free[at] + more.get(at, 0) - kept for at in free}
