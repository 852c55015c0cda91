"""``madoguchi lots import``: the file goes to the API, and the command watches until it is done."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import typer
import uvicorn

from deploy.cli import lots
from deploy.embedded.errors import OperatorError
from deploy.embedded.ports import free_port
from services.preparation.api import build
from services.preparation.domain import slices
from shared.clock import FixedClock
from shared.db import Database
from tests.preparation.integration.test_intake import take_slices
from tests.preparation.support import lot_csv, resources, row


@pytest_asyncio.fixture
async def url(database: Database, clock: FixedClock) -> AsyncIterator[str]:
    """The room's API on a port, and its due work going on."""
    port = free_port()
    app = build(resources(database, clock))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    working = asyncio.create_task(_work(database))
    for _ in iter(lambda: server.started, True):
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    working.cancel()
    server.should_exit = True
    await serving


async def _work(database: Database) -> None:
    while True:
        await take_slices(database, 1)
        await asyncio.sleep(0.05)


async def test_a_file_is_imported_and_what_was_not_taken_is_told(
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(slices, "ROWS", 30)
    monkeypatch.setenv("MADOGUCHI_TOKEN", "back_office")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    file = tmp_path / "lot.csv"
    file.write_bytes(lot_csv([row(n) for n in range(1, 101)]))
    await asyncio.to_thread(lots.import_, file, url, tmp_path)
    assert "100 rows: 100 taken, 0 not" in capsys.readouterr().err

    file.write_bytes(lot_csv([row(1), row(101)]))
    with pytest.raises(typer.Exit):
        await asyncio.to_thread(lots.import_, file, url, tmp_path)
    assert "2 rows: 1 taken, 1 not" in capsys.readouterr().err


async def test_a_refusal_and_a_silent_room_are_told_in_words(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_TOKEN", "back_office")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    file = tmp_path / "lot.csv"
    file.write_bytes(b"lot,row\n")
    with pytest.raises(OperatorError, match="card_reference"):
        await asyncio.to_thread(lots.import_, file, url, tmp_path)
    with pytest.raises(OperatorError, match="Is it started"):
        await asyncio.to_thread(lots.import_, file, "http://127.0.0.1:1", tmp_path)
