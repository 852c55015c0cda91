"""A real Keycloak with the realm that is deployed, for proofs.

Its distribution is a package of Maven Central; it is kept in the cache beside the broker's jars,
and nothing of a run is kept but that it has built itself.
Without Java or Maven, or where it cannot be fetched, the proof is skipped and says why.
"""

import asyncio
import os
import re
import shutil
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.embedded.ports import LOOPBACK, free_port
from tests.conftest import JARS

HERE = Path(__file__).parent.parent.parent
REALM = HERE / "deploy" / "keycloak" / "madoguchi-realm.json"
PASSWORD = "Only-for-this-proof-1"
SECRET = "only-for-this-proof"
FETCH_SECONDS = 600
START_SECONDS = 900
"""It builds itself at its very first start, which takes minutes on a busy machine."""


def version() -> str:
    """The version that the containers run."""
    composed = (HERE / "docker-compose.yml").read_text("utf-8")
    found = re.search(r"keycloak/keycloak:([0-9.]+)", composed)
    assert found is not None
    return found[1]


async def distribution() -> Path:
    """The unpacked distribution; skips the test where it cannot be had."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"Keycloak needs {tool}, which is not installed")
    name = f"keycloak-quarkus-dist-{version()}.zip"
    archive = JARS / name
    if not archive.exists():
        JARS.mkdir(parents=True, exist_ok=True)
        await _fetch(archive)
    home = JARS / f"keycloak-{version()}"
    if not home.exists():
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(JARS)
    (home / "bin" / "kc.sh").chmod(0o755)
    return home


async def _fetch(archive: Path) -> None:
    artifact = f"org.keycloak:keycloak-quarkus-dist:{version()}:zip"
    options = ("-Dmdep.useBaseVersion=true", f"-DoutputDirectory={archive.parent}")
    process = await asyncio.create_subprocess_exec(
        *("mvn", "--quiet", "--batch-mode", "dependency:copy", f"-Dartifact={artifact}", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), FETCH_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.skip("Keycloak could not be fetched in time")
    if process.returncode:
        pytest.skip(f"Keycloak could not be fetched: {said.decode()[-300:]}")


@asynccontextmanager
async def keycloak(folder: Path, pages: Mapping[str, str]) -> AsyncIterator[str]:
    """The issuer's address while it runs with our realm; ``pages`` are the realm's variables."""
    home = await distribution()
    (home / "data" / "import").mkdir(parents=True, exist_ok=True)
    shutil.copy(REALM, home / "data" / "import")
    address = f"http://{LOOPBACK}:{free_port()}"
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("KC_", "MADOGUCHI_"))},
        **pages,
        "MADOGUCHI_SYSTEM_CLIENT_SECRET": SECRET,
        "MADOGUCHI_SATELLITE_CLIENT_SECRET": SECRET,
        "MADOGUCHI_DEMO_USERS": "true",
        "MADOGUCHI_DEMO_PASSWORD": PASSWORD,
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m",
    }
    with (folder / "keycloak.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(home / "bin" / "kc.sh"),
            *(
                "start-dev",
                "--import-realm",
                "--db=dev-mem",
                f"--http-host={LOOPBACK}",
                f"--hostname={address}",
            ),
            f"--http-port={address.rpartition(':')[2]}",
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        issuer = f"{address}/realms/madoguchi"
        await _until_it_answers(issuer, process, folder / "keycloak.log")
        yield issuer
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_it_answers(issuer: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with httpx.AsyncClient() as http:
        for _ in range(START_SECONDS * 2):
            assert process.returncode is None, _end_of(log)
            try:
                answer = await http.get(f"{issuer}/.well-known/openid-configuration")
            except httpx.TransportError:
                await asyncio.sleep(0.5)
                continue
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.5)
    raise TimeoutError(f"Keycloak does not answer: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text("utf-8")[-2000:]
