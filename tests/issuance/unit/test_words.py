"""The screen has a word for everything it may show, in both languages, and each word one place."""

from enum import StrEnum

import pytest

from services.issuance.api.desk_words import DESK_WORDS
from services.issuance.api.words import WORDS, speaker
from services.issuance.domain.certificates import CertificateState, Task
from services.issuance.domain.checklist import OldCard, Paper, ProxyReason
from services.issuance.domain.national_system import StopReason
from services.issuance.handlers.certificates import After
from shared.contracts.base import Certificate
from shared.contracts.issuance import CertificateFailure, DeferReason


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        (CertificateState, ""),
        (Certificate, ""),
        (CertificateFailure, ""),
        (DeferReason, ""),
        (OldCard, ""),
        (Paper, ""),
        (ProxyReason, ""),
        (StopReason, ""),
        (Task, "task_"),
        (After, "after_"),
    ],
)
def test_every_value_has_its_word(kind: type[StrEnum], before: str) -> None:
    ja, en = speaker("ja"), speaker("en")
    for value in kind:
        assert ja(before + value)
        assert en(before + value)


def test_no_word_hides_another() -> None:
    assert set(WORDS) & set(DESK_WORDS) == set()
