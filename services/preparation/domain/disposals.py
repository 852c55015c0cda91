"""A card that may no longer be handed over is destroyed under the eyes of two operators."""

from dataclasses import dataclass
from typing import Final

from services.preparation.domain.refusals import ALREADY, DONE, Verdict, refused
from services.preparation.domain.stages import Stage
from shared.contracts.preparation import DisposalReason
from shared.errors import Conflict, Forbidden, Json, NotFound, Text
from shared.ids import SiteId

WAITING: Final = frozenset({Stage.DISPOSAL_DUE, Stage.VOIDED})
"""Stages in which a card waits for its disposal."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a card is: on a shelf of a site, in a batch under way, or not put anywhere yet."""

    stage: Stage
    site_id: SiteId | None
    under_way: bool
    laid_out: bool


def lay_out(card: Whereabouts, site_id: SiteId) -> Verdict:
    """Whether a card can be laid out for disposal at a site: it waits for it, and is there.

    A card that was voided before it lay on any shelf is wherever it was worked on.
    """
    if card.stage is Stage.DISPOSED:
        return ALREADY
    if card.stage not in WAITING:
        return NOT_DUE
    if card.laid_out:
        return LAID_OUT
    return ELSEWHERE if card.under_way or card.site_id not in (site_id, None) else DONE


def reason_of(stage: Stage, end_reason: str | None) -> DisposalReason:
    """Why a waiting card is destroyed."""
    return DisposalReason.VOIDED if stage is Stage.VOIDED else DisposalReason(end_reason or "")


class DisposalUnknown(NotFound):
    """No record has this id."""

    slug = "disposal-unknown"
    title = Text("There is no such disposal", "この廃棄記録はありません")
    remedy = Text("GET /v1/disposals lists them.", "GET /v1/disposals で確認してください。")


class NothingToDispose(Conflict):
    """No card among those named can be destroyed now."""

    slug = "nothing-to-dispose"
    title = Text("No card here can be disposed of", "廃棄できるカードがありません")
    remedy = Text(
        "See `results` for what each card needs first.",
        "各カードに必要な処理は results を確認してください。",
    )

    def __init__(self, results: list[Json]) -> None:
        super().__init__(extras={"results": results})


class SecondOperatorNeeded(Forbidden):
    """Who laid the cards out cannot confirm that they were destroyed."""

    slug = "disposal-needs-second-operator"
    title = Text("Another operator has to confirm", "別の担当者の確認が必要です")
    remedy = Text(
        "Ask a colleague to log in and confirm the disposal.",
        "別の担当者がログインして確認してください。",
    )


class DisposalClosed(Conflict):
    """The record was confirmed or withdrawn before."""

    slug = "disposal-closed"
    title = Text("The record is closed", "この廃棄記録は終了しています")
    remedy = Text("Open a new one.", "新しい廃棄記録を作成してください。")


class DisposalElsewhere(Conflict):
    """The record belongs to another site."""

    slug = "disposal-of-other-site"
    title = Text("The record belongs to another site", "別の窓口の廃棄記録です")
    remedy = Text("Send the site_id of the record.", "廃棄記録の site_id を指定してください。")


NOT_DUE: Final = refused(
    "not_due",
    Text("The card does not wait for disposal.", "廃棄対象のカードではありません。"),
    Text(
        "GET /v1/disposals/due lists those that do.", "GET /v1/disposals/due で確認してください。"
    ),
)
LAID_OUT: Final = refused(
    "laid_out",
    Text("The card is in another record.", "別の廃棄記録に含まれています。"),
    Text("Confirm or withdraw that record.", "その記録を確認または取り下げてください。"),
)
ELSEWHERE: Final = refused(
    "elsewhere",
    Text("The card lies at another site.", "カードは別の窓口にあります。"),
    Text("Dispose of it there, or have it sent.", "保管窓口で廃棄するか、移送してください。"),
)
