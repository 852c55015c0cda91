"""Which worker runs which file, so that all end at the same time and none waits for another's city.

Files that take long, most of them with processes of their own, are worked from one end of the
queue, the longest first; files of many quick tests from the other, by the other workers. What is
left at last, where both ends meet, are small files.
"""

from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


def by_length(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests file by file: the most patient first, then those of few tests, then of many."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    return [item for file in sorted(files.values(), key=_length) for item in file]


def _length(file: list[pytest.Item]) -> tuple[float, int]:
    marks = [mark for item in file if (mark := item.get_closest_marker("timeout"))]
    return -max((float(mark.args[0]) for mark in marks), default=0.0), len(file)


class FromBothEnds(LoadFileScheduling):  # type: ignore[misc]
    """The first worker takes files from the front of the queue, the others from its end."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
