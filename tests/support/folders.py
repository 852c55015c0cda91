"""Folders that a database server can use."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def open_folder() -> Iterator[Path]:
    """A new folder, removed at the end, outside pytest's own.

    Run as root, PostgreSQL belongs to another user, who must be able to pass; pytest closes its
    folder to everybody each time some other test run starts on the machine.
    """
    folder = Path(tempfile.mkdtemp(prefix="madoguchi-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
