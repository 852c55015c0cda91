"""A batch is split into groups of one type without changing the order within any key."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.clock import ClockAdvanced
from shared.contracts.issuance import VisitMissed
from shared.messaging.envelope import Message
from shared.messaging.subscriptions import Subscription, heard, waves
from shared.unit import Unit


def _message(offset: int, subject: str, kind: str) -> Message[Any]:
    at = datetime(2026, 4, 1, tzinfo=UTC)
    return Message(UUID(int=offset), kind, "/s", subject, at, 1, None, None, "t", 0, offset)


batches = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["opened", "preset", "issued"]))
).map(lambda pairs: [_message(n, subject, kind) for n, (subject, kind) in enumerate(pairs)])


@given(batches)
def test_every_message_goes_exactly_once_and_keys_keep_their_order(
    batch: list[Message[Any]],
) -> None:
    handled = [message for _, group in waves(batch) for message in group]
    assert sorted(m.offset for m in handled) == [m.offset for m in batch]
    for subject in {message.subject for message in batch}:
        expected = [m.offset for m in batch if m.subject == subject]
        assert [m.offset for m in handled if m.subject == subject] == expected


@given(batches)
def test_a_group_has_one_type(batch: list[Message[Any]]) -> None:
    for kind, group in waves(batch):
        assert {message.type for message in group} == {kind}


@given(batches)
def test_types_that_go_together_are_one_group_in_order(batch: list[Message[Any]]) -> None:
    groups = list(waves(batch, lambda m: "facts" if m.type != "preset" else m.type))
    for kind, group in groups:
        assert {message.type == "preset" for message in group} == {kind == "preset"}
    if all(message.type != "preset" for message in batch):
        assert len(groups) == bool(batch)
    handled = [message for _, group in groups for message in group]
    for subject in {message.subject for message in batch}:
        expected = [m.offset for m in batch if m.subject == subject]
        assert [m.offset for m in handled if m.subject == subject] == expected


def test_interleaved_cases_in_the_same_stages_take_one_group_per_stage() -> None:
    batch = [
        _message(number * 3 + n, f"case-{number}", kind)
        for number in range(100)
        for n, kind in enumerate(("opened", "preset", "issued"))
    ]
    assert [kind for kind, _ in waves(batch)] == ["opened", "preset", "issued"]


async def _one(_unit: Unit, _messages: Sequence[Message[Any]]) -> None:
    """A handler."""


async def _other(_unit: Unit, _messages: Sequence[Message[Any]]) -> None:
    """Another."""


def test_types_that_go_together_have_one_handler() -> None:
    first = Subscription(ClockAdvanced, _one, ("t",), together="facts")
    same = Subscription(VisitMissed, _one, ("t",), together="facts")
    assert len(heard([first, same])) == 2
    with pytest.raises(ValueError, match="facts has another handler"):
        heard([first, Subscription(VisitMissed, _other, ("t",), together="facts")])
