"""From when certificates can be renewed, month ends and 29 February included."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.renewal import (
    CardEnded,
    NotRenewableYet,
    check_renewable,
    renewable_from,
)


@pytest.mark.parametrize(
    ("expires", "first"),
    [
        (date(2026, 5, 20), date(2026, 2, 20)),
        (date(2026, 1, 15), date(2025, 10, 15)),
        (date(2026, 5, 31), date(2026, 2, 28)),
        (date(2028, 5, 31), date(2028, 2, 29)),
        (date(2028, 2, 29), date(2027, 11, 29)),
        (date(2026, 3, 1), date(2025, 12, 1)),
    ],
)
def test_renewal_opens_on_the_same_day_three_months_before(expires: date, first: date) -> None:
    assert renewable_from(expires) == first


@given(st.dates(date(2020, 1, 1), date(2050, 1, 1)))
def test_it_is_always_three_months_and_never_later_for_an_earlier_end(expires: date) -> None:
    first = renewable_from(expires)
    months = (expires.year - first.year) * 12 + expires.month - first.month
    assert months == 3
    assert first.day <= expires.day
    assert 88 <= (expires - first).days <= 92


@pytest.mark.parametrize(
    ("expires", "refusal"),
    [
        (date(2026, 9, 2), NotRenewableYet),
        (date(2026, 9, 1), None),
        (date(2026, 3, 31), None),
        (date(2021, 4, 1), None),
        (date(2021, 3, 31), CardEnded),
    ],
)
def test_certificates_are_renewed_or_issued_anew_while_a_card_can_last(
    expires: date, refusal: type[Exception] | None
) -> None:
    today, last_day = date(2026, 4, 1), date(2026, 6, 1)
    if refusal is None:
        check_renewable(expires, today, last_day)
    else:
        with pytest.raises(refusal):
            check_renewable(expires, today, last_day)
