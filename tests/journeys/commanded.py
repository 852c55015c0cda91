"""The `madoguchi` command in a process of its own, as somebody types it."""

import asyncio
import os
import sys
from pathlib import Path


async def command(*arguments: str, environment: dict[str, str]) -> tuple[int, str]:
    """`madoguchi` with these arguments: its exit code and what it said, on one line."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("madoguchi")), *arguments),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, " ".join(said.decode().split())
