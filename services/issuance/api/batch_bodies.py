"""What ``visits:batch`` takes: ``serve`` for a whole visit that is over, and single commands
(``step_rows``).
"""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from services.issuance.api.bodies import (
    EXAMPLE_ID,
    Body,
    CounterName,
    ShownDocument,
)
from services.issuance.api.certificate_bodies import StatesSeen
from services.issuance.api.step_bodies import ProxyCame
from services.issuance.api.step_rows import CounterRow, CountRow, SignOffRow, StepRow, UnreadRow
from services.issuance.api.who import Who, one_of
from services.issuance.domain.checklist import OldCard
from services.issuance.domain.serving import Outcome, Served
from shared.contracts.base import Certificate, Instant, SiteRef
from shared.contracts.issuance import DeferReason
from shared.errors import RejectedValueError, Text
from shared.ids import VisitId, new_id
from shared.security.blind_index import BlindIndex

MOST_ROWS = 2000
_SITE = "kawasaki-ward-office"
Documents = Annotated[tuple[ShownDocument, ...], Field(max_length=8)]
Certificates = Annotated[tuple[Certificate, ...], Field(max_length=2)]


class ServeRow(Who):
    """A whole visit that is over: check-in, call, every step, and its end."""

    verb: Literal["serve"]

    checked_in_at: Instant
    """When the party came."""

    called_at: Instant | None = None
    """When it was called; left out only where it left before."""

    identified_at: Instant | None = None
    """When identity was proved; at the end where left out."""

    pin_set_at: Instant | None = None
    """When the citizen had set the PIN; at the end where left out."""

    ended_at: Instant
    """When it was over."""

    counter: CounterName | None = None
    """The counter, as its sign says; with ``called_at``."""

    outcome: Outcome = Outcome.DONE
    """How it ended for every case that could be served."""

    documents: Documents = ()
    """For a card: the documents of the citizen that were seen."""

    proxy: ProxyCame | None = None
    """Who came for the citizen: why, and with what. For a card every paper of the checklist. For a
    renewal either the sealed reply and ``states`` of certificates that hold, or the outcome
    ``deferred`` with the reason ``inquiry_letter``: a letter is then to be mailed.
    """

    states: StatesSeen | None = None
    """For a renewal: what the terminal said of the certificates; needed where a proxy came."""

    old_card: OldCard | None = None
    """What became of the card that the new one replaces, where it is known to replace one."""

    pin_set: bool = False
    """The citizen has set the PIN; needed where it was done."""

    certificates: Certificates = ()
    """For a renewal: what was written."""

    reason: DeferReason | None = None
    """Why the citizen comes again, where the outcome is ``deferred``."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.names != 1:
            raise one_of()
        called = self.called_at is not None
        if called != (self.counter is not None) or (
            not called and self.outcome is not Outcome.LEFT
        ):
            raise RejectedValueError(
                Text(
                    "A party that was served was called to a counter.",
                    "対応した来庁には呼出し時刻と窓口番号が必要です。",
                ),
                Text(
                    "Send called_at and counter together.",
                    "called_at と counter を合わせて送信してください。",
                ),
            )
        if (self.reason is not None) != (self.outcome is Outcome.DEFERRED):
            raise RejectedValueError(
                Text(
                    "A reason belongs to a visit that was deferred.",
                    "理由（reason）は延期の場合に必要です。",
                ),
                Text(
                    "Send reason with the outcome deferred, and only then.",
                    "outcome が deferred のときだけ reason を送信してください。",
                ),
            )
        return self

    def to_domain(self, index: BlindIndex) -> Served:
        """As the domain knows it; the notice number is left behind."""
        return Served(
            visit_id=self.visit_id or VisitId(new_id()),
            site_id=self.site_id,
            checked_in_at=self.checked_in_at,
            called_at=self.called_at,
            identified_at=self.identified_at,
            pin_set_at=self.pin_set_at,
            ended_at=self.ended_at,
            counter=self.counter,
            outcome=self.outcome,
            booking_id=self.booking_id,
            case_id=self.case_id,
            keys=tuple(index.number_keys(self.notice_number)) if self.notice_number else (),
            ward=self.ward,
            need=self.need,
            documents=tuple(one.to_domain() for one in self.documents),
            proxy=self.proxy.to_domain() if self.proxy else None,
            states=self.states.to_domain() if self.states else {},
            old_card=self.old_card,
            is_pin_set=self.pin_set,
            certificates=tuple(sorted(set(self.certificates))),
            reason=self.reason,
        )


_OF_JOURNALS = CountRow | SignOffRow | CounterRow | UnreadRow
Row = Annotated[ServeRow | StepRow, Field(discriminator="verb")]


class JournalEntry(Body):
    """Where a row stands in a satellite's journal."""

    number: Annotated[int, Field(ge=1)]
    """Its number there."""

    actor: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,300}$")]
    """Who did it."""


class Journal(Body):
    """The rows are the journal of a satellite that serves by itself."""

    site_id: SiteRef
    """Its site."""

    lease: Annotated[int, Field(ge=1)]
    """The lease under which they were done."""

    entries: tuple[JournalEntry, ...]
    """One for each row."""


class Batch(Body):
    """What has happened, in the order in which it happened."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "rows": [
                        {
                            "verb": "serve",
                            "site_id": _SITE,
                            "booking_id": EXAMPLE_ID,
                            "checked_in_at": "2026-07-14T09:55:00+09:00",
                            "called_at": "2026-07-14T10:02:00+09:00",
                            "ended_at": "2026-07-14T10:19:00+09:00",
                            "counter": "3",
                            "documents": [{"class": "A", "type": "drivers_licence"}],
                            "pin_set": True,
                        },
                        {
                            "verb": "check_in",
                            "site_id": _SITE,
                            "ward": "141313",
                            "visit_id": "0197c000-0000-7000-8000-000000000009",
                            "occurred_at": "2026-07-14T10:00:00+09:00",
                        },
                    ]
                }
            ]
        }
    )

    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=MOST_ROWS)]
    """Up to 2,000; what belongs to one visit in its order."""

    journal: Journal | None = None
    """Of a satellite alone."""

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        if self.journal is None:
            told = any(isinstance(row, _OF_JOURNALS) for row in self.rows)
        else:
            whole = any(isinstance(row, ServeRow) for row in self.rows)
            told = whole or len(self.journal.entries) != len(self.rows)
        if told:
            raise RejectedValueError(
                Text(
                    "A journal has an entry for each row and no serve; count, sign_off, counter and"
                    " unread are its alone.",
                    "journal には行ごとの entries が必要です。serve は使えず、"
                    "count・sign_off・counter・unread は"
                    "journal 専用です。",
                ),
                Text("Send the journal as it was written.", "記録のとおり送信してください。"),
            )
        return self
