"""Fields of requests that several routes take."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.reservation.domain.contact import LONGEST_EMAIL, normal_email, normal_phone

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
