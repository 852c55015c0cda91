"""Sites and hours in bulk: CSV in, CSV or a workbook out."""

import hashlib
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from services.reservation.api.desk import DeskDep
from services.reservation.api.exports import FILES
from services.reservation.api.sites import BookingsPolicy
from services.reservation.domain.rules import Rules
from services.reservation.handlers import site_files, sites
from services.reservation.handlers.site_files import FORMS, Outcome, Table, Taken
from services.reservation.handlers.sites import Displaced
from shared import csv_file
from shared.contracts.base import SiteRef
from shared.contracts.place import Site
from shared.csv_file import Line
from shared.errors import Language, Problem, Text
from shared.http import row_results, tables
from shared.http.call import Call, CallDep
from shared.http.language import negotiate
from shared.http.row_results import Refusal
from shared.http.tables import Column, TableDep
from shared.ids import SiteId
from shared.unit import Unit

router = APIRouter(prefix="/v1", tags=["sites"])

MOST_ROWS = 5_000
TableQuery = Annotated[Table, Query(description="What the file is about.")]

_EXAMPLE = (
    "site_id,weekday,opens,closes,occurrences\n"
    "kawasaki-ward-office,monday,08:30,17:00,\n"
    "kawasaki-ward-office,saturday,08:30,12:30,2 4\n"
)
_SITE = TypeAdapter(SiteRef)


class SiteRow(BaseModel):
    """What became of one row."""

    line: int = Field(description="Line in the file; the header is 1.")
    site_id: SiteId | None
    outcome: Outcome
    version: int | None = Field(description="Version of the site afterwards.")
    refusal: Refusal | None


class SiteFileResult(BaseModel):
    """What became of a file."""

    table: Table
    sha256: str
    dry_run: bool
    rows: int
    refused: int
    results: list[SiteRow]


class _DryRun(Exception):  # noqa: N818  no error: it undoes a rehearsal
    def __init__(self, taken: Taken) -> None:
        self.taken = taken
        super().__init__()


@router.get("/sites:export", summary="Sites as a file", responses=FILES)
async def export_sites(call: CallDep, wanted: TableDep, table: TableQuery) -> Response:
    """All sites, or one of the tables of their calendars; what it gives can be imported again."""
    form = FORMS[table]
    names = (*form.needed, *form.optional)
    found: list[Site] = []
    async with call.unit() as unit:
        while page := await sites.list_(unit, found[-1].site_id if found else "", 200):
            found += [one.site for one in page]
    rows = [row for site in found for row in site_files.rows_of(site, table)]
    columns = [Column(name, Text(name, name)) for name in names]
    cells = [[row.get(name) for name in names] for row in rows]
    return await wanted.answer(tables.Table(table.value, columns, cells))


@router.post(
    "/sites:import",
    summary="Plan or change sites from a file",
    openapi_extra=row_results.upload(_EXAMPLE, *FORMS.values()),
)
async def import_sites(
    *,
    request: Request,
    call: CallDep,
    desk: DeskDep,
    table: TableQuery,
    policy: BookingsPolicy = Displaced.REFUSE,
    dry_run: Annotated[bool, Query(description="Only say what would happen.")] = False,
) -> SiteFileResult:
    """Each site is changed by itself, or refused with all its rows. The same file again changes
    nothing.

    A file of hours, exceptions, staff or acceptance says all of it for each site that it names.
    """
    body = await request.body()
    language = negotiate(request.headers.get("accept-language"))
    work = _Work(call, desk.rules, table, policy, language, dry_run=dry_run)
    results = await work.results(csv_file.read(body, FORMS[table], MOST_ROWS))
    return SiteFileResult(
        table=table,
        sha256=hashlib.sha256(body).hexdigest(),
        dry_run=dry_run,
        rows=len(results),
        refused=sum(row.outcome is Outcome.REFUSED for row in results),
        results=results,
    )


class _Work:
    def __init__(
        self,
        call: Call,
        rules: Rules,
        table: Table,
        policy: Displaced,
        language: Language,
        *,
        dry_run: bool,
    ) -> None:
        self._call = call
        self._rules = rules
        self._table = table
        self._policy = policy
        self._language = language
        self._dry_run = dry_run

    async def results(self, lines: list[Line]) -> list[SiteRow]:
        """What became of each line, in their order."""
        found: dict[int, SiteRow] = {}
        by_site: dict[SiteId, dict[int, BaseModel]] = {}
        for line in lines:
            site_id, part = self._read(line)
            if isinstance(part, Refusal):
                found[line.number] = _refused(line.number, site_id, part)
                by_site.setdefault(site_id or SiteId(""), {})
            elif site_id is not None:
                by_site.setdefault(site_id, {})[line.number] = part
        broken = {row.site_id for row in found.values()}
        for site_id, parts in by_site.items():
            if site_id in broken:
                found |= {n: _refused(n, site_id, self._incomplete()) for n in parts}
            elif parts:
                found |= await self._site(site_id, parts)
        return [found[line.number] for line in lines]

    def _read(self, line: Line) -> tuple[SiteId | None, BaseModel | Refusal]:
        site_id: SiteId | None = None
        if line.fault is not None:
            return None, row_results.of_fields([line.fault], self._language)
        try:
            site_id = _SITE.validate_python(line.cells.get("site_id", ""))
            if self._table is Table.SITES:
                return site_id, site_files.site_of(line.cells)
            return site_id, site_files.part_of(self._table, line.cells)
        except ValidationError as error:
            return site_id, row_results.of_validation(error, self._language)

    async def _site(self, site_id: SiteId, parts: Mapping[int, BaseModel]) -> dict[int, SiteRow]:
        try:
            taken = await self._take(site_id, parts)
        except Problem as problem:
            refusal = row_results.of_problem(problem, self._language)
            return {number: _refused(number, site_id, refusal) for number in parts}
        return {
            number: SiteRow(
                line=number,
                site_id=site_id,
                outcome=taken.outcome,
                version=taken.version,
                refusal=None,
            )
            for number in parts
        }

    async def _take(self, site_id: SiteId, parts: Mapping[int, BaseModel]) -> Taken:
        try:
            async with self._call.unit() as unit:
                taken = await self._change(unit, site_id, list(parts.values()))
                if self._dry_run:
                    raise _DryRun(taken)
        except _DryRun as rehearsed:
            return rehearsed.taken
        return taken

    async def _change(self, unit: Unit, site_id: SiteId, parts: list[BaseModel]) -> Taken:
        described = parts[-1]
        if isinstance(described, Site):
            return await site_files.take_site(unit, described, self._rules, self._policy)
        return await site_files.take_part(
            unit, site_id, self._table, parts, rules=self._rules, policy=self._policy
        )

    def _incomplete(self) -> Refusal:
        return row_results.of_problem(_OtherRows(), self._language)


class _OtherRows(Problem):
    """A site is taken whole or not at all."""

    status = 422
    slug = "other-rows-refused"
    title = Text("Another row of this site cannot be taken", "この窓口の他の行に誤りがあります")
    remedy = Text(
        "Correct the other rows of this site and send the file again.",
        "この窓口の他の行を修正し、ファイルをもう一度送信してください。",
    )


def _refused(line: int, site_id: SiteId | None, refusal: Refusal) -> SiteRow:
    return SiteRow(
        line=line, site_id=site_id, outcome=Outcome.REFUSED, version=None, refusal=refusal
    )
