"""After everything a citizen can do, what identifies them stands in the vault and nowhere else."""

import logging

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.reservation.domain.link import Purpose
from services.reservation.post import MailMetrics
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance
from shared.db import Connection, Database
from shared.telemetry.metrics import Metrics
from tests.reservation.mailbox import Mailbox, code, links, post
from tests.reservation.support import (
    NUMBER,
    SITE,
    WARD,
    bearer,
    case,
    invite,
    make_site,
    open_site,
)

EMAIL, PHONE, OTHER = "hanako.kawasaki@mail.example", "0449876543", "second.address@mail.example"
MINE = case("mine")
BOTH = tuple(Acceptance(procedure=one, wards=(WARD,)) for one in Procedure)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Every span that ends."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return kept


async def everything(
    client: httpx.AsyncClient, database: Database, mailbox: Mailbox, figures: MailMetrics
) -> set[str]:
    """Log in both ways, fail to, book, act by link, be refused; the secrets that came about."""
    send = post(database, mailbox.gateway())
    found = {EMAIL, PHONE, "044-987-6543", OTHER, NUMBER, NUMBER.replace("-", ""), "1990-02-03"}
    login = {"notice_number": NUMBER, "birth_date": "1990-02-03"}
    await client.post("/v1/sessions", json={**login, "birth_date": "1990-02-04"})
    token = (await client.post("/v1/sessions", json=login)).json()["access_token"]
    who, contact = bearer(token), f"/v1/contacts/{MINE}"
    for body in ({"email": f"{EMAIL} x"}, {"email": EMAIL, "phone": "044-987-6543"}):
        await client.put(contact, json=body, headers=who)
    await send.round(figures)
    typed = code(mailbox.take())
    await client.post(f"{contact}:verify", json={"code": typed}, headers=who)
    wish = {"case_ids": [str(MINE)], "site_id": SITE, "starts_at": "2026-04-02T09:00:00+09:00"}
    await client.post("/v1/bookings", json=wish, headers={**who, **bearer(token, once=True)})
    await send.round(figures)
    tokens = links(mailbox.take())
    await client.post("/v1/sessions:link", json={"token": tokens[Purpose.MOVE]})
    await client.post("/v1/links:cancel", json={"token": tokens[Purpose.CANCEL]})
    mailbox.answers[EMAIL] = f"550 5.1.1 <{EMAIL}> unknown"
    await send.round(figures)
    await client.get("/v1/phone-list", params={"site_id": SITE}, headers=bearer("clerk"))
    asked = await client.post("/v1/sessions:request", json={"email": OTHER})
    await send.round(figures)
    second = code(mailbox.take())
    confirm = {"request_id": asked.json()["request_id"], "code": second}
    session = (await client.post("/v1/sessions:confirm", json=confirm)).json()
    renewal = {"ward": WARD, "certificate_expires_on": "2026-05-20"}
    opened = bearer(session["access_token"], once=True)
    await client.post("/v1/renewals", json=renewal, headers=opened)
    return found | {typed, second, token, session["access_token"], *tokens.values()}


async def dump(conn: Connection) -> dict[str, str]:
    """Every row of every table as text."""
    names = await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    made = {}
    for (name,) in names:
        rows = await conn.fetch(f'SELECT t::text FROM "{name}" t')
        made[name] = "\n".join(row[0] for row in rows)
    rows = await conn.fetch("SELECT convert_from(body, 'UTF8') FROM idempotency")
    return made | {"answers": "\n".join(row[0] for row in rows)}


async def test_what_identifies_a_citizen_stands_in_no_table_log_trace_or_figure(
    client: httpx.AsyncClient,
    database: Database,
    mailbox: Mailbox,
    spans: InMemorySpanExporter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await open_site(database, make_site(acceptance=BOTH))
    await invite(database, MINE)
    metrics = Metrics(service="reservation", role="test")
    secrets = await everything(client, database, mailbox, MailMetrics(metrics))
    assert len(secrets) >= 12
    async with database.reader() as conn:
        places = await dump(conn)
    assert places["message"].count("\n") >= 3
    for table in ("contact", "renewal", "phone_entry", "outbox", "audit_entry", "subject_key"):
        assert any(text for name, text in places.items() if name.startswith(table)), table
    assert "bounced" in places["message"]
    places["log"] = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name.startswith(("services", "shared", "uvicorn", "madoguchi"))
    )
    places["traces"] = "\n".join(span.to_json() for span in spans.get_finished_spans())
    assert "/v1/links:cancel" in places["traces"]
    assert "/v1/links:cancel" in places["log"]
    places["metrics"] = metrics.render().decode() + (await client.get("/metrics")).text
    for place, text in places.items():
        for secret in secrets:
            assert secret not in text, f"{place} holds {secret!r}"
            assert secret.encode().hex() not in text, f"{place} holds {secret!r} as bytes"
