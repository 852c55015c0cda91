"""The language of the pages: as chosen there, otherwise as the browser asks."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request

from shared.errors import Language
from shared.http.language import negotiate

Lang = Annotated[
    Language | None, Query(description="ja or en; without it, as before or Accept-Language.")
]
LANGUAGE = "madoguchi_language"


def language_of(request: Request) -> Language:
    """The language in which the page is shown."""
    match request.cookies.get(LANGUAGE):
        case "ja":
            return "ja"
        case "en":
            return "en"
        case _:
            return negotiate(request.headers.get("accept-language"))
