"""The order of stages, as a rule and as a machine that runs any commands in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.preparation.domain.refusals import Outcome
from services.preparation.domain.stages import ENDS, WAY, Stage, previous, step

stages = st.sampled_from(list(Stage))
on_the_way = st.sampled_from(WAY)
goals = st.sampled_from(WAY[1:])


@given(at=on_the_way, to=goals)
def test_a_card_moves_only_from_the_stage_before(at: Stage, to: Stage) -> None:
    verdict = step(at, to)
    assert (verdict.outcome is Outcome.DONE) == (at is previous(to))
    assert (verdict.outcome is Outcome.ALREADY) == (at.rank >= to.rank)
    assert (verdict.refusal is None) == (verdict.outcome is not Outcome.REFUSED)


@given(at=on_the_way, to=goals, held=st.booleans())
def test_a_held_card_goes_nowhere_but_stays_where_it_has_been(
    at: Stage, to: Stage, held: bool
) -> None:
    free, found = step(at, to), step(at, to, held=held)
    if held and free.outcome is Outcome.DONE:
        assert found.refusal is not None
        assert found.refusal.code == "held"
    else:
        assert found == free


@given(at=st.sampled_from(sorted(ENDS)), to=goals, held=st.booleans())
def test_what_has_ended_goes_nowhere(at: Stage, to: Stage, held: bool) -> None:
    refusal = step(at, to, held=held).refusal
    assert refusal is not None
    assert refusal.code == "ended"


@given(at=on_the_way, to=goals)
def test_a_refusal_names_what_is_missing_and_what_comes_next(at: Stage, to: Stage) -> None:
    refusal = step(at, to).refusal
    if refusal is not None:
        following = WAY[at.rank + 1]
        assert previous(to).label.ja in refusal.message.ja
        assert following.value in refusal.remedy.en
        assert step(at, following).outcome is Outcome.DONE


def test_nothing_comes_before_received() -> None:
    with pytest.raises(ValueError, match="begins"):
        previous(Stage.RECEIVED)
    with pytest.raises(ValueError, match="beside the way"):
        previous(Stage.VOIDED)


class CardMachine(RuleBasedStateMachine):
    """One card under arbitrary commands."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage.RECEIVED
        self.reached = [Stage.RECEIVED]

    @rule(to=goals)
    def take(self, to: Stage) -> None:
        """Try to take the card to ``to``."""
        if step(self.stage, to).outcome is Outcome.DONE:
            self.stage = to
            self.reached.append(to)

    @invariant()
    def every_stage_was_reached_once_and_in_order(self) -> None:
        """No stage is skipped, doubled or undone."""
        assert self.reached == list(Stage)[: self.stage.rank + 1]


TestCardMachine = CardMachine.TestCase
