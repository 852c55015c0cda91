"""The collector looks at young objects alone, and at all when there is time."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.processes.collector import AT_LATEST, OFTEN, Collector, is_time


class Ring:
    """Refers to itself, so that counting references never frees it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector at work; the rest of the tests have the usual one again."""
    made = Collector()
    made.start()
    yield made
    made.stop()


def test_what_survives_is_set_aside_and_what_is_young_is_freed(collector: Collector) -> None:
    kept, lost = Ring(), weakref.ref(Ring())
    aside = gc.get_freeze_count()
    gc.collect(1)
    assert lost() is None
    assert gc.get_freeze_count() > aside
    assert not any(one is kept for one in gc.get_objects())


def test_garbage_that_was_set_aside_is_found_when_there_is_time(collector: Collector) -> None:
    ring = Ring()
    gc.collect(1)
    seen = weakref.ref(ring)
    del ring
    gc.collect()
    assert seen() is not None
    collector.collect()
    assert seen() is None


def test_stopping_leaves_the_collector_to_itself() -> None:
    before = gc.get_threshold()
    callbacks = len(gc.callbacks)
    made = Collector()
    made.start()
    made.stop()
    assert (len(gc.callbacks), gc.get_freeze_count()) == (callbacks, 0)
    assert gc.get_threshold() == before


@pytest.mark.parametrize(
    ("since", "busy", "due"),
    [
        (OFTEN - 1, 0.0, False),
        (OFTEN, 0.01, True),
        (OFTEN, 0.5, False),
        (AT_LATEST, 1.0, True),
    ],
)
def test_everything_is_looked_through_when_little_is_to_do(
    since: float, busy: float, *, due: bool
) -> None:
    assert is_time(since, busy) is due
