"""Municipal codes (全国地方公共団体コード): five digits and a check digit."""

from typing import Final

_WEIGHTS: Final = (6, 5, 4, 3, 2)
_LENGTH: Final = 6


def is_municipal_code(code: str) -> bool:
    """Whether ``code`` is six ASCII digits with the right check digit (JIS X 0402)."""
    if len(code) != _LENGTH or not (code.isascii() and code.isdecimal()):
        return False
    digits = [int(digit) for digit in code]
    total = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return (11 - total % 11) % 10 == digits[-1]
