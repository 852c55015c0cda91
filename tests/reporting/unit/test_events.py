"""The room hears everything, each on every topic where it can be found."""

from services.reporting.domain.milestones import MILESTONES, Milestone
from services.reporting.events import PUBLISHES, SUBSCRIBES
from shared.contracts.catalog import EVENTS, topics_of
from shared.contracts.clock import ClockAdvanced


def test_every_event_is_heard_once_wherever_it_is_published() -> None:
    heard = [(topic, each.event_type) for each in SUBSCRIBES for topic in each.topics]
    own = (ClockAdvanced, *PUBLISHES)
    told = [(topic, each) for each in EVENTS if each not in own for topic in topics_of(each)]
    assert len(heard) == len(set(heard))
    assert set(heard) == set(told)


def test_every_milestone_has_one_event() -> None:
    assert sorted(MILESTONES.values()) == sorted(Milestone)


def test_what_it_says_is_said_on_its_own_topic() -> None:
    assert {each.topic for each in PUBLISHES} == {"reporting.events"}
