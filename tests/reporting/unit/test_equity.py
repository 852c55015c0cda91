"""How even a city is: distances, shares, Gini, and the plan's own observation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.domain.equity import (
    Flow,
    Geography,
    Place,
    equity,
    gini,
    haversine,
    origins,
    places,
    spreads,
)
from shared.contracts.place import Site, SiteKind
from shared.ids import SiteId, WardCode
from tests.contracts.samples import SITE
from tests.reporting.histories import SITES, WARDS

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=12)
OFFICE, CENTER = SITES


def site(site_id: SiteId, ward: WardCode, kind: SiteKind, north: float, east: float) -> Site:
    return SITE.model_copy(
        update={
            "site_id": site_id,
            "ward": ward,
            "kind": kind,
            "latitude": north,
            "longitude": east,
        }
    )


MAP = Geography(
    {
        OFFICE: site(OFFICE, WARDS[0], SiteKind.WARD_OFFICE, 35.53, 139.70),
        CENTER: site(CENTER, WARDS[1], SiteKind.CENTER, 35.59, 139.62),
    },
    {WARDS[0]: Place(35.53, 139.70), WARDS[1]: Place(35.60, 139.61)},
)


def test_distances_are_those_of_the_globe() -> None:
    tokyo, osaka = Place(35.681236, 139.767125), Place(34.702485, 135.495951)
    assert haversine(tokyo, osaka) == pytest.approx(403, abs=1)
    assert haversine(tokyo, tokyo) == 0
    assert haversine(Place(0, 0), Place(0, 180)) == pytest.approx(20_015, abs=1)


def test_gini_of_the_even_and_of_the_single() -> None:
    assert gini([3, 3, 3]) == 0
    assert gini([0, 0, 0, 8]) == pytest.approx(0.75)
    assert gini([]) is None
    assert gini([0, 0]) is None


@given(VALUES, st.floats(0.1, 100))
def test_gini_does_not_depend_on_order_or_scale(values: list[float], scale: float) -> None:
    found = gini(values)
    if found is None:
        return
    assert 0 <= found < 1
    assert gini(values[::-1]) == pytest.approx(found)
    assert gini([value * scale for value in values]) == pytest.approx(found, abs=1e-6)


def test_a_ward_by_hand() -> None:
    flows = [Flow(WARDS[0], OFFICE, 3), Flow(WARDS[0], CENTER, 1), Flow(WARDS[1], CENTER, 2)]
    first, second = equity(flows, MAP, {WARDS[0]: 5.0}, near_km=4)
    assert (first.completed, first.days_to_first_free) == (4, 5.0)
    assert (first.own_ward_share, first.ward_office_share, first.center_share) == (0.75, 0.75, 0.25)
    far = haversine(Place(35.53, 139.70), Place(35.59, 139.62))
    assert far > 4
    assert first.near_share == 0.75
    assert first.distance_km == pytest.approx(far / 4)
    assert first.distance_p90_km == pytest.approx(far)
    assert (second.own_ward_share, second.center_share, second.near_share) == (1, 1, 1)
    assert second.days_to_first_free is None


def test_a_ward_without_anybody_and_a_site_that_nobody_told_of() -> None:
    flows = [Flow(WARDS[0], SiteId("somewhere"), 2)]
    first, second = equity(flows, MAP, {}, near_km=4)
    assert (first.distance_km, first.center_share, first.near_share) == (None, 0, 0)
    assert (second.completed, second.center_share) == (0, None)


def test_spreads_name_the_wards_at_both_ends() -> None:
    flows = [Flow(WARDS[0], OFFICE, 3), Flow(WARDS[0], CENTER, 1), Flow(WARDS[1], CENTER, 2)]
    found = {each.measure: each for each in spreads(equity(flows, MAP, {}, near_km=4))}
    assert (found["center_share"].least_ward, found["center_share"].most_ward) == WARDS
    assert found["center_share"].ratio == 4
    assert found["ward_office_share"].ratio is None
    assert "days_to_first_free" not in found


def test_a_ward_is_at_its_office_unless_told_otherwise() -> None:
    found = places(MAP.sites.values(), {})
    assert found == {WARDS[0]: Place(35.53, 139.70)}
    assert places(MAP.sites.values(), {WARDS[0]: Place(1, 2)})[WARDS[0]] == Place(1, 2)


def test_the_plan_s_observation() -> None:
    """From R2 to R5 two thirds of the center's users came from the three wards around it."""
    users = {"141348": 30, "141364": 20, "141330": 16, "141313": 12, "141321": 8, "141356": 8}
    flows = [Flow(WardCode(ward), CENTER, count) for ward, count in users.items()]
    flows.append(Flow(WardCode("141372"), CENTER, 5))
    found = list(origins(flows))
    assert {each.ward for each in found[:3]} == {"141348", "141364", "141330"}
    assert found[2].cumulative_share == pytest.approx(2 / 3)
    assert found[-1].cumulative_share == 1
