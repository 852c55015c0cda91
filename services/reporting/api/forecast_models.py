"""What forecasts look like in JSON."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.reporting.api.whole_files import FileOutcome, RowResult
from services.reporting.domain.forecasts import Basis


class ForecastResult(BaseModel):
    """What became of a file."""

    sha256: str
    outcome: FileOutcome
    version: int | None = Field(description="The version of this file; null where it has none.")
    rows: int
    refused: int
    results: list[RowResult]


class ForecastVersion(BaseModel):
    """A forecast as it was imported."""

    version: int = Field(examples=[1])
    name: str = Field(examples=["2025-07 plan"])
    imported_at: datetime
    imported_by: str
    first_month: str | None = Field(description="First month that it forecasts.")
    last_month: str | None = Field(description="Last month that it forecasts.")


class ForecastLine(BaseModel):
    """A number of a version."""

    month: str = Field(examples=["2026-04"])
    service: str = Field(examples=["card_issuance"])
    basis: Basis = Field(description="published: what the file says was done.")
    count: int


class AccuracyLine(BaseModel):
    """How far a version was from what came, over the months that are over."""

    version: int
    service: str = Field(description="A procedure, or sum for both.")
    months: int = Field(description="Months compared.")
    mae: float = Field(description="Mean absolute error, procedures a month.")
    mape: float | None = Field(description="Mean absolute error as a share of what came.")
    mase: float | None = Field(
        description="MAE over that of the naive forecast; below 1 is better."
    )
    bias: float = Field(description="Mean error; above 0 it expected too much.")


class SeriesLine(BaseModel):
    """A month of a series."""

    month: str = Field(examples=["2026-04"])
    service: str
    series: str = Field(
        description="actual, or forecast-N and published-N of version N.", examples=["forecast-1"]
    )
    count: int
    complete: bool = Field(
        description="False for actuals of a month that is not over, or was counted in part because "
        "the city went live in it."
    )
