"""Proofs run small in `make test` and at full size in `make proofs`."""

import os


def proof_size(small: int, full: int) -> int:
    """``full`` under MADOGUCHI_PROOF_SIZE=full, else ``small``."""
    return full if os.environ.get("MADOGUCHI_PROOF_SIZE") == "full" else small
