"""What the simulation has been told of its cases, kept in a journal so that it can go on.

A line is written when a day is over; what is in no line is done again, under the same keys, and
the rooms answer as they did. What a key stands for and only its day tells is written before it is
sent. Ids of cases that are over are let go, in memory and when it is read.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from shared.errors import Conflict, Text


class OtherReplay(Conflict):
    """The folder holds a replay of something else, or one that is over."""

    slug = "other-replay"
    title = Text("This folder holds another replay", "このフォルダーには別の再生があります")
    remedy = Text(
        "Go on with the arguments it was begun with, or begin anew with --fresh.",
        "開始時と同じ引数で続けるか、--fresh で新しく始めてください。",
    )


@dataclass(slots=True)
class Sums:
    """What has been counted over all runs of a replay."""

    seconds: float = 0.0
    published: int = 0
    handled: int = 0
    completed: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds by what the simulation was waiting for."""
    happened: dict[str, int] = field(default_factory=dict)
    """How often what is drawn has happened, by what it is."""

    def count(self, name: str, times: int) -> None:
        """Something has happened, so many times."""
        self.happened[name] = self.happened.get(name, 0) + times

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time of a block towards ``name``."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = self.phases.get(name, 0.0) + time.monotonic() - began


@dataclass(slots=True)
class Ledger:
    """Ids by the key of a case; ``through`` is the last day that is over."""

    run: UUID
    path: Path | None = None
    through: date | None = None
    cases: dict[str, str] = field(default_factory=dict)
    bookings: dict[str, str] = field(default_factory=dict)
    notices: dict[str, str] = field(default_factory=dict)
    """Notice numbers of those who log in with them: the citizens' letter boxes."""
    wishes: dict[str, str] = field(default_factory=dict)
    """Times that were asked for on the day that is not over, by who asked."""
    sums: Sums = field(default_factory=Sums)
    _told: dict[str, dict[str, str]] = field(default_factory=dict)
    _over: list[str] = field(default_factory=list)

    def key(self, *parts: object) -> str:
        """The Idempotency-Key of a command, the same whenever it is sent again."""
        return str(uuid5(self.run, "|".join(map(str, parts))))

    def note(self, what: str, key: str, value: str) -> None:
        """Remember an id: ``what`` is cases, bookings or notices."""
        getattr(self, what)[key] = value
        self._told.setdefault(what, {})[key] = value

    def wish(self, name: str, starts_at: str) -> None:
        """Write down at once what is going to be asked for: of who goes step by step the time is
        found on the way, and what is free by then may be another.
        """
        if self.wishes.get(name) != starts_at:
            self.wishes[name] = starts_at
            self._write({"wish": name, "starts_at": starts_at})

    def over(self, key: str) -> None:
        """Forget a case."""
        self._forget(key)
        self._over.append(key)

    def close_day(self, day: date) -> None:
        """The day is over: write down what it brought."""
        self.through = day
        line = {"day": day.isoformat(), **self._told, "over": self._over}
        self._write({**line, "sums": asdict(self.sums)})
        self._told, self._over = {}, []
        self.wishes.clear()

    def take(self, line: Mapping[str, Any]) -> None:
        """Read one line back."""
        if "wish" in line:
            self.wishes[line["wish"]] = line["starts_at"]
            return
        self.wishes.clear()
        self.through = date.fromisoformat(line["day"])
        for what in ("cases", "bookings", "notices"):
            getattr(self, what).update(line.get(what, {}))
        for key in line["over"]:
            self._forget(key)
        self.sums = Sums(**line["sums"])

    def _write(self, line: Mapping[str, object]) -> None:
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def _forget(self, key: str) -> None:
        for known in (self.cases, self.bookings, self.notices):
            known.pop(key, None)


def open_ledger(path: Path | None, arguments: Mapping[str, str]) -> Ledger:
    """The ledger of a replay with these arguments, new or as it was left.

    Raises ``OtherReplay`` where the journal was begun with others.
    """
    if path is None:
        return Ledger(uuid4())
    if not path.exists():
        ledger = Ledger(uuid4(), path)
        path.parent.mkdir(parents=True, exist_ok=True)
        head = {"run": str(ledger.run), "arguments": dict(arguments)}
        path.write_text(json.dumps(head) + "\n", encoding="utf-8")
        return ledger
    with path.open("r+b") as file:
        head = json.loads(file.readline())
        if head["arguments"] != dict(arguments):
            raise OtherReplay(_differing(head["arguments"], arguments))
        ledger, whole = Ledger(UUID(head["run"]), path), file.tell()
        while (line := file.readline()).endswith(b"\n"):
            ledger.take(json.loads(line))
            whole = file.tell()
        file.truncate(whole)  # a last line that was cut off
    return ledger


def _differing(was: Mapping[str, str], arguments: Mapping[str, str]) -> Text:
    names = [name for name in arguments if was.get(name) != arguments[name]]
    begun = ", ".join(f"{name} {was.get(name)}" for name in names)
    return Text(f"It was begun with {begun}.", f"開始時の指定は {begun} です。")
