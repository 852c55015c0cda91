"""What to bring when coming again: what the checklist requires and this visit did not see."""

from collections.abc import Mapping
from types import MappingProxyType

from services.issuance.domain.checklist import Paper, Step
from services.issuance.domain.visit import VisitCase, lacking, missing_steps
from shared.contracts.base import Procedure
from shared.contracts.issuance import DeferReason, ToBring
from shared.errors import Text

TEXTS: Mapping[ToBring, Text] = MappingProxyType(
    {
        ToBring.IDENTITY_DOCUMENTS: Text(
            "Proof of identity: one document with a photo (driver's licence, passport, …), or two"
            " without (health insurance, pension book, …)",
            "本人確認書類：顔写真付き1点（運転免許証・旅券など）、"
            "または顔写真なし2点（資格確認書・年金手帳など）",
        ),
        ToBring.PROXY_IDENTITY: Text(
            "Proof of identity of the person who comes for you", "代理人の本人確認書類"
        ),
        ToBring.POWER_OF_ATTORNEY: Text(
            "The power of attorney, filled in by yourself", "本人が記入した委任状"
        ),
        ToBring.EVIDENCE_OF_REASON: Text(
            "A paper that shows why you cannot come yourself (medical certificate, …)",
            "本人が来庁できないことを示す書類（診断書など）",
        ),
        ToBring.SEALED_REPLY: Text(
            "The reply to the inquiry letter, in its sealed envelope",
            "照会書兼回答書（封筒に入れて封をしたもの）",
        ),
        ToBring.OLD_CARD: Text(
            "Your present card, or the notification card; if it is lost, say so at the counter",
            "現在お持ちのマイナンバーカード（または通知カード）。紛失した場合は窓口でお申し出ください",
        ),
        ToBring.CARD: Text("Your My Number Card", "マイナンバーカード"),
    }
)
_OF_PAPER = MappingProxyType(
    {
        Paper.POWER_OF_ATTORNEY: ToBring.POWER_OF_ATTORNEY,
        Paper.EVIDENCE_OF_REASON: ToBring.EVIDENCE_OF_REASON,
        Paper.SEALED_REPLY: ToBring.SEALED_REPLY,
    }
)
_NOT_THE_CITIZENS = frozenset(
    {DeferReason.CARD_NOT_HERE, DeferReason.CARD_HELD, DeferReason.NATIONAL_SYSTEM}
)


def to_bring(case: VisitCase, reason: DeferReason) -> tuple[ToBring, ...]:
    """What was lacking, in the order in which it will be asked for; nothing where the city was."""
    if reason in _NOT_THE_CITIZENS:
        return ()
    wanted: list[ToBring] = []
    for step in missing_steps(case):
        match step:
            case Step.IDENTITY:
                wanted.append(ToBring.IDENTITY_DOCUMENTS)
            case Step.PROXY:
                wanted += _of_proxy(case)
            case Step.OLD_CARD:
                wanted.append(ToBring.OLD_CARD)
            case _:
                pass
    if reason is DeferReason.INQUIRY_LETTER:
        wanted.append(ToBring.SEALED_REPLY)
    if case.procedure is Procedure.CERTIFICATE_RENEWAL:
        wanted.append(ToBring.CARD)
    return tuple(dict.fromkeys(wanted))


def _of_proxy(case: VisitCase) -> list[ToBring]:
    come = case.checklist.done[Step.PROXY]
    identity = [] if come.documents else [ToBring.PROXY_IDENTITY]
    return identity + [_OF_PAPER[Paper(paper)] for paper in lacking(case)]
