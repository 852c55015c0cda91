"""Which language an Accept-Language header asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.language import negotiate


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA", "ja"),
        ("ja,en;q=0.8", "ja"),
        ("en,ja;q=0.9", "en"),
        ("en;q=0.3, ja;q=0.7", "ja"),
        ("fr, ja;q=0.5, *;q=0.1", "ja"),
        ("fr, *;q=0.5", "en"),
        ("ja;q=0", "en"),
        ("ja;q=nonsense", "en"),
        ("de", "en"),
    ],
)
def test_the_heavier_language_wins(header: str | None, language: str) -> None:
    assert negotiate(header) == language


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    assert negotiate(header) in {"en", "ja"}
