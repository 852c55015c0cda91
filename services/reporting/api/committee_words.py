"""What the committee's paper says, in both languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.api.tables import month_name
from services.reporting.domain.accuracy import months_before, series
from services.reporting.domain.monthly import LABELS
from services.reporting.handlers.committee import Month
from shared.contracts.base import Procedure
from shared.errors import Language, Text

WORDS: Mapping[str, Text] = {
    "so_far": Text("so far", "途中"),
    "running": Text("the month is not over", "集計途中の月です"),
    "as_of": Text("Up to {day}", "{day} 時点"),
    "in_table": Text("the figures are in the table below", "数値は下の表のとおりです"),
    "nothing": Text("Nothing to show.", "該当はありません。"),
}
_TITLE = Text(
    "Issuance of My Number Cards: report for {month} {year}",
    "マイナンバーカード交付等 月次報告（{year}年{month}）",
)
_EXPECTED = Text("forecast {count:,}", "予想 {count:,}")
_BEFORE = Text("month before {count:,}", "前月 {count:,}")

SECTIONS: Mapping[str, tuple[Text, Text | None]] = {
    "plan": (Text("Procedures of the fiscal year", "年度の件数"), None),
    "totals": (
        Text("Official totals and what waits", "公式累計と滞留"),
        Text(
            "Each case counts in its present ward of residence.",
            "各案件は現在の住所地の区に計上しています。",
        ),
    ),
    "lead_times": (
        Text("How long it takes", "所要日数"),
        Text(
            "Steps that ended in this month; the same day is 0.",
            "当月に完了した区間。同日は0日です。",
        ),
    ),
    "wards": (
        Text("How each ward is served", "区ごとの利用状況"),
        Text(
            "Distances are straight lines from the ward's place to the site used.",
            "距離は区の代表地点から利用窓口までの直線距離です。",
        ),
    ),
    "spreads": (
        Text("How evenly", "区間の偏り"),
        Text(
            "Gini coefficient: 0 where all wards have the same.",
            "ジニ係数は全区が等しいとき0です。",
        ),
    ),
    "alerts": (Text("Far from the forecast", "予想からの乖離"), None),
}


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure that everybody looks for first."""

    name: str
    value: str
    note: str


def titled(month: date, language: Language) -> str:
    """What the paper is called."""
    return _TITLE.to(language).format(month=month_name(month).to(language), year=month.year)


def as_of(day: date, language: Language, *, running: bool) -> str:
    """Up to when it reports, and that the month goes on where it is ``running``."""
    until = WORDS["as_of"].to(language).format(day=day)
    if not running:
        return until
    said = WORDS["running"].to(language)
    return f"{until}（{said}）" if language == "ja" else f"{until} ({said})"


def tiles(found: Month, month: date, language: Language, *, running: bool) -> Sequence[Tile]:
    """The number of each procedure and of both, beside its forecast and the month before."""
    mark = WORDS["so_far"].to(language) if running else ""
    return [_tile(found, procedure, month, language, mark) for procedure in (*Procedure, None)]


def _tile(
    found: Month, procedure: Procedure | None, month: date, language: Language, mark: str
) -> Tile:
    done, expected = series(found.done, procedure), series(found.expected, procedure)
    notes = [
        (_EXPECTED, expected.get(month)),
        (_BEFORE, done.get(months_before(month, 1))),
    ]
    said = [text.to(language).format(count=count) for text, count in notes if count is not None]
    value = done.get(month)
    shown = "–" if value is None else f"{value:,}"
    return Tile(LABELS[procedure].to(language), shown, " · ".join([mark, *said] if mark else said))
