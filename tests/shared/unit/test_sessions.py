"""What outlives a transaction runs on a session of its own: the pool hands connections on as is.

``shared.db`` saves the round trip that would reset a connection for its next user; these are the
statements that would make the next user pay for it.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = [path for top in ("shared", "services", "deploy") for path in (ROOT / top).rglob("*.py")]
LASTING = re.compile(
    r"\bSET (?!LOCAL\b)(?:SESSION )?[a-z_]+ *(?:=|TO\b)"
    r"|set_config\([^()]*, *false\)"
    r"|\bpg_(?:try_)?advisory_lock(?:_shared)?\("
    r"|\badd_listener\("
    r"|\bCREATE TEMP(?:ORARY)? TABLE\b(?!.*\bON COMMIT DROP\b)"
)
OWN_SESSION = {
    "services/issuance/api/board_hub.py",
    "services/reporting/store/projections.py",
    "shared/messaging/relay.py",
    "shared/messaging/shards.py",
    "shared/migrate.py",
    "shared/security/sealer.py",
}
"""Files whose statements run on ``shared.db.session``: read them before adding one."""


def lasting(text: str) -> list[str]:
    """The statements in a source that outlive their transaction, UPDATE … SET not being one."""
    return [
        found.group()
        for found in LASTING.finditer(text)
        if not re.search(r"\b(UPDATE|DO)\b[^;\"]*$", text[: found.start()][-400:])
    ]


def test_nothing_that_lasts_is_set_on_a_pooled_connection() -> None:
    found = {
        path.relative_to(ROOT).as_posix() for path in SOURCES if lasting(path.read_text("utf-8"))
    }
    assert found == OWN_SESSION


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ('execute("SET lock_timeout = 0")', True),
        ('execute("SET LOCAL lock_timeout = 0")', False),
        ('execute("SELECT pg_advisory_lock(1)")', True),
        ('execute("SELECT pg_advisory_xact_lock(1)")', False),
        ('execute("UPDATE t SET lock_timeout = 0")', False),
        ('execute("CREATE TEMP TABLE t (a int)")', True),
        ('execute("CREATE TEMP TABLE t (a int) ON COMMIT DROP")', False),
    ],
)
def test_the_search_knows_them(source: str, told: bool) -> None:
    assert bool(lasting(source)) is told
