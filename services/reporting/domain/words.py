"""What the public page says, in both languages."""

from collections.abc import Mapping

from shared.errors import Text

PAGE: Mapping[str, Text] = {
    "title": Text(
        "My Number Cards: procedures completed",
        "マイナンバーカード 交付・電子証明書更新件数",
    ),
    "lead": Text(
        "Cards issued and e-certificates renewed at every counter of the city, by month.",
        "市内すべての窓口での、カード交付と電子証明書更新の月別件数です。",
    ),
    "chart": Text("Procedures completed per month", "月別の件数"),
    "chart_note": Text(
        "Each bar is a month: cards issued below, e-certificates renewed above. "
        "The table has the same figures.",
        "各棒は1か月分です。下がカード交付、上が電子証明書更新です。同じ数値を下の表に示します。",
    ),
    "table": Text("The months in figures", "月別件数表"),
    "running": Text("so far", "途中"),
    "staff": Text("For staff: the dashboard", "職員用の運用画面"),
    "procedure": Text("Procedure", "手続"),
    "year": Text("Year", "計"),
    "previous": Text("Previous fiscal year", "前年度"),
    "next": Text("Next fiscal year", "翌年度"),
    "years": Text("Fiscal years", "年度の切替"),
    "language": Text("日本語", "English"),
    "cards": Text("Cards issued", "カード交付"),
    "certificates": Text("E-certificates renewed", "電子証明書更新"),
    "both": Text("Total", "計"),
    "note": Text(
        "A procedure counts in the month (Japan time) in which it was completed at a counter. "
        "A dash marks months of which nothing is known; one that is not over is counted so far.",
        "窓口で手続が完了した月（日本時間）に計上しています。「–」は件数の記録がない月、「途中」の月はこれまでの件数です。",
    ),
    "as_of": Text("As of", "時点"),
    "none": Text(
        "No procedure has been completed in this fiscal year yet.",
        "この年度に完了した手続はまだありません。",
    ),
}


def words(language: str) -> dict[str, str]:
    """The page's words in ``language``."""
    return {key: text.ja if language == "ja" else text.en for key, text in PAGE.items()}
