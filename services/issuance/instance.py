"""What one instance of the room is: which sites it serves, and whether it is a satellite's own.

The prefix is ``MADOGUCHI_ISSUANCE_``, as of the rules of the counter (``settings``).
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.contracts.base import SiteRef
from shared.ids import SiteId


def _listed(value: Any) -> Any:
    """Take ``a,b`` as it stands in the environment."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


class InstanceSettings(BaseSettings):
    """How this instance differs from the others of its room."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_ISSUANCE_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    sites: Annotated[frozenset[SiteRef], NoDecode, BeforeValidator(_listed)] = Field(
        frozenset(),
        description="Sites whose API, board and queue this instance serves; all if empty.",
    )
    satellite: SiteRef | None = Field(
        None, description="The site of an isolated satellite with a database of its own."
    )
    headquarters_url: str | None = Field(
        None, description="Where a satellite tells what happened: the issuance API of the city."
    )
    headquarters_token_url: str | None = Field(
        None, description="The provider's token endpoint, where a satellite gets its tokens."
    )
    headquarters_client_id: str | None = Field(
        None, description="Its client there: role system at its site, by client credentials."
    )
    headquarters_client_secret: SecretStr | None = None
    headquarters_token: SecretStr | None = Field(
        None, description="Instead, one token that holds long enough: for trying out."
    )

    @property
    def served(self) -> frozenset[SiteId] | None:
        """The sites that are served here; none for every site."""
        if self.satellite is not None:
            return frozenset({self.satellite})
        return self.sites or None
