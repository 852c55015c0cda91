"""What has to come of any commands at two counters: a model without locks, rows or time-outs.

Two commands given at once must come out as one after the other, in either order.
"""

import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.issuance.domain.queue import Priorities, Waiting, callable_at, in_order
from services.issuance.domain.ticket import Need, Purpose
from shared.contracts.issuance import Arrival
from shared.ids import VisitId
from tests.issuance.support import TEN

GRACE = timedelta(minutes=10)
SKIPS_ALLOWED = 1
COUNTERS = {"1": frozenset(Purpose), "2": frozenset({Purpose.CARD_ISSUANCE, Purpose.QUESTION})}
RULES = Priorities()
STEPS = ("proxy", "identity", "old-card", "pin-set", "issue")
REPLACING = frozenset({1})
"""The prepared cases whose cards replace another."""


def booked_at(case: int) -> datetime:
    """When the party of a prepared case is booked."""
    return TEN + timedelta(minutes=10 * case)


@dataclass(frozen=True)
class Command:
    """``what`` is done about ticket ``number``, prepared ``case`` or ``counter``."""

    what: str
    number: int = 0
    case: int = 0
    counter: str = "1"
    to: str | None = None
    need: Need | None = None


@dataclass
class Party:
    """A visit with its ticket; ``case`` is the prepared case it came for."""

    waiting: Waiting
    case: int | None
    state: str = "waiting"
    counter: str | None = None
    skips: int = 0
    done: frozenset[str] = frozenset()
    outcome: str | None = None


@dataclass
class Model:
    """Parties by number, counters, and how often each case was handed over."""

    now: datetime = TEN
    parties: dict[int, Party] = field(default_factory=dict)
    counters: dict[str, str] = field(default_factory=lambda: dict.fromkeys(COUNTERS, "open"))
    issued: set[int] = field(default_factory=set)

    def after(self, command: Command) -> tuple["Model", str]:
        """The model after ``command``, and how it is answered: ok, a ticket or a problem."""
        made = copy.deepcopy(self)
        answer: str = getattr(made, f"_{command.what}")(command)
        return made, answer

    def seen(self) -> tuple[dict[str, str], dict[int, tuple[object, ...]]]:
        """What can be compared with the database: the counters, who holds each number, and where
        it stands. Whatever the future depends on is here, or two orders could be mistaken.
        """
        return dict(self.counters), {
            number: (
                p.case,
                p.waiting.need,
                p.state,
                p.counter,
                p.skips,
                p.waiting.only_counter,
                p.outcome,
                tuple(sorted(p.done)),
            )
            for number, p in self.parties.items()
        }

    def _come(self, command: Command) -> str:
        if command.case in self.issued:
            return "case-already-done"
        if any(p.case == command.case and p.state != "ended" for p in self.parties.values()):
            return "already-checked-in"
        starts_at = booked_at(command.case)
        arrival = Arrival.BOOKED if self.now <= starts_at + GRACE else Arrival.LATE
        party = self._party(command, Purpose.CARD_ISSUANCE, arrival, starts_at)
        self.parties[party.number] = Party(party, command.case)
        return "ok"

    def _draw(self, command: Command) -> str:
        party = self._party(command, Purpose.QUESTION, Arrival.WALK_IN, None)
        self.parties[party.number] = Party(party, None)
        return "ok"

    def _party(
        self, command: Command, purpose: Purpose, arrival: Arrival, starts_at: datetime | None
    ) -> Waiting:
        number = len(self.parties) + 1
        return Waiting(
            VisitId(UUID(int=number)),
            number,
            frozenset({purpose}),
            arrival,
            self.now,
            starts_at=starts_at,
            need=command.need,
        )

    def _at(self, counter: str) -> int | None:
        found = [n for n, p in self.parties.items() if p.counter == counter and p.state == "called"]
        assert len(found) <= 1
        return found[0] if found else None

    def _next(self, command: Command) -> str:
        busy = self._at(command.counter)
        if busy is not None:
            return str(busy)
        if self.counters[command.counter] != "open":
            return "counter-not-open"
        room = [p.waiting for p in self.parties.values() if p.state == "waiting"]
        attended = frozenset(name for name, state in self.counters.items() if state != "closed")
        purposes = COUNTERS[command.counter]
        able = callable_at(in_order(room, RULES), command.counter, purposes, attended)
        if not able:
            return "nobody"
        self._put(able[0].number, command.counter)
        return str(able[0].number)

    def _put(self, number: int, counter: str) -> None:
        self.parties[number].state, self.parties[number].counter = "called", counter

    def _call(self, command: Command) -> str:
        party = self.parties[command.number]
        if party.state == "ended":
            return "visit-ended"
        if party.counter == command.counter:
            return "ok"
        if self.counters[command.counter] != "open":
            return "counter-not-open"
        if self._at(command.counter) is not None:
            return "counter-busy"
        self._put(command.number, command.counter)
        return "ok"

    def _called(self, number: int) -> str | None:
        state = self.parties[number].state
        return {"ended": "visit-ended", "waiting": "not-called"}.get(state)

    def _recall(self, command: Command) -> str:
        return self._called(command.number) or "ok"

    def _skip(self, command: Command) -> str:
        party = self.parties[command.number]
        if refusal := self._called(command.number):
            return refusal
        if party.done:
            return "being-served"
        party.waiting = replace(
            party.waiting, skipped_at=self.now, only_counter=None, transferred_at=None
        )
        party.skips += 1
        party.state, party.counter = "waiting", None
        if party.skips > SKIPS_ALLOWED:
            self._end(party, "abandoned")
        return "ok"

    def _transfer(self, command: Command) -> str:
        if refusal := self._called(command.number):
            return refusal
        if command.to is not None and self.counters[command.to] == "closed":
            return "counter-not-open"
        party = self.parties[command.number]
        party.waiting = replace(party.waiting, only_counter=command.to, transferred_at=self.now)
        party.state, party.counter = "waiting", None
        return "ok"

    def _leave(self, command: Command) -> str:
        party = self.parties[command.number]
        if party.state == "ended":
            return "visit-ended"
        self._end(party, "abandoned")
        return "ok"

    def _done(self, command: Command) -> str:
        party = self.parties[command.number]
        if refusal := self._called(command.number):
            return refusal
        if party.case is not None:
            return "cases-open"
        self._end(party, None)
        return "ok"

    def _proxy(self, command: Command) -> str:
        return self._step(command, "proxy", "proxy-whole")

    def _half_proxy(self, command: Command) -> str:
        return self._step(command, "proxy", "proxy-half")

    def _no_proxy(self, command: Command) -> str:
        return self._step(command, "proxy", None)

    def _identify(self, command: Command) -> str:
        return self._step(command, "identity", "identity")

    def _old_card(self, command: Command) -> str:
        return self._step(command, "old-card", "old-card")

    def _pin(self, command: Command) -> str:
        return self._step(command, "pin-set", "pin-set")

    def _step(self, command: Command, step: str, noted: str | None) -> str:
        """Note ``noted`` of a step, where no step before it is missing; None takes it back."""
        party = self.parties[command.number]
        if refusal := self._served(party) or self._missing(party, step):
            return refusal
        kept = {one for one in party.done if not one.startswith(step)}
        party.done = frozenset(kept | ({noted} if noted else set()))
        return "ok"

    def _missing(self, party: Party, step: str) -> str | None:
        wanted = [one for one in ("identity", "old-card", "pin-set") if one not in party.done]
        if party.case not in REPLACING and "old-card" in wanted:
            wanted.remove("old-card")
        if "proxy-half" in party.done:
            wanted.insert(0, "proxy")
        before = STEPS[: STEPS.index(step)]
        return "step-missing" if wanted and wanted[0] in before else None

    def _issue(self, command: Command) -> str:
        party = self.parties[command.number]
        if refusal := self._served(party) or self._missing(party, "issue"):
            return refusal
        self._end(party, "done")
        assert party.case is not None
        assert party.case not in self.issued
        self.issued.add(party.case)
        return "ok"

    def _served(self, party: Party) -> str | None:
        if party.case is None:
            return "case-not-in-visit"
        if party.outcome is not None:
            return {"done": "case-already-done", "abandoned": "case-closed"}[party.outcome]
        return "step-missing" if party.state == "waiting" else None

    def _end(self, party: Party, outcome: str | None) -> None:
        party.state = "ended"
        party.outcome = outcome if party.case is not None else None

    def _open(self, command: Command) -> str:
        self.counters[command.counter] = "open"
        return "ok"

    def _pause(self, command: Command) -> str:
        self.counters[command.counter] = "paused"
        return "ok"

    def _close(self, command: Command) -> str:
        self.counters[command.counter] = "closed"
        return "ok"

    def _wait(self, command: Command) -> str:
        self.now += timedelta(minutes=command.number)
        return "ok"
