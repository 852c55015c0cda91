"""GET /v1/reports/stages: cards at each stage of preparation, their pace, and the outlook."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.api import documents
from services.reporting.api.answers import answer
from services.reporting.api.board.words import speaker
from services.reporting.api.filters import today
from services.reporting.api.models import ReportTable
from services.reporting.api.spans import CalendarDep
from services.reporting.handlers.stage_backlog import backlogs
from services.reporting.store.stages import Waiting
from shared.errors import Text
from shared.http.call import CallDep
from shared.http.tables import Column, Table, TableDep

router = APIRouter(prefix="/v1/reports", tags=["reports"])

_COLUMNS = (
    Column("stage", Text("Stage (code)", "工程（コード）")),
    Column("label", Text("Stage", "工程")),
    Column("cards", Text("Cards", "枚数")),
    Column("oldest", Text("Waiting longest since", "最も古い滞留")),
    Column("pace", Text("Left it per business day", "1営業日の処理数")),
    Column("days", Text("Business days until it is empty", "解消までの営業日数")),
)


@router.get(
    "/stages",
    summary="Cards at each stage now, how fast they leave it, and when it is empty",
    response_model=ReportTable,
    responses=documents.table(documents.STAGES),
)
async def stages(
    request: Request, call: CallDep, wanted: TableDep, calendar: CalendarDep
) -> Response:
    """The pace is the mean of the last 10 full business days, today's not among them; the outlook
    is today's backlog at that pace, with nothing new. A stage that nothing left has no outlook, and
    holds have neither: `oldest` is since when the card is on hold."""
    day = today(call.resources.units.clock)
    async with call.unit() as unit:
        found = await backlogs(unit.conn, day, calendar)
    t = speaker(wanted.language)
    rows = [
        (each.stage, t(stage_word(each.stage)), each.cards, each.oldest, each.pace, each.days)
        for each in found
    ]
    return await answer(request, wanted, Table(f"stages-{day}", _COLUMNS, rows))


def stage_word(stage: Waiting) -> str:
    """The key of what the dashboard calls a stage: elsewhere *booked* is a seat."""
    return "booked_stage" if stage is Waiting.BOOKED else str(stage)
