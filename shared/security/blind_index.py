"""Look-up without the value: rooms find a citizen by a keyed hash (HMAC-SHA256) of the notice
number, and the number itself is neither published nor compared.

The key is a setting shared by the rooms that look up. It travels as ``key_id`` beside each hash, so
that a ring of keys can rotate: new hashes use the first, look-ups try all.
"""

import hmac
import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

_NOTICE_NUMBER: Final = re.compile(r"([0-9A-Z]{3})-?([0-9]{6})")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc]")


class NoticeNumberError(ValueError):
    """Not of the form of a notice number; the text does not repeat it."""


@dataclass(frozen=True, slots=True)
class BlindKey:
    """A hash to look up by (base64url, 43 characters) and the key it was made with."""

    key_id: str
    value: str


class BlindIndex:
    """Makes look-up keys with ``ring``: 32-byte keys by id, the first is current."""

    def __init__(self, ring: Mapping[str, bytes]) -> None:
        if not ring or any(len(key) < 32 for key in ring.values()):
            raise ValueError("the ring needs at least one key, each of 32 bytes or more")
        self._ring = dict(ring)

    @property
    def key_id(self) -> str:
        """The current key."""
        return next(iter(self._ring))

    def number_key(self, notice_number: str) -> BlindKey:
        """HMAC(notice number) under the current key. Raises ``NoticeNumberError``."""
        return self._made(self.key_id, normal_notice_number(notice_number))

    def login_key(self, notice_number: str, birth_date: date) -> BlindKey:
        """HMAC(notice number | birth date) under the current key. Raises ``NoticeNumberError``."""
        return self._made(self.key_id, _login(notice_number, birth_date))

    def number_keys(self, notice_number: str) -> list[BlindKey]:
        """What to look up for a number: one per key of the ring, current first."""
        text = normal_notice_number(notice_number)
        return [self._made(key_id, text) for key_id in self._ring]

    def login_keys(self, notice_number: str, birth_date: date) -> list[BlindKey]:
        """What to look up for a login: one per key of the ring, current first."""
        text = _login(notice_number, birth_date)
        return [self._made(key_id, text) for key_id in self._ring]

    def is_login(self, stored: BlindKey, notice_number: str, birth_date: date) -> bool:
        """Whether ``stored`` was made from these two; takes the same time for yes and no.

        A malformed number and a key that has left the ring are a no like any other.
        """
        key_id = stored.key_id if stored.key_id in self._ring else self.key_id
        try:
            text = _login(notice_number, birth_date)
        except NoticeNumberError:
            text = ""
        made = self._made(key_id, text)
        is_same = hmac.compare_digest(made.value.encode(), stored.value.encode())
        return is_same and text != "" and key_id == stored.key_id

    def _made(self, key_id: str, text: str) -> BlindKey:
        digest = hmac.digest(self._ring[key_id], text.encode(), "sha256")
        return BlindKey(key_id, urlsafe_b64encode(digest).rstrip(b"=").decode())


def normal_notice_number(text: str) -> str:
    """The one way to write a notice number: capitals, half width, no hyphen (``ABC012345``).

    Accepts what people type: full width, small letters, any dash, blanks around.
    Raises ``NoticeNumberError``.
    """
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    match = _NOTICE_NUMBER.fullmatch(_DASHES.sub("-", folded))
    if match is None:
        raise NoticeNumberError("a notice number is three letters or digits, then six digits")
    return match[1] + match[2]


def _login(notice_number: str, birth_date: date) -> str:
    return f"{normal_notice_number(notice_number)}|{birth_date.isoformat()}"
