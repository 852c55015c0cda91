"""System: whether news travels between the services, as each process tells of itself."""

from collections.abc import Sequence

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    View,
    count,
    figure,
    share,
)
from services.reporting.gateways.processes import Health

OLD_SECONDS = 30.0
"""As the alert OutboxOld has it."""


async def read(ask: Ask) -> View:
    """The page; without addresses in the settings it says so."""
    if not ask.health:
        return View([], [], [ask.t("not_set")])
    return View(_tiles(ask, ask.health), [_table(ask, ask.health)])


def _tiles(ask: Ask, found: Sequence[Health]) -> list[Tile]:
    t = ask.t
    silent = sum(not each.answers for each in found)
    age = max((each.outbox_age or 0.0 for each in found), default=0.0)
    dead = dead_letters(found)
    return [
        Tile(t("silent_processes"), count(silent), alert=silent > 0),
        Tile(t("lag"), count(sum(each.lag or 0 for each in found))),
        Tile(t("outbox_age"), figure(age), alert=age > OLD_SECONDS),
        Tile(t("dead_letters"), count(dead), alert=dead > 0),
    ]


def dead_letters(found: Sequence[Health]) -> int:
    """Of all rooms: each consumer of a room tells of the same."""
    rooms: dict[str, int] = {}
    for each in found:
        room = _room(each)
        rooms[room] = max(rooms.get(room, 0), each.dead_letters or 0)
    return sum(rooms.values())


def _table(ask: Ask, found: Sequence[Health]) -> Section:
    t = ask.t
    titles = ("lag", "outbox_age", "unpublished", "dead_letters", "parked", "requests", "errors")
    heads = [
        Head(t("process"), figures=False),
        Head(t("state"), figures=False),
        *(Head(t(title)) for title in titles),
    ]
    rows = [
        [
            each.name,
            t("answers") if each.answers else t("silent"),
            count(each.lag),
            figure(each.outbox_age),
            count(each.unpublished),
            count(each.dead_letters),
            count(each.parked),
            count(each.requests),
            share((each.errors or 0) / each.requests if each.requests else None),
        ]
        for each in found
    ]
    chart = ChartView("lag", t("lag_chart"), _bars(found))
    return Section("services", t("services"), TableView(heads, rows), chart)


def _bars(found: Sequence[Health]) -> list[Row]:
    lag: dict[str, int] = {}
    for each in found:
        if each.lag is not None:
            room = _room(each)
            lag[room] = lag.get(room, 0) + each.lag
    return [{"room": room, "messages": messages} for room, messages in lag.items()]


def _room(of: Health) -> str:
    """The room of a process: its name begins with it."""
    return of.name.partition("-")[0]
