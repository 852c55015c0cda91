"""The chain of audit entries: each seal is the hash of the seal before it and of its entry, so no
entry can be changed, taken out or put in without every later seal being wrong.

The sealer writes it and ``verify`` reads it; both compute it here and nowhere else.
"""

import hashlib
import json
from typing import Final

from shared.db import Row

GENESIS: Final = hashlib.sha256(b"madoguchi audit chain 1").digest()
"""What the first seal of every chain follows."""

_encode: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def seal_hash(before: bytes, seq: int, entry: Row) -> bytes:
    """SHA-256 over ``before`` (32 bytes) and the entry as one line of canonical JSON.

    ``entry`` is a row of ``audit_entry``; ``seq`` its number in the chain, from 1.
    """
    line = _encode(
        (
            seq,
            entry["pos"],
            entry["xid"],
            entry["at"].isoformat(timespec="microseconds"),
            entry["actor"],
            entry["roles"],
            entry["action"],
            entry["subject"],
            entry["site_id"],
            json.loads(entry["refs"]),
            entry["trace_id"],
        )
    )
    return hashlib.sha256(before + line.encode()).digest()
