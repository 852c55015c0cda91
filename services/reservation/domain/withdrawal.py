"""Taking a closure back: the site is as before, and who still has the old seat keeps it.

Bookings that have moved stay where they are; seats that were kept for the others go back.
"""

from dataclasses import dataclass
from datetime import date

from services.reservation.domain.closure import Closure, ClosureKind, ClosureState
from shared.contracts.place import Site, SiteState
from shared.errors import Conflict, Text


@dataclass(frozen=True, slots=True)
class Former:
    """What a closure is taken back to: the site before the change, and the version it made."""

    site: Site
    made_version: int


class NotWithdrawable(Conflict):
    """The closure cannot be taken back; the detail says why."""

    slug = "not-withdrawable"
    title = Text("This closure cannot be taken back", "この閉鎖手続は取り下げられません")
    remedy = Text(
        "Send the site as it should be with PUT /v1/sites/{site_id}: who still has a seat there"
        " keeps it. Plan a site that has closed anew.",
        "PUT /v1/sites/{site_id} で本来の設定を送信してください。"
        "残っている予約はそのまま維持されます。"
        "終了した窓口は新しく登録してください。",
    )


_DONE = Text("It is done.", "手続は完了しています。")
_UNKNOWN = Text("It is not known how the site was before.", "変更前の設定が記録されていません。")
_OVER = Text("The period of the site has ended.", "窓口の開設期間が終了しています。")
_CHANGED = Text("The site has been changed again since.", "その後、窓口の設定が変更されています。")


def check_running(closure: Closure) -> None:
    """Raise ``NotWithdrawable`` where nothing is left to take back."""
    if closure.state is ClosureState.DONE:
        raise NotWithdrawable(_DONE)


def taken_back(
    site: Site, version: int, closure: Closure, former: Former | None, today: date
) -> Site:
    """``site`` without the change that ``closure`` deals with.

    A site that was to close keeps whatever else was changed since. Raises ``NotWithdrawable``.
    """
    if former is None:
        raise NotWithdrawable(_UNKNOWN)
    if closure.kind is ClosureKind.WIND_DOWN:
        ends = former.site.closes_on
        if ends is not None and ends < today:
            raise NotWithdrawable(_OVER)
        return site.model_copy(
            update={"state": SiteState.OPEN, "closes_on": ends, "selling": former.site.selling}
        )
    if version != former.made_version:
        raise NotWithdrawable(_CHANGED)
    return former.site
