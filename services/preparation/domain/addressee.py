"""Whom a notice is sent to, in the exact characters of the registry (IVS included)."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final

LONGEST: Final = 200
_UNWRITTEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Addressee:
    """Name and address; neither is ever shown in a log."""

    name: str = field(repr=False)
    address: str = field(repr=False)


def written(text: str) -> str:
    """``text`` as it may stand on a postcard: one line of up to 200 characters.

    Raises ``ValueError``, which does not repeat it.
    """
    if len(text) > LONGEST or any(unicodedata.category(char) in _UNWRITTEN for char in text):
        raise ValueError("not one line of up to 200 printable characters")
    return text
