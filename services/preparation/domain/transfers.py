"""Cards travel between sites in sealed batches: what left must arrive."""

import hashlib
from base64 import b32encode
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

from services.preparation.domain.refusals import DONE, Verdict, refused
from services.preparation.domain.shelves import NOT_ON_A_SHELF
from shared.calendar import BusinessCalendar
from shared.contracts.preparation import TransferFailure
from shared.errors import Conflict, FieldError, Json, NotFound, Text, Unprocessable
from shared.ids import BatchId, CaseId, SiteId


class Cause(StrEnum):
    """Why a card travels."""

    BOOKING = "booking"
    WIND_DOWN = "wind_down"
    CHOSEN = "chosen"


class LineState(StrEnum):
    """What became of a card of a batch."""

    UNDER_WAY = "under_way"
    MISSING = "missing"
    ARRIVED = "arrived"
    ENDED = "ended"


class TransferUnknown(NotFound):
    """No batch has this id."""

    slug = "transfer-unknown"
    title = Text("There is no such transfer", "この移送はありません")
    remedy = Text("GET /v1/transfers lists them.", "GET /v1/transfers で確認してください。")


class NothingToSend(Conflict):
    """No card among those named can travel now."""

    slug = "nothing-to-send"
    title = Text("No card here can be sent", "移送できるカードがありません")
    remedy = Text(
        "See `results` for what each card needs first.",
        "各カードに必要な処理は results を確認してください。",
    )

    def __init__(self, results: list[Json]) -> None:
        super().__init__(extras={"results": results})


class SealBroken(Conflict):
    """The seal read from the bag is not that of the batch."""

    slug = "transfer-seal-differs"
    title = Text("The seal is not that of this batch", "封印番号が一致しません")
    remedy = Text(
        "Do not open the bag; compare it with the manifest and tell the sending site.",
        "開封せず、送付票と照合し、発送元の窓口へ連絡してください。",
    )

    def __init__(self) -> None:
        message = Text("Another seal than was put on it.", "発送時の封印番号と異なります。")
        super().__init__(errors=(FieldError("seal", message, self.remedy),))


class NotItsSite(Conflict):
    """A batch is opened where it goes, or where it came from."""

    slug = "transfer-of-other-site"
    title = Text("This batch goes to another site", "この移送の宛先は別の窓口です")
    remedy = Text(
        "Leave it sealed and forward it to the site on its label.",
        "開封せず、宛先の窓口へ転送してください。",
    )


class NoSuchSite(Unprocessable):
    """Cards go to sites that exist and are not closed."""

    slug = "transfer-to-no-site"
    title = Text("No cards can be sent there", "この宛先には移送できません")

    def __init__(self) -> None:
        message = Text("No open site has this id.", "この窓口は登録がないか、閉鎖されています。")
        remedy = Text(
            "Take an id from GET /v1/sites of reservation.",
            "予約サービスの GET /v1/sites にある窓口を指定してください。",
        )
        super().__init__(errors=(FieldError("to_site_id", message, remedy),))


class SameSite(Unprocessable):
    """A transfer needs two sites."""

    slug = "transfer-within-site"
    title = Text("Both sites are the same", "発送元と宛先が同じ窓口です")

    def __init__(self) -> None:
        message = Text("It is the site the cards leave.", "発送元と同じ窓口です。")
        remedy = Text(
            "Name another site, or use POST /v1/shelves/moves within one.",
            "別の窓口を指定するか、POST /v1/shelves/moves を使ってください。",
        )
        super().__init__(errors=(FieldError("to_site_id", message, remedy),))


AT_COUNTER: Final = refused(
    "at_counter",
    Text("The citizen is being served with this card.", "窓口で対応中のカードです。"),
    Text("Wait until the visit is over.", "対応が終わってからもう一度実行してください。"),
)
NOT_IN_BATCH: Final = refused(
    "not_in_batch",
    Text("The card is not in this batch.", "この移送に含まれていないカードです。"),
    Text(
        "Set it aside and look where it should be (GET /v1/cards/{case_id}).",
        "別に保管し、GET /v1/cards/{case_id} で所在を確認してください。",
    ),
)


def seal(transfer_id: BatchId, to_site_id: SiteId, case_ids: Iterable[CaseId]) -> str:
    """What is written on the seal of a batch: it names what is in it and where it goes."""
    inside = "|".join(sorted(str(case_id) for case_id in case_ids))
    digest = hashlib.sha256(f"{transfer_id}|{to_site_id}|{inside}".encode()).digest()
    text = b32encode(digest)[:8].decode()
    return f"{text[:4]}-{text[4:]}"


def sendable(lies_at: SiteId | None, from_site_id: SiteId, *, at_counter: bool = False) -> Verdict:
    """Whether a card can leave a site: it lies on a shelf there, and its citizen is not served."""
    if lies_at != from_site_id:
        return NOT_ON_A_SHELF
    return AT_COUNTER if at_counter else DONE


def due_on(calendar: BusinessCalendar, today: date, days: int) -> date:
    """The day by which a batch that is sealed today should be there; ``days`` are business days."""
    return calendar.add_business_days(today, days)


def leave_by(calendar: BusinessCalendar, needed_on: date, days: int) -> date:
    """The last day on which a card leaves in time for ``needed_on``: the last day whose
    ``due_on`` is not after it.
    """
    day = calendar.add_business_days(needed_on, -days)
    while due_on(calendar, day, days) > needed_on:
        day = calendar.add_business_days(day, -1)
    return day


def failure(state: LineState | None, *, movable: bool) -> TransferFailure:
    """Why a card is not where it is expected: ``state`` is that of its line in a batch, if any."""
    if state is LineState.MISSING:
        return TransferFailure.MISSING
    if not movable:
        return TransferFailure.NOT_MOVABLE
    return TransferFailure.LATE
