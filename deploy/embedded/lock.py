"""One `up` or `down` at a time per installation."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.errors import OperatorError


class Busy(OperatorError):  # noqa: N818 - reads as the fact it states
    """Another command starts or stops this installation right now."""

    def __init__(self) -> None:
        super().__init__(
            "Another `madoguchi` command is starting or stopping this installation. "
            "Wait until it has ended.",
            "別の `madoguchi` コマンドがこの環境を起動または停止しています。"
            "終わるまでお待ちください。",
        )


@contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Hold the installation's lock; it frees itself when the process ends, however it ends.

    Raises:
        Busy: somebody else holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy from error
        yield
