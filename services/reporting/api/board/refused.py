"""Searches in vain, as parts of the page Booking: today at first sight, a week by ward and site."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.reporting.api.board.ask import Ask
from services.reporting.api.board.view import (
    ChartView,
    Head,
    Row,
    Section,
    TableView,
    Tile,
    count,
    share,
)
from services.reporting.store import searches
from services.reporting.store.searches import Searched
from services.reporting.store.site_days import Days
from shared.contracts.base import Procedure


@dataclass(frozen=True, slots=True)
class Looked:
    """Searches of today, and of some days by ward and by site."""

    today: Sequence[Searched]
    wards: Sequence[Searched]
    sites: Sequence[Searched]


async def read(ask: Ask, days: int) -> Looked:
    """What was told of them, today and in so many days up to today."""
    conn, span = ask.unit.conn, Days(ask.today - timedelta(days=days - 1), ask.today)
    return Looked(
        await searches.sums(conn, Days(ask.today, ask.today), "day"),
        await searches.sums(conn, span, "ward"),
        [each for each in await searches.sums(conn, span, "site") if each.part],
    )


def tiles(ask: Ask, looked: Looked) -> Iterator[Tile]:
    """In vain today, and what share of all that is."""
    refused, searched = (
        sum(getattr(each, name) for each in looked.today) for name in ("refused", "searched")
    )
    form = "{}（{}）" if ask.language == "ja" else "{} ({})"
    value = form.format(count(refused), share(refused / searched)) if searched else "–"
    yield Tile(ask.t("refused_today"), value)


def by_ward(ask: Ask, looked: Looked, names: Mapping[str, str]) -> Section:
    """A line per ward and procedure; who named no ward stands last."""
    bars: list[Row] = [
        {
            "place": _place(ask, each.part, names),
            "kind": ask.t(each.procedure),
            "refused": each.refused,
        }
        for each in looked.wards
    ]
    # Bars of nothing would be an empty frame.
    shown = bars if any(each.refused for each in looked.wards) else []
    chart = ChartView("refused", ask.t("refused_chart"), shown)
    table = _table(ask, "ward_of", looked.wards, names)
    return Section("refused_wards", ask.t("refused_wards"), table, chart, [ask.t("refused_note")])


def by_site(ask: Ask, looked: Looked, names: Mapping[str, str]) -> Section:
    """Those that asked about one site alone."""
    return Section(
        "refused_sites", ask.t("refused_sites"), _table(ask, "site", looked.sites, names)
    )


def _table(ask: Ask, of: str, found: Sequence[Searched], names: Mapping[str, str]) -> TableView:
    t = ask.t
    titles = ("searched", "in_vain", "share_in_vain")
    heads = [Head(t(of), figures=False)]
    heads += [Head(f"{t(each)}: {t(title)}") for each in Procedure for title in titles]
    known = {(each.part, each.procedure): each for each in found}
    rows = []
    for part in dict.fromkeys(each.part for each in found):
        cells = [_place(ask, part, names)]
        for procedure in Procedure:
            one = known.get((part, procedure))
            if one is None:
                cells += ["–", "–", "–"]
                continue
            cells += [count(one.searched), count(one.refused), _vain(one)]
        rows.append(cells)
    return TableView(heads, rows)


def _place(ask: Ask, part: str | None, names: Mapping[str, str]) -> str:
    return ask.t("any_ward") if part is None else names.get(part, part)


def _vain(found: Searched) -> str:
    return share(found.refused / found.searched if found.searched else None)
