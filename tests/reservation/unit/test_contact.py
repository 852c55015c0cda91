"""One way to write each address and number, and nothing that could steer a mail server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reservation.domain.contact import mailbox, normal_email, normal_phone
from shared.errors import RejectedValueError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("name@example.jp", "name@example.jp"),
        ("  Name.One+tag@Example.JP ", "Name.One+tag@example.jp"),
        ("ｎａｍｅ＠ｅｘａｍｐｌｅ．ｊｐ", "name@example.jp"),
        ("da..me.@docomo.ne.jp", "da..me.@docomo.ne.jp"),
    ],
)
def test_an_address_has_one_form(typed: str, kept: str) -> None:
    assert normal_email(typed) == kept
    assert normal_email(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "name",
        "name@",
        "@example.jp",
        "name@example",
        "name@@example.jp",
        "a b@example.jp",
        '"a b"@example.jp',
        "name@[192.0.2.1]",
        "name@-example.jp",
        "name@example.jp, other@example.jp",
        "name@example.jp\nBcc: other@example.jp",
        "<name@example.jp>",
        f"{'a' * 65}@example.jp",
        f"name@{'a.' * 130}jp",
        "山田@example.jp",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(RejectedValueError):
        normal_email(typed)


@given(st.text(max_size=60))
def test_whatever_is_kept_holds_no_line_break_or_separator(typed: str) -> None:
    try:
        kept = normal_email(f"{typed}@example.jp")
    except RejectedValueError:
        return
    assert not set(kept) & set('\r\n\0 ,;:<>()[]"\\')
    assert kept.isascii()
    assert mailbox(kept) == mailbox(kept.upper())


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("044-200-0000", "0442000000"),
        ("（044）200 0000", "0442000000"),
        ("０９０－１２３４－５６７８", "09012345678"),
        ("090ー1234ー5678", "09012345678"),
    ],
)
def test_a_number_has_one_form(typed: str, kept: str) -> None:
    assert normal_phone(typed) == kept


@pytest.mark.parametrize("typed", ["", "12", "+81442000000", "044-200-000", "044200000000", "04A"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(RejectedValueError):
        normal_phone(typed)
