"""What the pages name exists: files, headings, `make` targets, commands and modules."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from deploy.cli.main import app
from tests.docs.pages import ROOT, anchors, code, links, pages

_MAKE = re.compile(r"(?:^|[\s;])make ([a-z][a-z-]*)(?![\w=])")
_MADOGUCHI = re.compile(r"(?:^|[\s;(])madoguchi ((?:[a-z][a-z-]*(?: |$))+)", re.MULTILINE)
_MODULE = re.compile(r"python3? -m ([\w.]+)(?=\s|$)")
_OURS = ("services", "shared", "simulation", "deploy", "tests")


@pytest.fixture(params=pages(), ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    """One Markdown file after the other."""
    found: Path = request.param
    return found


def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_make_targets_exist(page: Path) -> None:
    named = {target for text in code(page) for target in _MAKE.findall(text)}
    assert named - _targets() == set()


def test_commands_exist(page: Path) -> None:
    unknown = [said for said in _said(page) if not _is_command(said.split())]
    assert unknown == []


def test_modules_exist(page: Path) -> None:
    named = {module for text in code(page) for module in _MODULE.findall(text)}
    ours = {module for module in named if module.split(".")[0] in _OURS}
    assert {module for module in ours if not _is_module(module)} == set()


def _is_module(name: str) -> bool:
    """Whether there is something to run; a folder without code is none."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return False  # already its package is missing
    if spec is None or spec.submodule_search_locations is None:
        return spec is not None
    return find_spec(f"{name}.__main__") is not None


def _targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    written = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    scripts = (ROOT / "tests" / "benchmarks").glob("*.py")
    return written | {f"bench-{each.stem}" for each in scripts if "__main__" in each.read_text()}


def _said(page: Path) -> Iterator[str]:
    for text in code(page):
        yield from (found.strip() for found in _MADOGUCHI.findall(text))


def _is_command(words: list[str]) -> bool:
    """Whether the words lead from the command to one of its commands; arguments may follow."""
    at: object = typer.main.get_command(app)
    for word in words:
        commands: Mapping[str, object] | None = getattr(at, "commands", None)
        if commands is None:
            return True
        if word not in commands:
            return False
        at = commands[word]
    return True
