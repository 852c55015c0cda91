"""deploy/Dockerfile builds small, unprivileged images that say whether they live."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

Instruction = tuple[str, str]


@pytest.fixture(scope="module")
def stages(root: Path) -> dict[str, list[Instruction]]:
    """The instructions of each stage, by its name."""
    parser = DockerfileParser(path=str(root / "deploy/Dockerfile"), cache_content=True)
    result: dict[str, list[Instruction]] = {}
    for entry in parser.structure:
        instruction, value = entry["instruction"], entry["value"]
        if instruction == "FROM":
            result[value.split(" AS ")[1]] = []
        if result and instruction != "COMMENT":
            result[list(result)[-1]].append((instruction, value))
    return result


def values(stage: list[Instruction], instruction: str) -> list[str]:
    """What a stage says in all its instructions of one kind."""
    return [value for name, value in stage if name == instruction]


def test_base_images_are_pinned(stages: dict[str, list[Instruction]]) -> None:
    for stage in stages.values():
        image = values(stage, "FROM")[0].split(" AS ")[0]
        assert image in stages or re.search(r":\d+\.\d+\.\d+", image), image


def test_the_room_is_an_argument(stages: dict[str, list[Instruction]]) -> None:
    assert "SERVICE" in values(stages["build-room"], "ARG")
    assert "SERVICE" in values(stages["room"], "ARG")
    installs = [run for run in values(stages["build-room"], "RUN") if "uv sync" in run]
    flags = '--frozen --no-dev --no-editable --package "madoguchi-${SERVICE}"'
    assert [flags in run for run in installs] == [True]


@pytest.mark.parametrize("name", ["room", "tools"])
def test_nobody_runs_as_root(stages: dict[str, list[Instruction]], name: str) -> None:
    assert values(stages[name], "USER") == ["10001:10001"]
    after = [kind for kind, _ in stages[name]][[kind for kind, _ in stages[name]].index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after)


@pytest.mark.parametrize("name", ["room", "tools"])
def test_the_image_starts_one_process_without_a_shell(
    stages: dict[str, list[Instruction]], name: str
) -> None:
    for kind in ("ENTRYPOINT", "CMD"):
        (command,) = values(stages[name], kind)
        assert isinstance(json.loads(command), list), f"{kind} must be in exec form"


def test_the_room_says_whether_it_lives(stages: dict[str, list[Instruction]]) -> None:
    (check,) = values(stages["room"], "HEALTHCHECK")
    assert "health.py" in check
    assert "curl" not in check
    assert values(stages["room"], "STOPSIGNAL") == ["SIGTERM"]


def test_build_tools_stay_behind(stages: dict[str, list[Instruction]]) -> None:
    for name in ("room", "tools"):
        assert values(stages[name], "FROM")[0].startswith("base ")
        assert not any("uv " in run or "pip " in run for run in values(stages[name], "RUN"))


def test_copied_files_exist_and_pass_the_dockerignore(
    stages: dict[str, list[Instruction]], root: Path
) -> None:
    kept = {
        line[1:] for line in (root / ".dockerignore").read_text("utf-8").split() if line[0] == "!"
    }
    for stage in stages.values():
        for copy in values(stage, "COPY"):
            if copy.startswith("--from="):
                continue
            for source in copy.split()[:-1]:
                assert (root / source).exists(), source
                assert source.split("/")[0] in kept, f"{source} is kept out by .dockerignore"


def test_every_room_has_a_place_for_its_keys(
    stages: dict[str, list[Instruction]], rooms: list[str]
) -> None:
    made = " ".join(values(stages["tools"], "RUN"))
    assert [room for room in rooms if f"/keys/{room}" not in made] == []


def test_stages_come_after_what_they_build_on(stages: dict[str, list[Instruction]]) -> None:
    order = list(stages)
    for stage in stages.values():
        base = values(stage, "FROM")[0].split(" AS ")
        if base[0] in order:
            assert order.index(base[0]) < order.index(base[1])
    assert all(first != second for first, second in pairwise(order))


def test_the_room_that_draws_has_a_japanese_font(stages: dict[str, list[Instruction]]) -> None:
    (install,) = [run for run in values(stages["room"], "RUN") if "apt-get install" in run]
    assert re.search(r"\bfonts-ipafont-gothic\b", install)
    assert " reporting) " in install
