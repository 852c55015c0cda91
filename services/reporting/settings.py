"""What only reporting has to know; the prefix is ``MADOGUCHI_REPORTING_``."""

from collections.abc import Mapping

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from shared.http.page_settings import PageSettings


class ReportingSettings(PageSettings):
    """Read once, at start."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_REPORTING_", extra="ignore", frozen=True
    )

    metrics_urls: Mapping[str, str] = Field(
        default_factory=dict,
        description='Processes shown on the page System: {"issuance-api": "http://…/metrics"}.',
    )
    dashboard_listeners: int = Field(
        500, ge=1, description="Pages that one instance keeps up to date at once."
    )

    forecast_band: float = Field(
        0.15, gt=0, le=10, description="Share of a forecast by which a month may be off unalarmed."
    )

    @field_validator("metrics_urls")
    @classmethod
    def _http(cls, urls: Mapping[str, str]) -> Mapping[str, str]:
        if not all(url.startswith(("http://", "https://")) for url in urls.values()):
            raise ValueError("write an http(s) address for each process")
        return urls
