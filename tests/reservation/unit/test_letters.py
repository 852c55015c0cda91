"""Every letter in both languages: what it says, its links, and its calendar entry."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from itertools import product
from uuid import UUID

import pytest

from services.reservation.domain.link import Purpose
from services.reservation.domain.message import KEPT, Kind
from services.reservation.gateways import letters, words
from services.reservation.gateways.letters import Letter, Seat, local
from shared.contracts.base import Procedure
from shared.contracts.reservation import CancelReason, MoveReason
from shared.errors import Language
from shared.ids import BookingId
from tests.reservation.mailbox import SENDER, text, visit
from tests.reservation.support import make_site

AT = datetime(2026, 4, 1, 23, 30, tzinfo=UTC)
SENT = datetime(2026, 4, 1, tzinfo=UTC)
LANGUAGES: tuple[Language, ...] = ("ja", "en")


def letter(kind: Kind, language: Language) -> Letter:
    """A letter with everything its kind may say."""
    is_code = kind.is_code
    return Letter(
        message_id=UUID(int=1),
        kind=kind,
        language=language,
        to="a@mail.example",
        written_at=SENT,
        seat=None if is_code else Seat(AT, make_site()),
        minutes=20,
        procedure=None if is_code else Procedure.CARD_ISSUANCE,
        before=Seat(SENT, make_site()) if kind in (Kind.MOVED, Kind.ALTERNATIVE) else None,
        until=None if is_code else AT,
        code="01234567" if is_code else None,
        links={purpose: f"token-{purpose}" for purpose in letters.purposes(kind)},
        booking_id=None if is_code else BookingId(UUID(int=2)),
        version=3,
    )


@pytest.mark.parametrize(("kind", "language"), list(product(Kind, LANGUAGES)))
def test_a_letter_is_complete_and_survives_the_way(kind: Kind, language: Language) -> None:
    made = letters.mail(letter(kind, language), SENDER, SENT)
    read = message_from_bytes(made.as_bytes(), policy=policy.default)
    assert read["To"] == "a@mail.example"
    assert read["Content-Language"] == language
    assert read["Message-ID"] == f"<{UUID(int=1)}@city.example>"
    assert read["Subject"]
    body = text(read)
    for purpose in letters.purposes(kind):
        assert f"https://city.example/visit#token-{purpose}" in body
    assert ("01234567" in body) is kind.is_code
    assert "{" not in body + read["Subject"], "every placeholder is filled"
    assert (language == "ja") is any("ぁ" <= char <= "ん" for char in body)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_written_to_is_not_named(language: Language) -> None:
    for kind in Kind:
        assert "a@mail.example" not in text(letters.mail(letter(kind, language), SENDER, SENT))


def test_a_visit_replaces_its_former_entry_and_a_cancelled_one_removes_it() -> None:
    confirmed = visit(letters.mail(letter(Kind.CONFIRMED, "ja"), SENDER, SENT))
    moved = visit(letters.mail(replace(letter(Kind.MOVED, "ja"), version=4), SENDER, SENT))
    gone = visit(letters.mail(replace(letter(Kind.CANCELLED, "ja"), version=5), SENDER, SENT))
    assert confirmed.uid == moved.uid == gone.uid
    assert (confirmed.sequence, moved.sequence, gone.sequence) == (3, 4, 5)
    assert (confirmed.method, moved.method, gone.method) == ("PUBLISH", "PUBLISH", "CANCEL")
    assert confirmed.starts_at.isoformat() == "2026-04-02T08:30:00+09:00"


@pytest.mark.parametrize("kind", [Kind.ALTERNATIVE, Kind.OFFERED, Kind.LOGIN_CODE])
def test_what_is_not_booked_is_in_no_calendar(kind: Kind) -> None:
    made = letters.mail(letter(kind, "ja"), SENDER, SENT)
    assert list(made.iter_attachments()) == []


def test_times_are_said_as_people_say_them_in_tokyo() -> None:
    assert local(AT, "ja") == "2026年4月2日（木）08:30"
    assert local(AT, "en") == "Thu, 2 Apr 2026, 08:30"


def test_every_reason_the_city_has_is_put_into_words() -> None:
    own = {
        CancelReason.CITIZEN,
        MoveReason.CITIZEN,
        CancelReason.SERVED_OTHERWISE,
    }
    for reason in (*CancelReason, *MoveReason):
        assert reason in own or reason in words.REASONS, reason


def test_every_kind_and_purpose_has_words() -> None:
    assert set(words.OPENINGS) == set(Kind)
    assert set(words.LINKS) == set(Purpose)
    assert set(words.PROCEDURES) == set(Procedure)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_keeps_a_seat_after_all_reads_why_there_is_a_letter_again(language: Language) -> None:
    again = replace(letter(Kind.CONFIRMED, language), reason=KEPT)
    assert words.REASONS[KEPT].to(language) in text(letters.mail(again, SENDER, SENT))
    assert words.REASONS[KEPT].to(language) not in text(
        letters.mail(letter(Kind.CONFIRMED, language), SENDER, SENT)
    )
