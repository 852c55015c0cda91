"""What stands still when: the daily stop, rest days, and suspensions of any length."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.domain.checklist import Step
from services.issuance.domain.national_system import (
    NEEDS_SYSTEM,
    NationalRules,
    Standing,
    Stop,
    StopReason,
    Suspension,
    SystemStopped,
    may_still,
    require_running,
    standing,
)
from services.issuance.domain.ticket import Purpose
from shared.calendar import TOKYO, is_after_third_saturday
from shared.contracts.base import Procedure
from shared.contracts.site import SuspensionReason
from shared.ids import SiteId, SuspensionId, derived_id

HERE = SiteId("here")
TEN = datetime(2026, 7, 14, 1, 0, tzinfo=UTC)
RULES = NationalRules()
CARD, RENEWAL = Procedure.CARD_ISSUANCE, Procedure.CERTIFICATE_RENEWAL

minutes = st.integers(-500, 500).map(lambda each: TEN + timedelta(minutes=each))
suspensions = st.builds(
    Suspension,
    suspension_id=st.just(SuspensionId(derived_id("s"))),
    site_id=st.just(HERE),
    procedures=st.frozensets(st.sampled_from(Procedure), min_size=1),
    starts_at=minutes,
    ends_at=st.none() | minutes,
    reason=st.sampled_from(SuspensionReason),
)


@pytest.mark.parametrize(
    ("reason", "is_named"),
    [(reason, reason not in {StopReason.DAILY_STOP, StopReason.REST_DAY}) for reason in StopReason],
)
def test_midnight_is_no_time_at_which_anybody_is_served_again(
    reason: StopReason, is_named: bool
) -> None:
    until = TEN + timedelta(hours=14)
    stops = {CARD: Stop(reason, until), RENEWAL: Stop(StopReason.OUTAGE, None)}
    goes_on = Standing(HERE, TEN, stops, until).goes_on
    assert goes_on == ({Purpose.CARD_ISSUANCE: until} if is_named else {})


@given(st.lists(suspensions, max_size=3))
def test_a_procedure_stands_still_while_any_suspension_holds(found: list[Suspension]) -> None:
    now = standing(HERE, found, TEN, RULES)
    for procedure in Procedure:
        holding = [
            one
            for one in found
            if procedure in one.procedures
            and one.starts_at <= TEN
            and (one.ends_at is None or one.ends_at > TEN)
        ]
        assert (procedure in now.stops) == bool(holding)
        if not holding:
            require_running(now, procedure)
            continue
        with pytest.raises(SystemStopped) as caught:
            require_running(now, procedure)
        untils = [one.ends_at for one in holding]
        longest = None if None in untils else max(end for end in untils if end is not None)
        assert now.stops[procedure].until == longest
        assert caught.value.extras["may_still"] == [step.value for step in may_still(procedure)]


@pytest.mark.parametrize(("hour", "stands"), [(0, False), (19, False), (20, True), (23, True)])
def test_the_daily_stop(hour: int, stands: bool) -> None:
    now = datetime(2026, 7, 14, hour, 0, tzinfo=TOKYO)
    stops = standing(HERE, [], now, RULES).stops
    assert {one.reason for one in stops.values()} == ({StopReason.DAILY_STOP} if stands else set())
    assert len(stops) == (2 if stands else 0)


def test_the_sunday_after_the_third_saturday() -> None:
    assert [
        day
        for day in (date(2026, 8, 1) + timedelta(days=n) for n in range(31))
        if is_after_third_saturday(day)
    ] == [date(2026, 8, 16)]
    assert is_after_third_saturday(date(2026, 11, 22))
    assert not is_after_third_saturday(date(2026, 11, 21))
    sunday = datetime(2026, 8, 16, 10, 0, tzinfo=TOKYO)
    stops = standing(HERE, [], sunday, RULES).stops
    assert set(stops) == {RENEWAL}
    assert stops[RENEWAL].until == datetime(2026, 8, 17, tzinfo=TOKYO)


def test_what_may_still_be_done_needs_no_system() -> None:
    for procedure in Procedure:
        assert not NEEDS_SYSTEM & set(may_still(procedure))
    assert Step.OLD_CARD in may_still(CARD)
