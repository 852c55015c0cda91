"""What the board says of when it goes on: the time, with the day where it is another one."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from services.issuance.api.board_page import until
from services.issuance.domain.board import Board
from services.issuance.domain.ticket import Purpose
from shared.errors import Text
from tests.issuance.support import OFFICE, TEN, TODAY

CARD, RENEWAL = Purpose.CARD_ISSUANCE, Purpose.CERTIFICATE_RENEWAL
NOON, LATE = TEN + timedelta(hours=2), TEN + timedelta(hours=13, minutes=59)


def board(stopped: tuple[Purpose, ...], ends: Mapping[Purpose, datetime]) -> Board:
    return Board(OFFICE, TODAY, (), (), {}, 0, stopped, ends)


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({CARD: NOON, RENEWAL: LATE}, Text("23:59", "23:59")),
        ({CARD: NOON, RENEWAL: TEN + timedelta(hours=14)}, Text("Jul 15, 00:00", "7月15日 00:00")),
        ({CARD: TEN + timedelta(days=21), RENEWAL: NOON}, Text("Aug 4, 10:00", "8月4日 10:00")),
        ({CARD: NOON}, None),
        ({}, None),
    ],
)
def test_the_day_is_named_where_it_is_not_today(
    ends: Mapping[Purpose, datetime], said: Text | None
) -> None:
    assert until(board((CARD, RENEWAL), ends)) == said


def test_nothing_that_stands_still_goes_on() -> None:
    assert until(board((), {})) is None
