"""A notice number finds its case by keyed hash; the number itself is never kept."""

from shared.errors import NotFound, Text


class NoticeUnknown(NotFound):
    """No notice with this number has been heard of."""

    slug = "notice-not-known"
    title = Text("This notice number is not known here", "この通知書番号の情報がありません")
    remedy = Text(
        "Compare the number with the notice; if it is right, ask the back office.",
        "交付通知書の番号を確認してください。正しい場合は交付準備担当に確認してください。",
    )
