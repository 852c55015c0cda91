"""A preparation room for tests: real database, real app; tokens are just names."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from aiokafka.structs import ConsumerRecord
from pydantic import SecretStr

from services.preparation.domain.lot_file import COLUMNS
from services.preparation.events import SUBSCRIBES
from shared.clock import FixedClock
from shared.contracts.base import Event
from shared.db import Database
from shared.errors import Unauthorized
from shared.ids import CaseId, SiteId, derived_id, new_id
from shared.messaging.processing import Processor
from shared.room import Resources
from shared.security.principal import EVERY_SITE, Principal, Role
from shared.settings import Doors, KernelSettings
from shared.telemetry.metrics import Metrics
from shared.unit import Units
from tests.support.messaging import record

MORNING = datetime(2026, 4, 14, 0, 0, tzinfo=UTC)
"""Nine o'clock in Tokyo, a Tuesday."""
WARD = "141313"
SITE = "kawasaki-ward-office"
OLD_KEY, NEW_KEY = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))

PEOPLE: Mapping[str, Principal] = {
    "back_office": Principal("staff:b", frozenset({Role.BACK_OFFICE}), frozenset({SiteId(SITE)})),
    "elsewhere": Principal(
        "staff:e", frozenset({Role.BACK_OFFICE}), frozenset({SiteId("saiwai-ward-office")})
    ),
    "supervisor": Principal("staff:s", frozenset({Role.SUPERVISOR}), frozenset({EVERY_SITE})),
    "auditor": Principal("staff:a", frozenset({Role.AUDITOR}), frozenset({EVERY_SITE})),
    "clerk": Principal("staff:c", frozenset({Role.CLERK}), frozenset({EVERY_SITE})),
}


def kernel_settings(**values: Any) -> KernelSettings:
    """Settings of a test process."""
    return KernelSettings(**{"notice_keys": SecretStr(f"n1:{OLD_KEY}"), **values})


def room_doors(master_keys: str = f"m1:{OLD_KEY}") -> Doors:
    """The room's own settings; nothing listens in these tests."""
    return Doors(
        database_url="postgresql://127.0.0.1:1/none",
        api_port=1,
        consume_port=1,
        relay_port=1,
        master_keys=SecretStr(master_keys),
    )


class People:
    """Verifies tokens: a known name, or ``citizen:`` and case ids."""

    async def __call__(self, authorization: str | None) -> Principal:
        """The principal of a header. Raises ``Unauthorized``."""
        if authorization is None:
            return Principal.anonymous()
        token = authorization.removeprefix("Bearer ")
        if token in PEOPLE:
            return PEOPLE[token]
        if token.startswith("citizen:"):
            return citizen(token.removeprefix("citizen:").split(","))
        raise Unauthorized(token_sent=True)


def citizen(case_ids: Iterable[str]) -> Principal:
    """A citizen with these cases."""
    cases = frozenset(CaseId(UUID(case_id)) for case_id in case_ids if case_id)
    return Principal("citizen:one", frozenset({Role.CITIZEN}), cases=cases)


def resources(
    database: Database,
    clock: FixedClock | None = None,
    *,
    settings: KernelSettings | None = None,
    doors: Doors | None = None,
) -> Resources:
    """What the app gets from its process."""
    settings = settings or kernel_settings()
    clock = clock or FixedClock(MORNING)
    return Resources(
        room="preparation",
        units=units(database, clock),
        authenticate=People(),
        metrics=Metrics(service="preparation", role="test"),
        settings=settings,
        doors=doors or room_doors(),
        database=database,
        clock=clock,
    )


def units(database: Database, clock: FixedClock | None = None) -> Units:
    """Units of the room."""
    return Units(
        database,
        room="preparation",
        source="/141305/preparation",
        clock=clock or FixedClock(MORNING),
    )


def bearer(name: str = "back_office", **headers: str) -> dict[str, str]:
    """The headers with which somebody comes."""
    return {"Authorization": f"Bearer {name}", **headers}


def once(name: str = "back_office") -> dict[str, str]:
    """The same, with a new Idempotency-Key."""
    return {**bearer(name), "Idempotency-Key": str(new_id())}


def row(number: int = 1, **cells: object) -> dict[str, str]:
    """One good row of a lot, some cells replaced."""
    good = {
        "lot": "L2026-0412",
        "row": number,
        "card_reference": f"KC26-{number:06d}",
        "ward": WARD,
        "kind": "new",
        "applied_on": date(2026, 3, 2),
        "shipped_on": date(2026, 4, 10),
        "card_expires_on": date(2036, 5, 14),
        "birth_date": date(1950, 1, 1) + timedelta(days=number),
    }
    return {name: str(cell) for name, cell in {**good, **cells}.items()}


def lot_csv(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    """A lot file with these rows."""
    lines = [",".join(columns), *(",".join(r[c] for c in columns) for r in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


async def import_rows(client: httpx.AsyncClient, count: int, **cells: object) -> list[str]:
    """Import good rows over HTTP; the case ids, in the order of the rows."""
    columns = [*COLUMNS, *(name for name in cells if name not in COLUMNS)]
    body = lot_csv([row(n, **cells) for n in range(1, count + 1)], columns)
    answer = await client.post("/v1/lots", content=body, headers=bearer())
    assert answer.status_code == 201, answer.text
    return [result["case_id"] for result in answer.json()["results"]]


async def to_shelf(client: httpx.AsyncClient, lot_id: str = "L2026-0412") -> None:
    """Take a lot through every desk onto the shelf."""
    for stage in ("inspected", "registry_checked", "preset"):
        answer = await client.post(f"/v1/stages/{stage}", json={"lot_id": lot_id}, headers=bearer())
        assert answer.status_code == 200, answer.text
    body = {"lot_id": lot_id, "site_id": SITE}
    answer = await client.post("/v1/stages/shelved", json=body, headers=bearer())
    assert answer.status_code == 200, answer.text


async def events_of(database: Database, case_id: str | None = None) -> list[str]:
    """The types told of a case (of all cases), in order."""
    async with database.reader() as conn:
        rows = await conn.fetch(
            "SELECT type FROM outbox WHERE $1::text IS NULL OR subject = $1 ORDER BY xid, pos",
            case_id,
        )
    return [found["type"] for found in rows]


async def dump(database: Database) -> str:
    """Every row of every table as text, event bodies readable."""
    async with database.reader() as conn:
        tables = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        texts = [
            found["row"]
            for table in tables
            for found in await conn.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" t')
        ]
        bodies = await conn.fetch("SELECT convert_from(data, 'UTF8') AS body FROM outbox")
        answers = await conn.fetch("SELECT convert_from(body, 'UTF8') AS body FROM idempotency")
    return "\n".join([*texts, *(found["body"] for found in (*bodies, *answers))])


async def hear(
    database: Database,
    *events: Event,
    order: Sequence[int] | None = None,
    at: datetime | None = None,
) -> None:
    """Let the room's consumer handle one batch; each event has its own id and sequence.

    ``order`` picks from ``events`` by number, in any order and more than once; ``at`` is when they
    happened.
    """
    processor = Processor(
        "preparation",
        units(database),
        SUBSCRIBES,
        metrics=Metrics(service="preparation", role="test"),
    )
    numbers = range(len(events)) if order is None else order
    await processor.handle_batch([_record(events[number], number, at) for number in numbers])


def _record(event: Event, number: int, at: datetime | None) -> ConsumerRecord:
    body = event.model_dump_json()
    return record(event, number, id_=derived_id(event.type, number, body), time=at)


async def days_of_stages_agree(database: Database) -> bool:
    """Whether every card bears the days on which its history says that it came to its stages."""
    async with database.reader() as conn:
        differing = await conn.fetchval(
            """
            SELECT count(*) FROM card LEFT JOIN (
                SELECT case_id, jsonb_object_agg(stage, day) AS days
                FROM (SELECT case_id, CASE WHEN stage IN ('voided', 'disposed') THEN 'ended'
                                           ELSE stage END AS stage,
                             min((at AT TIME ZONE 'Asia/Tokyo')::date) AS day
                      FROM card_stage WHERE stage NOT IN ('rejected', 'disposal_due')
                      GROUP BY 1, 2) AS each GROUP BY case_id
            ) AS history USING (case_id)
            WHERE jsonb_strip_nulls(jsonb_build_object(
                'received', received_on, 'inspected', inspected_on,
                'registry_checked', registry_checked_on, 'preset', preset_on,
                'shelved', shelved_on, 'notified', notified_on, 'issued', issued_on,
                'ended', ended_on)) <> coalesce(days, '{}')
            """
        )
    return bool(differing == 0)
