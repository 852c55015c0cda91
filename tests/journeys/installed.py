"""One issuance as an installation runs it: its api, consume and relay as processes."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from deploy.embedded.ports import LOOPBACK, free_ports

ROLES = ("api", "consume", "relay")
Process = asyncio.subprocess.Process


class Issuance:
    """The processes of one database, started and ended by the test."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.ports = dict(zip(ROLES, free_ports(len(ROLES)), strict=True))
        self.api = f"http://{LOOPBACK}:{self.ports['api']}"
        system = {k: v for k, v in os.environ.items() if not k.startswith("MADOGUCHI_")}
        own = {f"MADOGUCHI_ISSUANCE_{k.upper()}_PORT": str(v) for k, v in self.ports.items()}
        self._environment = {**system, **own, **settings}
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, Process] = {}

    async def start(self, *roles: str) -> None:
        """Start processes and wait until each has what it needs."""
        for role in roles:
            with self._log(role).open("ab") as output:
                self._running[role] = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "services.issuance", role),
                    env=self._environment,
                    stdout=output,
                    stderr=output,
                )
        async with httpx.AsyncClient() as http:
            for role in roles:
                while not await self.is_ready(http, role):
                    assert self._running[role].returncode is None, self._log(role).read_text()
                    await asyncio.sleep(0.05)

    async def is_ready(self, http: httpx.AsyncClient, role: str) -> bool:
        """What a process says of itself."""
        try:
            answer = await http.get(f"http://{LOOPBACK}:{self.ports[role]}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    async def kill(self, role: str) -> None:
        """End a process as a power cut would."""
        process = self._running.pop(role)
        process.kill()
        await process.wait()

    async def leave(self) -> list[int]:
        """End every process as an operator does, who lets it finish; how each ended."""
        for process in self._running.values():
            process.terminate()
        ended = [await process.wait() for process in self._running.values()]
        self._running.clear()
        return ended

    async def end(self) -> list[str]:
        """End every process; those that had ended by themselves."""
        died = [role for role, one in self._running.items() if one.returncode is not None]
        for role in self._running.keys() - set(died):
            self._running[role].kill()
        for process in self._running.values():
            await process.wait()
        return died

    def _log(self, role: str) -> Path:
        return self._folder / f"{role}.log"
