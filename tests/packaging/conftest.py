"""Each package installed as its image installs it: from the build stage's files, by uv alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))


@dataclass(frozen=True)
class Installed:
    """A virtual environment with one package, and an empty folder to run it in."""

    package: str
    environment: Path
    folder: Path

    def program(self, name: str) -> str:
        """Path of a program in the environment."""
        return str(self.environment / "bin" / name)

    def variables(self, **settings: str) -> dict[str, str]:
        """The system's variables without ours, and ``settings``."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MADOGUCHI_", "PYTHON", "VIRTUAL_ENV"))
        }
        return kept | settings

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment to its end."""
        return subprocess.run(
            [self.program(command[0]), *command[1:]],
            cwd=self.folder,
            env=self.variables(**settings),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv program: beside the repository (``make setup`` puts it there) or on the path."""
    places = [ROOT / ".uv", ROOT / ".uv/bin", Path(sys.executable).parent]
    found = shutil.which("uv", path=os.pathsep.join(map(str, places))) or shutil.which("uv")
    if found is None:
        pytest.fail("uv is not installed: run `make setup`")
    return found


@pytest.fixture(scope="session")
def install(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Installed]:
    """Call with a package and the stage of the Dockerfile that installs it."""
    made: dict[str, Installed] = {}

    def installed(package: str, stage: str) -> Installed:
        if package not in made:
            folder = tmp_path_factory.mktemp(package)
            source, environment = folder / "src", folder / "venv"
            for name in copied(stage):
                _copy(ROOT / name, source / name)
            subprocess.run(
                [uv, "sync", "--frozen", "--no-dev", "--no-editable", "--package", package],
                cwd=source,
                env={
                    **os.environ,
                    "UV_PROJECT_ENVIRONMENT": str(environment),
                    "UV_PYTHON": sys.executable,
                    "UV_PYTHON_DOWNLOADS": "never",
                },
                check=True,
            )
            (folder / "empty").mkdir()
            made[package] = Installed(package, environment, folder / "empty")
        return made[package]

    return installed


@pytest.fixture(params=ROOMS)
def room(request: pytest.FixtureRequest) -> str:
    """Each room in turn."""
    return str(request.param)


@pytest.fixture
def alone(install: Callable[[str, str], Installed], room: str) -> Installed:
    """The room installed without its neighbours."""
    return install(f"madoguchi-{room}", "build-room")


def copied(stage: str) -> list[str]:
    """What the Dockerfile copies from the repository up to the end of ``stage``."""
    parser = DockerfileParser(path=str(ROOT / "deploy/Dockerfile"), cache_content=True)
    stages: dict[str, tuple[str, list[str]]] = {}
    current: list[str] = []
    for entry in parser.structure:
        if entry["instruction"] == "FROM":
            base, _, name = entry["value"].partition(" AS ")
            current = []
            stages[name] = (base, current)
        elif entry["instruction"] == "COPY" and not entry["value"].startswith("--from"):
            current += entry["value"].split()[:-1]
    base, own = stages[stage]
    return (copied(base) if base in stages else []) + own


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
