"""No act is forgotten: whatever a handler audits, the journal of a satellite has words for it."""

import re
from pathlib import Path

from services.issuance.domain.certificates import Switch
from services.issuance.domain.counter import CounterState
from services.issuance.handlers import journal_rows
from shared.settings import Doors

HANDLERS = Path(journal_rows.__file__).parent
_AUDITED = re.compile(r'(?:audit|record|_keep)\((?:[^()"]|\n)*?(f?)"([a-z_]+\.[^"]+)"')
_HEADQUARTERS_ONLY = {
    "letter.mail",
    "checklist.publish",
    "satellite.set_up",
    "conflict.raise",
    "counter.told",
    "visit.serve",
}
_FILLED = {
    "counter.{state}": [f"counter.{state}" for state in CounterState],
    "case.note_{step.value.replace('-', '_')}": [
        f"case.note_{step}" for step in ("proxy", "old_card", "receipt")
    ],
    "card_switch.{answer}": [f"card_switch.{answer}" for answer in Switch],
}
"""What stands in the code with a value to be filled in; others are headquarters' own."""


def audited() -> set[str]:
    """Every action that a handler of the room audits."""
    found: set[str] = set()
    for path in HANDLERS.glob("*.py"):
        for form, action in _AUDITED.findall(path.read_text("utf-8")):
            found |= set(_FILLED.get(action, ())) if form else {action}
    return found


def test_every_act_has_its_row_or_needs_none() -> None:
    acts = {one for one in audited() if not one.endswith((".read", ".list"))}
    assert {"card.issue", "certificate.wrong_pin", "case.note_proxy", "counter.open"} <= acts
    known = journal_rows.MAKERS.keys() | journal_rows.SILENT | _HEADQUARTERS_ONLY
    assert acts <= known


def test_a_satellite_hears_everything_in_a_group_of_its_own() -> None:
    usual = Doors(database_url="postgresql://x", api_port=1, consume_port=1, relay_port=1)
    own = usual.model_copy(update={"satellite": "saginuma"})
    assert usual.consumer("issuance") == "issuance"
    assert own.consumer("issuance") == "issuance.saginuma"
