"""The order of stages, as a rule and as a machine that runs any commands in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.preparation.domain.refusals import Outcome
from services.preparation.domain.stages import Stage, previous, step

stages = st.sampled_from(list(Stage))
goals = st.sampled_from([stage for stage in Stage if stage is not Stage.RECEIVED])


@given(at=stages, to=goals)
def test_a_card_moves_only_from_the_stage_before(at: Stage, to: Stage) -> None:
    verdict = step(at, to)
    assert (verdict.outcome is Outcome.DONE) == (at is previous(to))
    assert (verdict.outcome is Outcome.ALREADY) == (at.rank >= to.rank)
    assert (verdict.refusal is None) == (verdict.outcome is not Outcome.REFUSED)


@given(at=stages, to=goals)
def test_a_refusal_names_what_is_missing_and_what_comes_next(at: Stage, to: Stage) -> None:
    refusal = step(at, to).refusal
    if refusal is not None:
        following = tuple(Stage)[at.rank + 1]
        assert previous(to).label.ja in refusal.message.ja
        assert following.value in refusal.remedy.en
        assert step(at, following).outcome is Outcome.DONE


def test_nothing_comes_before_received() -> None:
    with pytest.raises(ValueError, match="begins"):
        previous(Stage.RECEIVED)


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
