"""Rows that are a satellite's journal: worked one by one, each in a unit of its own."""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from services.issuance.api import batch_steps
from services.issuance.api.batch_bodies import Batch, Journal
from services.issuance.api.desk import Desk
from services.issuance.api.step_rows import StepRow, UnreadRow
from services.issuance.domain.conflict import Entry, EntryNotUnderstood
from services.issuance.handlers import receiving
from services.issuance.handlers.receiving import Received, Work
from shared.errors import Problem
from shared.http.call import Call
from shared.http.groups import Answered
from shared.security.access import RoleForbidden
from shared.security.principal import Role
from shared.unit import Unit

_ROW: TypeAdapter[StepRow] = TypeAdapter(Annotated[StepRow, Field(discriminator="verb")])
_MAY_TELL = frozenset({Role.SUPERVISOR, Role.SYSTEM})


async def receive(
    call: Call, body: Batch, journal: Journal, desk: Desk
) -> list[Answered | Problem]:
    """What became of each entry. Raises ``Forbidden`` (role, site)."""
    if not call.principal.roles & _MAY_TELL:
        raise RoleForbidden(_MAY_TELL)
    call.principal.require_site(journal.site_id)
    rows = await call.rows(body.model_dump_json(by_alias=True).encode())
    ends: list[Answered | Problem] = []
    for number, (row, entry) in enumerate(zip(body.rows, journal.entries, strict=True)):
        plain = row.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        told = Entry(entry.number, entry.actor, plain)

        async def command(unit: Unit, told: Entry = told) -> Received:
            return await receiving.receive(
                unit, journal.site_id, journal.lease, told, work_of(desk)
            )

        try:
            ends.append(await call.row(number, rows, command))
        except Problem as problem:
            # What follows may belong to the same visit: the order of the journal is kept.
            return [*ends, *[problem] * (len(body.rows) - number)]
    return ends


def work_of(desk: Desk) -> Work:
    """Does what an entry of a journal tells."""

    async def work(unit: Unit, entry: Entry) -> object:
        row = _ROW.validate_python(dict(entry.row))
        return await batch_steps.work(unit, _read(row) if isinstance(row, UnreadRow) else row, desk)

    return work


def _read(row: UnreadRow) -> StepRow:
    """The row that could not be read, by the words of this release.

    Raises ``EntryNotUnderstood``; what stands in it is not repeated.
    """
    try:
        read = _ROW.validate_python(row.entry)
    except ValidationError:
        raise EntryNotUnderstood from None
    if isinstance(read, UnreadRow):
        raise EntryNotUnderstood
    return read
