"""No My Number (個人番号) enters this house: every door refuses one and forgets it at once.

Check digit: Order of the Ministry of Internal Affairs and Communications No. 85 of 2014
(行政手続における特定の個人を識別するための番号の利用等に関する法律の規定による通知カード及び
個人番号カード並びに情報提供ネットワークシステムによる特定個人情報の提供等に関する省令), article 5.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from shared.errors import FieldError, Text, Unprocessable

_LENGTH: Final = 12
_WEIGHTS: Final = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
"""Q(n) for n = 11 … 1: n + 1 up to 6, n - 5 from 7."""

# Hyphens, dashes, bars and dots that people type between groups; NFKC has folded the wide ones.
_SEPARATOR = r"[ \t\-_./\u00b7\u2010-\u2015\u2212\u30fb\u30fc]"
_WHOLE = re.compile(r"(?<!\d)\d{12}(?!\d)")
# A look-ahead, so that every window of a longer row of groups is tried.
_BETWEEN = _SEPARATOR + "{1,3}"
_GROUPED = re.compile(rf"(?<!\d)(?=(\d{{4}}){_BETWEEN}(\d{{4}}){_BETWEEN}(\d{{4}})(?!\d))")
# Identifiers of machines: UUIDs and hexadecimal digests hold digits by chance.
_MACHINE = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32,}\b",
    re.IGNORECASE,
)


class MyNumberRefused(Unprocessable):
    """A value holds a valid My Number. Carries the field's name, never the value."""

    slug = "my-number-refused"
    title = Text("A My Number must not be sent here", "個人番号は送信できません")
    remedy = Text(
        "Remove the 12-digit My Number and send the rest; it is neither needed nor stored.",
        "12桁の個人番号を削除してから送信してください。個人番号は不要で、保存もされません。",
    )

    def __init__(self, field: str) -> None:
        message = Text("This holds a My Number.", "個人番号が含まれています。")
        super().__init__(errors=(FieldError(field, message, self.remedy),))


def check_digit(first_eleven: Sequence[int]) -> int:
    """The twelfth digit for eleven digits P11 … P1: 0 where r ≤ 1, else 11 - r."""
    pairs = zip(first_eleven, _WEIGHTS, strict=True)
    remainder = sum(digit * weight for digit, weight in pairs) % 11
    return 0 if remainder <= 1 else 11 - remainder


def is_my_number(digits: str) -> bool:
    """Whether ``digits`` is exactly twelve decimal digits with the right check digit."""
    if len(digits) != _LENGTH or not digits.isdecimal():
        return False
    values = [int(digit) for digit in digits]
    return check_digit(values[:-1]) == values[-1]


def contains_my_number(text: str) -> bool:
    """Whether a valid My Number stands anywhere in ``text``.

    Found in half and full width, in one run or in groups of four with a separator. UUIDs and
    digests are passed over, and so are digits that belong to a longer number.
    """
    if text.isascii() and (len(text) < _LENGTH or _MACHINE.fullmatch(text) is not None):
        return False
    return any(is_my_number(found) for found in _candidates(_plain(text)))


def cell_with_my_number(cells: Sequence[str]) -> int | None:
    """Which of the cells of a row holds a valid My Number, from 0; the first of several."""
    if max(map(len, cells), default=0) < _LENGTH and "".join(cells).isascii():
        return None
    return next((n for n, cell in enumerate(cells) if contains_my_number(cell)), None)


def refuse_my_number(field: str, value: object) -> None:
    """Raise ``MyNumberRefused`` naming ``field`` if ``value`` or anything inside it holds one.

    Mappings and sequences are searched, names included; ``field`` then gets the path.
    """
    for path, text in _texts(field, value):
        if contains_my_number(text):
            raise MyNumberRefused(path)


def mask_my_numbers(text: str) -> str:
    """``text`` as it may be logged: whole, or withheld where a My Number stands in it."""
    return "[withheld: My Number]" if contains_my_number(text) else text


def _plain(text: str) -> str:
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text)
        text = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return _MACHINE.sub(" ", text)


def _candidates(text: str) -> Iterator[str]:
    for whole in _WHOLE.finditer(text):
        yield whole[0]
    for groups in _GROUPED.finditer(text):
        yield groups[1] + groups[2] + groups[3]


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int | float):
        yield path, str(value)
    elif isinstance(value, dict | Mapping):
        for name, inner in value.items():
            yield f"{path} (a field name)" if path else "(a field name)", str(name)
            yield from _texts(f"{path}.{name}" if path else str(name), inner)
    elif isinstance(value, list | Sequence) and not isinstance(value, bytes | bytearray):
        for number, inner in enumerate(value):
            yield from _texts(f"{path}.{number}" if path else str(number), inner)
