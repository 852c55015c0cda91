"""What the page Booking says of searches in vain and of how first free days moved."""

from typing import Final

from shared.errors import Text

BOOKING: Final[dict[str, Text]] = {
    "moved_wards": Text(
        "How the first free day of each ward moved", "住所地の区別の最短予約可能日の推移"
    ),
    "moved_sites": Text(
        "How the first free day of each site moved", "窓口別の最短予約可能日の推移"
    ),
    "moved_chart": Text(
        "A small line chart per place, day by day: how many days ahead the first free seat lay, "
        "for both procedures. The table below has the figures.",
        "区または窓口ごとに、最短予約可能日までの日数を日別・手続別に示す折れ線グラフ。"
        "数値は下の表にあります。",
    ),
    "day_format": Text("%-d %b", "%-m/%-d"),
    "moved_note": Text(
        "Days until the first free seat at the end of each day; today, as it is now. A dash: none "
        "within 60 days, or nothing was told.",
        "各日の終わりの空き枠（本日は現在）による、最短予約可能日までの日数です。"
        "「–」は60日以内に空きがないか、公表がなかった日です。",
    ),
    "refused_today": Text("Searches in vain today", "本日の空きなし検索"),
    "refused_wards": Text(
        "Searches that found no seat, per ward", "空きが見つからなかった検索（区別）"
    ),
    "refused_sites": Text("Searches at one site alone", "窓口を指定した検索"),
    "refused_chart": Text(
        "Bars per ward of residence: searches of the last seven days that found nothing free, for "
        "both procedures. The table below has the figures.",
        "住所地の区ごとに、直近7日間で空きが見つからなかった検索の件数を手続別に示す棒グラフ。"
        "数値は下の表にあります。",
    ),
    "refused_note": Text(
        "The last seven days, today included, as told once a minute. A search counts when somebody "
        "asks anew; it belongs to no person and no case.",
        "本日を含む直近7日間の件数です（1分ごとに更新）。個人や案件とは結び付きません。",
    ),
    "searched": Text("Searches", "検索"),
    "in_vain": Text("In vain", "空きなし"),
    "share_in_vain": Text("Share in vain", "空きなしの割合"),
    "any_ward": Text("none or several named", "指定なし・複数"),
}
