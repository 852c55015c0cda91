"""Reading the project's Markdown: its code, its links, and the steps a reader is told to run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"|srcset=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ELSEWHERE = {"node_modules", "build", "dist"}
SHOWN = ("text", "json")


@dataclass(frozen=True)
class Step:
    """A block that is run, and what it prints; None where the page does not show it."""

    line: int
    commands: str
    prints: str | None


def pages() -> list[Path]:
    """Every Markdown file of the project."""
    return sorted(
        page
        for page in ROOT.rglob("*.md")
        if not any(part.startswith(".") or part in _ELSEWHERE for part in page.parts[1:])
    )


def steps(page: Path) -> list[Step]:
    """The ``sh`` blocks of a page; a ``text`` or ``json`` block right behind one is its output."""
    text = page.read_text()
    found: list[Step] = []
    end = -1
    for fence in _FENCE.finditer(text):
        kind, body = fence.groups()
        line = text.count("\n", 0, fence.start()) + 1
        if kind == "sh":
            found.append(Step(line, body, None))
        elif kind in SHOWN and end >= 0 and not text[end : fence.start()].strip():
            found[-1] = Step(found[-1].line, found[-1].commands, body)
        end = fence.end() if kind == "sh" else -1
    return found


def code(page: Path) -> Iterator[str]:
    """Everything on a page that is set as code."""
    text = page.read_text()
    yield from (fence[2] for fence in _FENCE.finditer(text))
    yield from (span[1] for span in _SPAN.finditer(_FENCE.sub("", text)))


def links(page: Path) -> Iterator[str]:
    """Targets of links and pictures, as written."""
    for link in _LINK.finditer(_SPAN.sub("", _FENCE.sub("", page.read_text()))):
        yield next(target for target in link.groups() if target)


def anchors(page: Path) -> set[str]:
    """What a link into a page may name."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
