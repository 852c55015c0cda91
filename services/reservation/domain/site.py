"""A site as the planner describes it: sound before it is stored, complete before it opens."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import combinations

from shared.contracts.place import OpeningHours, Site, SiteState
from shared.errors import Conflict, FieldError, NotFound, Text, Unprocessable
from shared.ids import SiteId


class NoSuchSite(NotFound):
    """No site has this id."""

    slug = "no-such-site"
    title = Text("There is no such site", "この窓口はありません")
    remedy = Text("Choose one of GET /v1/sites.", "GET /v1/sites の一覧から選んでください。")


class SiteUnsound(Unprocessable):
    """The description contradicts itself."""

    slug = "site-unsound"
    title = Text("The site cannot be like this", "窓口の設定に矛盾があります")
    remedy = Text(
        "Correct the fields named in errors and send the whole site again.",
        "errors の項目を修正し、窓口全体をもう一度送信してください。",
    )


class SiteIncomplete(Conflict):
    """Something is missing that an open site needs."""

    slug = "site-incomplete"
    title = Text("The site cannot open yet", "この窓口はまだ開設できません")
    remedy = Text(
        "Send the whole site with what is named in errors, then open it.",
        "errors の項目を加えて窓口全体を送信してから開設してください。",
    )


class SiteNotOpenable(Conflict):
    """A site that winds down or is closed does not open again."""

    slug = "site-not-openable"
    title = Text("The site has been closed", "この窓口は終了しています")
    remedy = Text("Plan a new site under another id.", "別のIDで新しい窓口を登録してください。")


class SiteNotPreparable(Conflict):
    """Only a planned site can be prepared."""

    slug = "site-not-preparable"
    title = Text("The site is open or closed already", "この窓口は開設済みまたは終了済みです")
    remedy = Text(
        "Change it with PUT /v1/sites/{site_id}.", "PUT /v1/sites/{site_id} で変更してください。"
    )


class ReadOnly(Unprocessable):
    """A description says otherwise what no description can change."""

    slug = "read-only"
    title = Text("This cannot be changed here", "この項目はここでは変更できません")
    remedy = Text(
        "Leave the fields named in errors out, or send them as they were read.",
        "errors の項目を省くか、取得した値のまま送信してください。",
    )


@dataclass(frozen=True, slots=True)
class AsRead:
    """What a description repeats of the site as it was read; none where it does not."""

    site_id: SiteId | None = None
    state: SiteState | None = None
    selling: bool | None = None


def check_as_read(told: AsRead, site: Site) -> None:
    """Raise ``ReadOnly`` naming every field that ``site`` has otherwise than was told."""
    there = AsRead(site.site_id, site.state, site.selling)
    verbs = {
        "site_id": Text("Plan a new site.", "新しい窓口を登録してください。"),
        "state": Text("Use :prepare, :open or :wind-down.", ":prepare :open :wind-down で。"),
        "selling": Text("Use :wind-down.", ":wind-down で指定してください。"),
    }
    message = Text("Is another at the site.", "窓口の値と異なります。")
    errors = [
        FieldError(name, message, remedy)
        for name, remedy in verbs.items()
        if getattr(told, name) not in (None, getattr(there, name))
    ]
    if errors:
        raise ReadOnly(errors=errors)


def check_sound(site: Site, cell_minutes: int) -> None:
    """Raise ``SiteUnsound`` naming every field that cannot be so."""
    if errors := list(_flaws(site, cell_minutes)):
        raise SiteUnsound(errors=errors)


def opened(site: Site) -> Site:
    """``site``, open. An open one stays as it is.

    Raises ``SiteIncomplete`` and ``SiteNotOpenable``.
    """
    if site.state in (SiteState.WINDING_DOWN, SiteState.CLOSED):
        raise SiteNotOpenable
    if missing := list(_missing(site)):
        raise SiteIncomplete(errors=missing)
    return site.model_copy(update={"state": SiteState.OPEN})


def prepared(site: Site) -> Site:
    """``site``, being prepared. Raises ``SiteNotPreparable``."""
    if site.state not in (SiteState.PLANNED, SiteState.PREPARING):
        raise SiteNotPreparable
    return site.model_copy(update={"state": SiteState.PREPARING})


def _missing(site: Site) -> Iterator[FieldError]:
    needed = {
        "hours": bool(site.hours or site.exceptions),
        "counters": site.counters > 0,
        "terminals": site.terminals > 0,
        "acceptance": bool(site.acceptance),
    }
    for field, there in needed.items():
        if not there:
            yield _error(field, "An open site needs this.", "開設には必要な項目です。")


def _flaws(site: Site, cell_minutes: int) -> Iterator[FieldError]:
    for number, hours in enumerate(site.hours):
        yield from _span(f"hours.{number}", hours.opens, hours.closes, cell_minutes)
    yield from _overlaps(site.hours)
    for number, day in enumerate(site.exceptions):
        if (day.opens is None) != (day.closes is None):
            yield _error(
                f"exceptions.{number}",
                "Give both opens and closes, or neither for a closed day.",
                "opens と closes は両方指定するか、休業日なら両方省いてください。",
            )
        elif day.opens and day.closes:
            yield from _span(f"exceptions.{number}", day.opens, day.closes, cell_minutes)
    for number, staff in enumerate(site.staff):
        yield from _span(f"staff.{number}", staff.starts, staff.ends, cell_minutes)
    yield from _periods(site)


def _span(field: str, start: time, end: time, cell_minutes: int) -> Iterator[FieldError]:
    if start.tzinfo or end.tzinfo:
        yield _error(
            field, "Local times carry no offset.", "現地時刻なのでオフセットは付けません。"
        )
    elif start >= end:
        yield _error(field, "Must end after it begins.", "終了は開始より後である必要があります。")
    elif not (_on_grid(start, cell_minutes) and _on_grid(end, cell_minutes)):
        yield _error(
            field,
            f"Times must lie on the grid of {cell_minutes} minutes.",
            f"{cell_minutes}分単位で指定してください。",
        )


def _on_grid(at: time, cell_minutes: int) -> bool:
    return at.minute % cell_minutes == 0 and at.second == 0 and at.microsecond == 0


def _overlaps(hours: Sequence[OpeningHours]) -> Iterator[FieldError]:
    for (_, one), (number, other) in combinations(enumerate(hours), 2):
        same_day = one.weekday is other.weekday and _meet(one.occurrences, other.occurrences)
        if same_day and _comparable(one, other) and _cross(one, other):
            yield _error(
                f"hours.{number}",
                "Overlaps other hours of the same weekday.",
                "同じ曜日の他の時間帯と重なっています。",
            )


def _meet(one: Iterable[int], other: Iterable[int]) -> bool:
    one, other = set(one), set(other)
    return not one or not other or bool(one & other)


def _comparable(one: OpeningHours, other: OpeningHours) -> bool:
    return not any(at.tzinfo for at in (one.opens, one.closes, other.opens, other.closes))


def _cross(one: OpeningHours, other: OpeningHours) -> bool:
    return one.opens < other.closes and other.opens < one.closes


def _periods(site: Site) -> Iterator[FieldError]:
    if site.closes_on is not None and site.closes_on < site.opens_on:
        yield _error(
            "closes_on", "Must not lie before opens_on.", "opens_on より前にはできません。"
        )
    for number, entry in enumerate(site.acceptance):
        if entry.from_date and entry.until_date and entry.until_date < entry.from_date:
            yield _error(
                f"acceptance.{number}.until_date",
                "Must not lie before from_date.",
                "from_date より前にはできません。",
            )


def _error(field: str, en: str, ja: str) -> FieldError:
    return FieldError(
        field, Text(en, ja), Text("Correct this field.", "この項目を修正してください。")
    )
