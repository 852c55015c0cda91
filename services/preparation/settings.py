"""What preparation alone decides; environment variables ``MADOGUCHI_PREPARATION_…``."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class PreparationSettings(BaseSettings):
    """Read once, at start."""

    model_config = SettingsConfigDict(
        env_prefix="MADOGUCHI_PREPARATION_", extra="ignore", frozen=True
    )

    pickup_months: int = Field(
        3, ge=1, le=12, description="Months from the notice to the pickup deadline."
    )
    max_import_rows: int = Field(
        30_000, ge=1, description="Rows of one file; one file is one transaction."
    )
