"""What pages load besides themselves: style, script, and the chart library, all from here.

The library is put together once per version of its package (it takes seconds), by a process of its
own so that this one stays small, and kept in a folder of this user. Where no folder can be written
it is kept in memory.
"""

import asyncio
import gzip
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_FOLDER = Path(__file__).parent.parent.parent / "static"
_MAKE = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
VEGA = "vega.js"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``packed`` is the same, compressed."""

    plain: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files of the pages by name."""

    def __init__(self) -> None:
        """Raises ``OSError`` when the room is installed without its files."""
        self._files = {path.name: _asset(path.read_bytes(), path.name) for path in _own()}
        self._making = asyncio.Lock()

    async def get(self, name: str) -> Asset | None:
        """The file, or None for a name that is none."""
        if name == VEGA and VEGA not in self._files:
            async with self._making:
                if VEGA not in self._files:
                    made = await asyncio.to_thread(_bundle, _cache())
                    self._files[VEGA] = _asset(made, VEGA)
        return self._files.get(name)

    @property
    def version(self) -> str:
        """Part of every address, so that a browser may keep what it has."""
        return f"{version('madoguchi-reporting')}-{version('vl-convert-python')}"


def _own() -> list[Path]:
    return [path for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES]


def _asset(content: bytes, name: str) -> Asset:
    return Asset(content, gzip.compress(content, 6, mtime=0), _TYPES[Path(name).suffix])


def _cache() -> Path:
    """A folder that only this user can write; a stranger's is not taken."""
    return Path(tempfile.gettempdir()) / f"madoguchi-{os.getuid()}"


def _bundle(folder: Path) -> bytes:
    path = folder / f"vega-{version('vl-convert-python')}.js"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        is_ours = folder.stat().st_uid == os.getuid() and not folder.is_symlink()
    except OSError:
        is_ours = False
    if not is_ours:
        return _made()
    if not path.is_file():
        # Written beside and put in place at once: nobody reads half a library.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            part.write(_made())
        Path(part.name).replace(path)
    return path.read_bytes()


def _made() -> bytes:
    command = [sys.executable, "-c", _MAKE]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603  our own words
