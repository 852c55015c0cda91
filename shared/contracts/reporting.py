"""What reporting tells: numbers that the city has decided to work with."""

from typing import Annotated

from pydantic import Field

from shared.contracts.base import BusinessDate, Event, Procedure, Value
from shared.contracts.place import Count


class ExpectedMonth(Value):
    """How many procedures are expected to be completed in a month."""

    month: BusinessDate
    """The first day of the month."""

    procedure: Procedure
    """What is completed."""

    count: Count
    """How many."""


class ForecastPublished(Event):
    """A version of the forecast counts from now on; versions before it stay as they were."""

    type = "forecast.published.v1"
    topic = "reporting.events"

    version: Annotated[int, Field(ge=1)]
    """Versions count from 1; the greatest is the one that counts."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Of the file it was taken from."""

    months: tuple[ExpectedMonth, ...]
    """All that it expects, in order of month and procedure."""

    @property
    def subject(self) -> str:
        """The version."""
        return f"forecast-{self.version}"
