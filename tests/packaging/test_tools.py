"""The operator's command installs with every room it looks after."""

from collections.abc import Callable

import pytest

from .conftest import ROOMS, Installed

pytestmark = pytest.mark.journey


@pytest.fixture
def tools(install: Callable[[str, str], Installed]) -> Installed:
    """The whole package."""
    return install("madoguchi", "build-tools")


def test_the_command_runs(tools: Installed) -> None:
    ran = tools.run("madoguchi", "--help")
    assert ran.returncode == 0, ran.stderr
    assert "dead-letters" in ran.stdout


def test_every_room_and_its_migrations_are_there(tools: Installed) -> None:
    look = (
        "import sys; from importlib.resources import files;"
        "sys.exit(any(not list((files(f'services.{room}') / 'migrations').iterdir())"
        " for room in sys.argv[1:]))"
    )
    ran = tools.run("python", "-c", look, *ROOMS)
    assert ran.returncode == 0, ran.stderr


def test_keys_are_made_in_the_container(tools: Installed) -> None:
    ran = tools.run("python", "-m", "deploy.docker.keys", str(tools.folder))
    assert ran.returncode == 0, ran.stderr
    assert {path.name for path in tools.folder.iterdir()} == {"store", *ROOMS}
