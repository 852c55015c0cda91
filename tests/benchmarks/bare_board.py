"""What stands beside the board in its benchmark: a text told to every listener, and nothing else.

No database, no queue, no roles: a POST gives the text, every stream sends it. Beside visits stands
an echo of a check-in's body.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse


class Told:
    """The newest text, and the event that a newer one sets."""

    def __init__(self) -> None:
        self.text = b"-"
        self.changed = asyncio.Event()


class CheckIn(BaseModel):
    """A check-in as it is asked for."""

    site_id: str
    booking_id: UUID


app = FastAPI()
app.state.told = Told()


@app.post("/tell", status_code=204)
async def tell(request: Request) -> None:
    """Let every listener have the body."""
    told: Told = request.app.state.told
    told.text = await request.body()
    before, told.changed = told.changed, asyncio.Event()
    before.set()


@app.post("/echo")
async def echo(body: CheckIn) -> CheckIn:
    """The body."""
    return body


@app.get("/board")
async def board(request: Request) -> StreamingResponse:
    """The text, now and whenever there is another."""
    return StreamingResponse(_stream(request.app.state.told), media_type="text/event-stream")


async def _stream(told: Told) -> AsyncIterator[bytes]:
    while True:
        changed = told.changed
        yield b"data: " + told.text + b"\n\n"
        await changed.wait()
