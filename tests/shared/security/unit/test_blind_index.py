"""The same number gives the same look-up key however it is written, and nothing else does."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.blind_index import (
    BlindIndex,
    BlindKey,
    NoticeNumberError,
    normal_notice_number,
)

OLD, NEW = b"o" * 32, b"n" * 32
BORN = date(1990, 2, 28)
NUMBERS = st.from_regex(r"[0-9A-Z]{3}[0-9]{6}", fullmatch=True)


def test_the_hashes_are_as_agreed_between_rooms() -> None:
    index = BlindIndex({"k1": OLD})

    def agreed(text: bytes) -> BlindKey:
        digest = hmac.new(OLD, text, hashlib.sha256).digest()
        return BlindKey("k1", urlsafe_b64encode(digest).decode().rstrip("="))

    assert index.number_key("ABC-012345") == agreed(b"ABC012345")
    assert index.login_key("ABC-012345", BORN) == agreed(b"ABC012345|1990-02-28")


@given(NUMBERS, st.sampled_from(["{}{}", "{}-{}", " {}-{} ", "{}－{}", "{}ー{}", "{}‐{}"]))
def test_every_way_of_writing_is_one_number(number: str, form: str) -> None:
    written = form.format(number[:3].lower(), number[3:])
    wide = written.translate({code: code + 0xFEE0 for code in range(0x30, 0x7B) if code != 0x2D})
    assert normal_notice_number(written) == number
    assert normal_notice_number(wide) == number


@pytest.mark.parametrize(
    "text", ["", "ABC", "ABC-01234", "ABC-0123456", "ABCD-012345", "AB -012345"]
)
def test_malformed_numbers_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(NoticeNumberError) as raised:
        normal_notice_number(text)
    assert not text or text not in str(raised.value)


@given(NUMBERS, NUMBERS, st.dates(), st.dates())
def test_only_the_same_login_matches(one: str, two: str, born: date, other: date) -> None:
    index = BlindIndex({"k1": OLD})
    stored = index.login_key(one, born)
    assert index.is_login(stored, one, born)
    assert index.is_login(stored, two, other) == ((one, born) == (two, other))
    assert not index.is_login(stored, "malformed", born)


def test_rotation_looks_up_under_every_key() -> None:
    before = BlindIndex({"k1": OLD})
    after = BlindIndex({"k2": NEW, "k1": OLD})
    stored = before.login_key("ABC012345", BORN)
    assert after.key_id == "k2"
    assert stored in after.login_keys("ABC012345", BORN)
    assert after.is_login(stored, "ABC012345", BORN)
    assert after.login_key("ABC012345", BORN) != stored
    assert [key.key_id for key in after.number_keys("ABC012345")] == ["k2", "k1"]
    assert not BlindIndex({"k2": NEW}).is_login(stored, "ABC012345", BORN), "the key has left"


@pytest.mark.parametrize("ring", [{}, {"k1": b"short"}])
def test_a_ring_needs_good_keys(ring: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="at least one key"):
        BlindIndex(ring)
