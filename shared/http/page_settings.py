"""How staff sign in to a room's pages: settings that rooms with such pages have in common.

Where the pages are, and so where the provider sends browsers back to, is a setting and never what a
request says of its host.
"""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

_GOES_WITHOUT_SAYING = {"http": 80, "https": 443}


class PageSettings(BaseSettings):
    """Mixed into a room's own settings, whose prefix it has."""

    page_client_id: str | None = Field(
        None,
        description="The public client of the provider under which pages sign in by authorization"
        " code with PKCE; unset: with a token given once.",
    )
    page_url: str | None = Field(
        None,
        description="Where browsers find this room, without a path of it: https://desk.example.jp."
        " Required with page_client_id.",
    )
    page_discovery_url: str | None = Field(
        None,
        description="The provider's discovery document, where the room reaches it by another way"
        " than the issuer's address.",
    )
    page_token_url: str | None = Field(
        None, description="The provider's token endpoint, where the room reaches it otherwise."
    )

    @field_validator("page_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write an http(s) address")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("write it without a query, fragment or user")
        if parts.port == _GOES_WITHOUT_SAYING[parts.scheme]:
            raise ValueError("write it without the port, as browsers do")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _knows_where_to_come_back(self) -> Self:
        if self.page_client_id is not None and self.page_url is None:
            raise ValueError("PAGE_CLIENT_ID needs PAGE_URL: where browsers find these pages")
        return self
