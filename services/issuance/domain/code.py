"""What a party shows at the door: a booking code or a notice number, typed or in a QR code.

A QR code may hold the bare code or an address that ends in it; nothing else of it is used.
"""

import re
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from shared.errors import RejectedValueError, Text
from shared.ids import BookingId
from shared.security.blind_index import NoticeNumberError, normal_notice_number

LONGEST = 500
_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})", re.IGNORECASE)


def read_code(text: str) -> BookingId | str:
    """The booking, or the normal form of a notice number.

    Raises ``RejectedValueError``; it never repeats what was read.
    """
    for part in _parts(text.strip()):
        if found := _UUID.fullmatch(part):
            return BookingId(UUID(found[1]))
        try:
            return normal_notice_number(part)
        except NoticeNumberError:
            continue
    raise RejectedValueError(
        Text(
            "This is neither a booking code nor a notice number.",
            "予約番号・交付通知書番号のいずれでもありません。",
        ),
        Text(
            "Scan it again, or type the code or the number of the notice.",
            "もう一度読み取るか、番号を入力してください。",
        ),
    )


def _parts(text: str) -> list[str]:
    if "://" not in text:
        return [text]
    try:
        address = urlsplit(text)
    except ValueError:
        return []
    values = [value for _, value in (*parse_qsl(address.fragment), *parse_qsl(address.query))]
    return [*values, address.fragment, *reversed(address.path.split("/"))]
