"""The tickets of a day as a table for files."""

from collections.abc import Sequence

from services.issuance.api.ticket_views import TicketView
from shared.errors import Text
from shared.http.tables import Cell, Column, Table

_COLUMNS = (
    Column("ticket", Text("Ticket", "番号")),
    Column("purposes", Text("Purposes", "用件")),
    Column("need", Text("Served sooner for", "優先の理由")),
    Column("arrival", Text("Arrival", "来庁区分")),
    Column("state", Text("State", "状態")),
    Column("counter", Text("Counter", "窓口")),
    Column("starts_at", Text("Booked time", "予約時刻")),
    Column("checked_in_at", Text("Came", "受付時刻")),
    Column("called_at", Text("Called", "呼出時刻")),
    Column("ended_at", Text("Ended", "終了時刻")),
    Column("calls", Text("Calls", "呼出回数")),
    Column("skips", Text("Skipped", "不在回数")),
)


def ticket_table(name: str, tickets: Sequence[TicketView]) -> Table:
    """``tickets`` in their order, under ``name``."""
    return Table(name, _COLUMNS, [_row(ticket) for ticket in tickets])


def _row(ticket: TicketView) -> list[Cell]:
    values = {**ticket.model_dump(), "purposes": " ".join(ticket.purposes)}
    return [values[column.key] for column in _COLUMNS]
