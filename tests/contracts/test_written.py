"""Writing and checking the contracts in a repository of their own, with and without a release."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy import contracts, release
from shared.contracts.catalog import EVENTS

ROOT = Path(__file__).parents[2]
SHIPPED = contracts.SCHEMAS / "card.shipped.v1.json"


def git(root: Path, *arguments: str) -> None:
    """Run git in ``root`` as nobody in particular."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with a manifest and one commit, and no contracts yet."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "madoguchi"\nversion = "0.1.0"\ndescription = "Counters"\n'
    )
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def commit(root: Path, tag: str) -> None:
    """Commit everything in ``root`` under ``tag``."""
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", tag)
    git(root, "tag", tag)


def rewrite(root: Path, path: Path, change: Callable[[Any], object]) -> None:
    """Change the JSON document at ``path``."""
    body = json.loads((root / path).read_text(encoding="utf-8"))
    change(body)
    (root / path).write_text(json.dumps(body), encoding="utf-8")


def test_the_contracts_of_this_repository_are_written_and_only_add() -> None:
    assert contracts.check(ROOT) == []


def test_what_was_written_is_found_right(house: Path) -> None:
    written = contracts.write(house)
    assert contracts.FOLDER / "asyncapi.json" in written
    assert len(list((house / contracts.SCHEMAS).glob("*.json"))) == len(EVENTS)
    assert contracts.check(house) == []
    assert contracts.write(house) == []


def test_what_differs_is_named_with_the_command_that_rewrites_it(house: Path) -> None:
    contracts.write(house)
    rewrite(house, SHIPPED, lambda body: body.pop("description"))
    (house / contracts.SCHEMAS / "card.lost.v1.json").write_text("{}")
    wrong = contracts.check(house)
    assert [text.split()[0] for text in wrong] == [
        "docs/contracts/schemas/card.lost.v1.json",
        "docs/contracts/schemas/card.shipped.v1.json",
    ]
    assert all("madoguchi contracts write" in text for text in wrong)
    assert len(contracts.write(house)) == 2
    assert contracts.check(house) == []


def test_before_the_first_release_there_is_nothing_to_compare_with(house: Path) -> None:
    assert release.last_tag(house) is None
    assert contracts.compared_with(house).startswith("No release tag yet")


def test_a_field_of_the_last_release_must_stay(house: Path) -> None:
    contracts.write(house)
    rewrite(house, SHIPPED, lambda body: body["properties"].update(truck={"type": "string"}))
    commit(house, "v1.2.0")
    contracts.write(house)
    (wrong,) = contracts.check(house)
    assert wrong.startswith("card.shipped.v1 truck: the field was removed. ")
    assert contracts.compared_with(house) == "Compared with release v1.2.0."


def test_a_field_newer_than_the_last_release_passes(house: Path) -> None:
    contracts.write(house)
    rewrite(house, SHIPPED, lambda body: body["properties"].pop("lot_id"))
    rewrite(house, SHIPPED, lambda body: body["required"].remove("lot_id"))
    commit(house, "v1.0.0")
    contracts.write(house)
    (wrong,) = contracts.check(house)
    assert wrong.startswith("card.shipped.v1 lot_id: the new field is required. ")


def test_the_highest_reachable_release_counts(house: Path) -> None:
    for tag in ("v0.9.0", "v0.10.0-rc1", "v0.10.0", "vision"):
        git(house, "tag", tag)
    git(house, "switch", "--quiet", "--orphan", "elsewhere")
    git(house, "commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    git(house, "tag", "v9.0.0")
    git(house, "switch", "--quiet", "--detach", "v0.9.0")
    assert release.last_tag(house) == "v0.10.0"
    assert release.texts(house, "v0.10.0", contracts.SCHEMAS) == {}


def test_a_folder_that_is_no_repository_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(release.GitError, match="not a git repository"):
        release.last_tag(tmp_path)
