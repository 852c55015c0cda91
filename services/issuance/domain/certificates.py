"""The renewal of e-certificates: which state each is in, who may have what done, and in what order.

Sources: the brief (e-certificate rules); 公的個人認証サービス（J-LIS）: the signing PIN locks after
five wrong entries, that of user authentication after three; a proxy with a sealed reply to the
inquiry letter (照会書兼回答書), a valid certificate and its right PIN is served the same day, every
other proxy in two visits. States are results that a clerk enters; no PIN or number comes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from services.issuance.domain.checklist import Paper, StepDone
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure
from shared.errors import Conflict, Text


class CertificateState(StrEnum):
    """What the terminal says of a certificate."""

    NONE = "none"
    VALID = "valid"
    RENEWABLE = "renewable"
    """Valid, and within three months of its end."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    LOCKED = "locked"


class LetterState(StrEnum):
    """Where the inquiry letter of a proxy is."""

    NONE = "none"
    TO_MAIL = "to_mail"
    MAILED = "mailed"
    RETURNED = "returned"


class Task(StrEnum):
    """What comes next in a renewal."""

    STATES = "states"
    RESET_PIN = "reset_pin"
    CONFIRM_PIN = "confirm_pin"
    WRITE = "write"
    ASK_LETTER = "ask_letter"
    AWAIT_LETTER = "await_letter"
    DONE = "done"


class Switch(StrEnum):
    """The citizen's answer to the offer of a next-generation card."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


WRONG_PINS: Mapping[Certificate, int] = MappingProxyType(
    {Certificate.SIGNING: 5, Certificate.USER_AUTHENTICATION: 3}
)
"""So many wrong entries in a row lock a certificate."""
_USABLE = frozenset({CertificateState.VALID, CertificateState.RENEWABLE})


@dataclass(frozen=True, slots=True)
class Status:
    """A certificate as entered, and the wrong PINs since then."""

    state: CertificateState
    wrong_pins: int = 0


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal over all its visits. ``statuses`` is empty until the states were entered.

    ``sealed_reply`` is whether a proxy has brought one; ``is_pin_right`` whether the PIN was
    entered right, or set, in this visit.
    """

    statuses: Mapping[Certificate, Status] = field(default_factory=lambda: MappingProxyType({}))
    by_proxy: bool = False
    sealed_reply: bool = False
    is_pin_right: bool = False
    letter: LetterState = LetterState.NONE
    written: frozenset[Certificate] = frozenset()
    failed: CertificateFailure | None = None
    switch: Switch | None = None

    @property
    def locked(self) -> frozenset[Certificate]:
        """The certificates whose PIN has to be reset."""
        return frozenset(
            which
            for which, status in self.statuses.items()
            if status.state is CertificateState.LOCKED and which not in self.written
        )

    @property
    def is_answered(self) -> bool:
        """Whether the citizen has confirmed the proxy: the letter that was mailed has come back."""
        return self.letter is LetterState.RETURNED


class StatesMissing(Conflict):
    """Nobody has entered in which state the certificates are."""

    slug = "certificate-states-missing"
    title = Text("The states of the certificates are missing", "電子証明書の状態が未入力です")
    remedy = Text(
        "Read them at the terminal and enter them.", "端末で確認し、状態を入力してください。"
    )


class CertificateLocked(Conflict):
    """A locked certificate is neither tried nor written before its PIN was reset."""

    slug = "certificate-locked"
    title = Text("A certificate is locked", "電子証明書がロックされています")
    remedy = Text(
        "Let the citizen reset the PIN of those in locked.",
        "locked の暗証番号を本人に再設定していただいてください。",
    )


class NotLocked(Conflict):
    """Only the PIN of a locked certificate is reset."""

    slug = "certificate-not-locked"
    title = Text("This certificate is not locked", "この電子証明書はロックされていません")
    remedy = Text("Go on with the next task.", "次の手順に進んでください。")


class TwoVisitsNeeded(Conflict):
    """This proxy cannot be served today."""

    slug = "two-visits-needed"
    title = Text(
        "This proxy has to come a second time, with the reply to the inquiry letter",
        "代理人による手続は、照会書の回答をお持ちいただく2回目の来庁が必要です",
    )
    remedy = Text(
        "Ask for the inquiry letter and let the proxy come again with the sealed reply.",
        "照会書の送付を依頼し、回答書を持って再来庁するよう案内してください。",
    )


class NoLetterNeeded(Conflict):
    """The citizen is here, or the letter waits to be mailed, or it has come back."""

    slug = "no-letter-needed"
    title = Text("No inquiry letter is needed", "照会書の送付は不要です")
    remedy = Text("Go on with the next task.", "次の手順に進んでください。")


def in_visit(renewal: Renewal, come: StepDone | None, *, is_pin_right: bool) -> Renewal:
    """The renewal as it stands in a visit; ``come`` is what was noted of a proxy."""
    return answered(
        replace(
            renewal,
            by_proxy=come is not None,
            sealed_reply=come is not None and Paper.SEALED_REPLY in come.papers,
            is_pin_right=is_pin_right,
        )
    )


def may_serve(renewal: Renewal) -> bool:
    """Whether it can be done today: in person; or by a proxy with a sealed reply and certificates
    that hold; or by a proxy whose letter has come back.
    """
    if not renewal.by_proxy or renewal.is_answered:
        return True
    usable = bool(renewal.statuses) and all(
        status.state in _USABLE for status in renewal.statuses.values()
    )
    return renewal.sealed_reply and usable


def next_task(renewal: Renewal) -> Task:
    """What comes next."""
    if renewal.written == frozenset(Certificate):
        return Task.DONE
    if not renewal.statuses:
        return Task.STATES
    if not may_serve(renewal):
        under_way = renewal.letter in (LetterState.TO_MAIL, LetterState.MAILED)
        return Task.AWAIT_LETTER if under_way else Task.ASK_LETTER
    if renewal.locked:
        return Task.RESET_PIN
    return Task.WRITE if renewal.is_pin_right else Task.CONFIRM_PIN


def entered(renewal: Renewal, states: Mapping[Certificate, CertificateState]) -> Renewal:
    """The states are read; entering them again replaces them, wrong PINs included."""
    return replace(
        renewal, statuses={which: Status(states[which]) for which in Certificate}, failed=None
    )


def wrong_pin(renewal: Renewal, which: Certificate) -> Renewal:
    """A wrong PIN was entered; the last that is allowed locks the certificate.

    Raises ``StatesMissing`` and ``CertificateLocked``.
    """
    status = _status(renewal, which)
    if status.state is CertificateState.LOCKED:
        raise CertificateLocked(extras={"locked": sorted(renewal.locked)})
    wrong = status.wrong_pins + 1
    state = CertificateState.LOCKED if wrong >= WRONG_PINS[which] else status.state
    return _with(renewal, which, Status(state, wrong))


def pin_reset(renewal: Renewal, which: Certificate) -> Renewal:
    """The citizen has set a new PIN, or the reply of the citizen lets a proxy do it.

    Raises ``StatesMissing``, ``NotLocked`` and ``TwoVisitsNeeded``.
    """
    if _status(renewal, which).state is not CertificateState.LOCKED:
        raise NotLocked
    if renewal.by_proxy and not renewal.is_answered:
        raise TwoVisitsNeeded
    return _with(renewal, which, Status(CertificateState.VALID))


def require_writable(renewal: Renewal) -> None:
    """Raise unless certificates may be written now.

    Of a citizen who is here the states need not be entered. Raises ``StatesMissing``,
    ``TwoVisitsNeeded`` and ``CertificateLocked``.
    """
    if renewal.by_proxy and not renewal.statuses:
        raise StatesMissing
    if not may_serve(renewal):
        raise TwoVisitsNeeded
    if renewal.locked:
        raise CertificateLocked(extras={"locked": sorted(renewal.locked)})


def failed(
    renewal: Renewal,
    which: frozenset[Certificate],
    reason: CertificateFailure,
    written: frozenset[Certificate],
) -> Renewal:
    """Writing broke off; what was ``written`` before stays so, and the rest can be resumed."""
    after = replace(renewal, failed=reason, written=renewal.written | (written - which))
    if reason is not CertificateFailure.PIN_LOCKED:
        return after
    for one in sorted(which - after.written):
        after = _with(after, one, Status(CertificateState.LOCKED, WRONG_PINS[one]))
    return after


def wrote(renewal: Renewal, which: frozenset[Certificate]) -> Renewal:
    """Certificates were written. Raises as ``require_writable`` does."""
    require_writable(renewal)
    return recorded(renewal, which)


def recorded(renewal: Renewal, which: frozenset[Certificate]) -> Renewal:
    """Certificates were written, whether they might have been or not."""
    return replace(renewal, written=renewal.written | which, failed=None)


def letter_asked(renewal: Renewal) -> Renewal:
    """The first of two visits ends with an inquiry letter; one that was lost is mailed again.

    Raises ``NoLetterNeeded``.
    """
    asked = renewal.letter in (LetterState.TO_MAIL, LetterState.RETURNED)
    if asked or not renewal.by_proxy or (renewal.statuses and may_serve(renewal)):
        raise NoLetterNeeded
    return replace(renewal, letter=LetterState.TO_MAIL)


def answered(renewal: Renewal) -> Renewal:
    """The letter that was mailed has come back; of any other reply nothing changes."""
    if renewal.sealed_reply and renewal.letter is LetterState.MAILED:
        return replace(renewal, letter=LetterState.RETURNED)
    return renewal


def _status(renewal: Renewal, which: Certificate) -> Status:
    status = renewal.statuses.get(which)
    if status is None:
        raise StatesMissing
    return status


def _with(renewal: Renewal, which: Certificate, status: Status) -> Renewal:
    return replace(renewal, statuses={**renewal.statuses, which: status})
