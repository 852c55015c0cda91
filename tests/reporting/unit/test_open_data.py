"""What is published tells nothing of few: tried by reckoning as a reader could."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.open_data import Published, published
from shared.ids import WardCode

LEAST = 10
WARDS = [WardCode(f"14131{n}") for n in range(6)]
COUNTS = st.one_of(st.just(0), st.integers(1, 12), st.integers(1, 400))
GROUPS = st.dictionaries(st.sampled_from(WARDS), COUNTS, min_size=1)


def greatest_possible(found: Published) -> int | None:
    """The most that a hidden number can be, for a reader who knows the rules; None: no limit."""
    if found.total is None:
        return LEAST - 1
    hidden = [ward for ward, count in found.wards.items() if count is None]
    rest = found.total - sum(count or 0 for count in found.wards.values())
    least = 0 if all(count is None for count in found.wards.values()) else 1
    return rest - least * (len(hidden) - 1)


@given(GROUPS)
def test_no_small_number_can_be_reckoned(wards: Mapping[WardCode, int]) -> None:
    found = published(wards, LEAST)
    hidden = [ward for ward, count in found.wards.items() if count is None]
    assert all(count == 0 or count >= LEAST for count in found.wards.values() if count is not None)
    if not hidden:
        return
    total = sum(wards.values())
    if total >= LEAST and len(wards) > 1:
        # Each hidden number may as well be one that is large enough to be shown.
        most = greatest_possible(found)
        assert most is not None
        assert most >= LEAST
        assert len(hidden) > 1


@given(GROUPS)
def test_what_is_shown_is_true_and_nothing_is_hidden_without_need(
    wards: Mapping[WardCode, int],
) -> None:
    found = published(wards, LEAST)
    assert all(count in (None, wards[ward]) for ward, count in found.wards.items())
    assert found.total in (None, sum(wards.values()))
    if all(count == 0 or count >= LEAST for count in wards.values()):
        assert None not in found.wards.values()


def test_by_hand() -> None:
    a, b, c, d = WARDS[:4]
    assert published({a: 3, b: 50, c: 20, d: 0}).wards == {a: None, b: 50, c: None, d: 0}
    # Two that would add up to little take a third with them.
    assert published({a: 1, b: 1, c: 30, d: 40}).wards == {a: None, b: None, c: None, d: 40}
    # A single ward cannot hide behind another: then nothing is told of the group.
    assert published({a: 4, b: 0}) == Published({a: None, b: None}, None)
    assert published({a: 0, b: 0}) == Published({a: 0, b: 0}, 0)
