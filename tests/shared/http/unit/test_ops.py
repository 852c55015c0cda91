"""Alive, ready, and what is missing when not."""

import asyncio
import socket
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette

from deploy.embedded.ports import free_port
from shared.http.ops import Check, Finding, NotReadyError, findings, ops_routes, serve_ops
from shared.telemetry.metrics import Metrics

HOST = "127.0.0.1"


async def fine() -> None:
    pass


async def refused() -> None:
    raise ConnectionRefusedError("postgresql://user:secret@db/x")


async def behind() -> None:
    raise NotReadyError("2 migrations are missing")


async def hanging() -> None:
    await asyncio.Event().wait()


def client_of(checks: Mapping[str, Check]) -> httpx.AsyncClient:
    routes = ops_routes(checks, Metrics(service="test", role="relay"))
    transport = httpx.ASGITransport(Starlette(routes=routes))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_alive_whatever_is_missing() -> None:
    async with client_of({"postgresql": refused}) as client:
        assert (await client.get("/livez")).json() == {"status": "alive"}


async def test_ready() -> None:
    async with client_of({"postgresql": fine, "kafka": fine}) as client:
        response = await client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    assert response.json()["checks"] == {"postgresql": {"ok": True}, "kafka": {"ok": True}}


async def test_what_is_missing_is_named_without_secrets() -> None:
    checks = {"kafka": fine, "postgresql": refused, "migrations": behind}
    async with client_of(checks) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {
        "kafka": {"ok": True},
        "postgresql": {"ok": False, "why": "ConnectionRefusedError"},
        "migrations": {"ok": False, "why": "2 migrations are missing"},
    }


async def test_a_check_that_hangs_holds_up_nobody() -> None:
    found = await findings({"slow": hanging, "kafka": fine}, seconds=0.01)
    assert found == {
        "slow": Finding(ok=False, why="no answer within 0.01 s"),
        "kafka": Finding(ok=True),
    }


async def test_figures() -> None:
    async with client_of({}) as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "madoguchi_outbox_unpublished 0.0" in response.text
    assert "process_resident_memory_bytes" in response.text


async def test_served_beside_other_work_until_cancelled() -> None:
    port = free_port()
    metrics = Metrics(service="test", role="relay")
    serving = asyncio.create_task(serve_ops(HOST, port, {"kafka": fine}, metrics))
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}") as client:
        while True:
            try:
                response = await client.get("/readyz")
                break
            except httpx.ConnectError:
                assert not serving.done()
                await asyncio.sleep(0.01)
    assert response.json()["checks"] == {"kafka": {"ok": True}}
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((HOST, port))


async def test_a_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await serve_ops(HOST, taken.getsockname()[1], {}, Metrics(service="t", role="relay"))
