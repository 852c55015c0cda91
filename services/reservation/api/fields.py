"""Fields of requests that several routes take."""

from datetime import date
from typing import Annotated, Final, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field

from services.reservation.domain.contact import LONGEST_EMAIL, normal_email, normal_phone
from shared.errors import RejectedValueError, Text

_YEARS: Final = range(2000, 2200)
D = TypeVar("D", bound=date)


def within_reach(value: D) -> D:
    """A day or moment that can be counted from. Raises ``RejectedValueError``.

    Python's calendar ends with the year 9999: a rule that looks a day further would fail.
    """
    if value.year not in _YEARS:
        raise RejectedValueError(
            Text("This date lies too far away.", "日付が範囲外です。"),
            Text(
                "Send a year from 2000 to 2199; leave it out where there is no end.",
                "2000年から2199年までの日付を指定してください。終わりがない場合は省略します。",
            ),
        )
    return value


Day = Annotated[date, AfterValidator(within_reach)]
Moment = Annotated[AwareDatetime, AfterValidator(within_reach)]

Email = Annotated[
    str,
    Field(max_length=LONGEST_EMAIL, examples=["name@example.jp"]),
    AfterValidator(normal_email),
]
Phone = Annotated[
    str,
    Field(max_length=32, description="In the country's form.", examples=["044-200-0000"]),
    AfterValidator(normal_phone),
]
Code = Annotated[str, Field(pattern=r"^[0-9]{8}$", examples=["01234567"])]
Speech = Literal["ja", "en"]
