"""However much rubbish is sent, it is refused clearly, and in bounded memory."""

import pytest

from services.preparation.domain.lot_file import COLUMNS
from tests.preparation.served import Served, garbage, rows_of_garbage, sent, served
from tests.support.sizes import proof_size

MIB = 1024 * 1024
LIMIT = 16 * MIB
"""Greatest body that is read at all (``MADOGUCHI_BODY_LIMIT_MIB``)."""
HUGE = proof_size(20, 200) * MIB
ROWS = proof_size(40_000, 1_000_000)
"""Greatest number of rows (``MADOGUCHI_PREPARATION_MAX_BACKGROUND_ROWS``)."""
BOUND = 6 * LIMIT / MIB
"""MiB: what has come of a body lies in memory in pieces, whole, and as text."""


async def send_all(app: Served) -> None:
    """Rubbish of every kind, refused each time."""
    declared = await sent(app, garbage(HUGE), **{"Content-Length": str(HUGE)})
    assert (declared.status_code, declared.json()["status"]) == (413, 413)
    streamed = await sent(app, garbage(HUGE))
    assert (streamed.status_code, streamed.json()["status"]) == (413, 413)
    read = await sent(app, garbage(LIMIT - MIB))
    assert read.status_code == 422
    assert "garbage" not in read.text
    assert read.json()["columns"] == list(COLUMNS)
    header = ",".join(COLUMNS).encode() + b"\r\n"
    rows = await sent(app, rows_of_garbage(LIMIT - MIB, header))
    assert (rows.status_code, rows.json()["status"]) == (413, 413)
    assert str(ROWS) in rows.text


@pytest.mark.proof
async def test_rubbish_is_refused_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_PREPARATION_MAX_BACKGROUND_ROWS", str(ROWS))
    async with served() as app:
        await send_all(app)
        grown = app.grown()
        assert 0 < grown < BOUND
