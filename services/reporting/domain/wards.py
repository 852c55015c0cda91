"""A city's wards, as it tells them in a file: codes, names, where they are, how many live there."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from shared.errors import FieldError, Text
from shared.ids import WardCode

_WEIGHTS = (6, 5, 4, 3, 2)
_MOST = 100_000_000


@dataclass(frozen=True, slots=True)
class Ward:
    """A ward; its place is that of its office where the file says nothing better."""

    code: WardCode
    name_ja: str
    name_en: str
    latitude: float
    longitude: float
    population: int | None


def ward_of(cells: Mapping[str, str]) -> Ward | FieldError:
    """A row of a file, or why it cannot be one; the error names the column, never its value."""
    code, name = cells.get("code", ""), cells.get("name", "")
    if not is_municipal_code(code):
        return _fault("code", "a municipal code of six digits", "6桁の団体コード")
    if not 0 < len(name) <= 100:
        return _fault("name", "a name of up to 100 characters", "100文字以内の名称")
    latitude = _degrees(cells.get("office_latitude"), 90)
    if latitude is None:
        return _fault("office_latitude", "degrees from -90 to 90", "-90から90までの度数")
    longitude = _degrees(cells.get("office_longitude"), 180)
    if longitude is None:
        return _fault("office_longitude", "degrees from -180 to 180", "-180から180までの度数")
    population = cells.get("population")
    if population is not None and not (
        population.isascii() and population.isdecimal() and int(population) <= _MOST
    ):
        return _fault("population", "a whole number", "整数")
    count = None if population is None else int(population)
    return Ward(WardCode(code), name, cells.get("name_en", name)[:100], latitude, longitude, count)


def said_twice() -> FieldError:
    """A row whose ward an earlier row has had."""
    return FieldError(
        "code",
        Text("This ward is in the file already.", "同じ区の行がファイル内に重複しています。"),
        Text("Keep one of the rows.", "いずれか1行だけを残してください。"),
    )


def is_municipal_code(code: str) -> bool:
    """Whether ``code`` is six ASCII digits with the right check digit (JIS X 0402)."""
    if len(code) != 6 or not (code.isascii() and code.isdecimal()):
        return False
    digits = [int(digit) for digit in code]
    total = sum(digit * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return (11 - total % 11) % 10 == digits[-1]


def _degrees(text: str | None, most: float) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if isfinite(found) and abs(found) <= most else None


def _fault(field: str, en: str, ja: str) -> FieldError:
    return FieldError(
        field,
        Text(f"Is not {en}.", f"{ja}ではありません。"),
        Text(f"Write {en}.", f"{ja}を記入してください。"),
    )
