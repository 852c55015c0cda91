"""A process ends with its first part that ends, and says so by its exit code."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from shared.processes.process import until_stopped
from tests.conftest import ROOT


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _fails() -> None:
    raise LookupError("nothing there")


async def _ends() -> None:
    return


async def test_a_part_that_fails_is_raised() -> None:
    with pytest.raises(LookupError):
        await until_stopped([_for_ever(), _fails()])


async def test_a_part_that_ends_by_itself_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="by itself"):
        await until_stopped([_for_ever(), _ends()])


async def test_a_signal_ends_it_well() -> None:
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    await until_stopped([_for_ever()])


async def test_what_fails_while_stopping_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def stubborn() -> None:
        try:
            await _for_ever()
        finally:
            raise LookupError("nothing there")

    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    await until_stopped([stubborn()])
    assert "failed while stopping: LookupError" in caplog.text


async def _start(role: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.reservation", role),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_room_that_cannot_start_names_the_settings() -> None:
    code, said = await _start("relay", MADOGUCHI_RESERVATION_MASTER_KEYS="k1:do-not-show")
    assert code == 2
    assert "MADOGUCHI_RESERVATION_DATABASE_URL: Field required" in said
    assert "do-not-show" not in said
    assert "Traceback" not in said


async def test_a_role_that_fails_ends_with_one_and_a_line_of_the_log(tmp_path: Path) -> None:
    ports = {f"MADOGUCHI_RESERVATION_{r}_PORT": "1" for r in ("API", "CONSUME", "RELAY")}
    url = f"postgresql://nobody@/none?host={tmp_path}"
    code, said = await _start("migrate", MADOGUCHI_RESERVATION_DATABASE_URL=url, **ports)
    assert code == 1
    assert '"level": "CRITICAL"' in said
    assert "ended by an error" in said
