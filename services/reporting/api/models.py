"""What the reports look like in JSON."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from shared.contracts.base import CaseKind, Procedure
from shared.ids import CaseId, SiteId, WardCode


class ColumnHead(BaseModel):
    """A column: its member in each row, and its title in the language of the answer."""

    key: str
    title: str


class ReportTable(BaseModel):
    """A report as rows of named cells. CSV and XLSX hold the same cells under the titles, unless
    the route says otherwise."""

    columns: list[ColumnHead]
    rows: list[dict[str, bool | int | float | str | None]]


class CaseLine(BaseModel):
    """A case behind a figure. Other rooms know more about it; here it is only counted."""

    case_id: CaseId
    procedure: Procedure
    kind: CaseKind
    ward: WardCode = Field(description="Ward of residence on the day.")
    site_id: SiteId
    completed_at: datetime
    event_id: UUID = Field(description="The event by which it counts.")
