"""A My Number comes in by no door, however it is written, and is kept and logged nowhere."""

import logging
from collections.abc import Mapping, Sequence

import httpx
import pytest

from shared.db import Database
from shared.security.my_number import check_digit
from tests.preparation.support import bearer, dump, lot_csv, row

ELEVEN = [2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
DIGITS = "".join(map(str, [*ELEVEN, check_digit(ELEVEN)]))
WIDE = DIGITS.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
FORMS = (
    DIGITS,
    WIDE,
    " ".join((DIGITS[:4], DIGITS[4:8], DIGITS[8:])),
    "-".join((DIGITS[:4], DIGITS[4:8], DIGITS[8:])),
    "\uff0d".join((WIDE[:4], WIDE[4:8], WIDE[8:])),
    "\u3000".join((WIDE[:4], DIGITS[4:8], WIDE[8:])),
    f'="{DIGITS}"'.replace('"', ""),
    f"{DIGITS}様",
)
REFUSED = "urn:madoguchi:problem:my-number-refused"
LOT_COLUMNS = tuple(row())


def changes_csv(form: str) -> bytes:
    """A registry change whose address holds a number."""
    cells = ("R-1", "KC26-000001", "name_or_address_changed", "2026-04-01", "山田", form)
    header = "change_reference,card_reference,kind,effective_on,name,address"
    return f"{header}\r\n{','.join(cells)}\r\n".encode()


def nowhere(texts: Sequence[str]) -> bool:
    """Whether no text holds the number in any form, or its parts beside each other."""
    parts = (DIGITS, WIDE, DIGITS[:8], WIDE[:8], *FORMS)
    return not any(part in text for part in parts for text in texts)


@pytest.fixture(autouse=True)
def _all_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "httpx")  # the caller's own


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
async def test_in_a_file_it_sets_its_row_aside(
    client: httpx.AsyncClient,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    encoding: str,
) -> None:
    answers = []
    columns = (*LOT_COLUMNS, "name")
    rows = [row(n, name=form) for n, form in enumerate(FORMS, 1)]
    lots = lot_csv([*rows, row(99, name="山田")], columns)
    manifests = "lot,cards,shipped_on\r\n" + "".join(f"{f},1,2026-04-01\r\n" for f in FORMS)
    files = [
        ("/v1/lots", lots),
        ("/v1/lots?dry_run=true", lots.replace(b"KC26-000099", b"KC26-000098")),
        ("/v1/manifests", manifests.encode()),
        *(("/v1/registry-changes/files", changes_csv(form)) for form in FORMS),
    ]
    for path, body in files:
        sent = body.decode().encode(encoding)
        answer = await client.post(path, content=sent, headers=bearer())
        assert answer.status_code in (200, 201), answer.text
        codes = [result["code"] for result in answer.json()["results"]]
        assert codes[: len(FORMS)] == ["my_number"] * min(len(FORMS), len(codes))
        answers.append(answer.text)
    assert nowhere([*answers, caplog.text, await dump(database)])


async def test_at_any_other_door_it_is_refused(
    client: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    answers = []
    for form in FORMS:
        doors: Sequence[tuple[str, str, Mapping[str, object]]] = (
            ("GET", "/v1/cards", {"params": {"lot_id": form}}),
            ("GET", "/v1/lots", {"params": {form: "x"}}),
            ("GET", f"/v1/lots/{form}", {}),
            ("POST", "/v1/registry-changes", {"json": {"changes": [{"name": form}]}}),
            ("POST", "/v1/registry-changes", {"json": {form: 1}}),
            ("POST", "/v1/stages/inspected", {"json": {"card_references": [form]}}),
        )
        for method, path, sent in doors:
            answer = await client.request(method, path, headers=bearer(), **sent)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["type"]) == (422, REFUSED), (path, form)
            answers.append(answer.text)
    number = await client.post(
        "/v1/stages/inspected", json={"lot_id": int(DIGITS)}, headers=bearer()
    )
    assert number.json()["type"] == REFUSED
    assert nowhere([*answers, number.text, caplog.text, await dump(database)])


async def test_in_a_header_it_is_refused_or_forgotten(
    client: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    keyed = await client.post(
        "/v1/assignments", json={"case_ids": []}, headers=bearer(**{"Idempotency-Key": DIGITS})
    )
    body = {"lot_id": "L1"}
    notices = await client.post(
        "/v1/notices", json=body, headers=bearer(**{"Idempotency-Key": f"no {FORMS[3]}"})
    )
    assert (notices.status_code, notices.json()["type"]) == (422, REFUSED)
    assert notices.json()["errors"][0]["field"] == "Idempotency-Key"
    passed_over = {
        "Content-Disposition": f'attachment; filename="{DIGITS}.csv"',
        "User-Agent": DIGITS,
        "Referer": f"http://x/{DIGITS}",
        "X-Request-Id": DIGITS,
    }
    named = await client.post("/v1/lots", content=lot_csv([row(1)]), headers=bearer(**passed_over))
    assert named.status_code == 201
    header = await client.post(
        "/v1/lots", content=lot_csv([row(2)]).replace(b"kind", DIGITS.encode()), headers=bearer()
    )
    assert header.status_code == 422
    answers = [answer.text for answer in (keyed, notices, named, header)]
    assert nowhere([*answers, caplog.text, await dump(database)])


async def test_json_without_its_type_is_no_way_around(
    client: httpx.AsyncClient, database: Database
) -> None:
    body = f'{{"card_references": ["{DIGITS}"]}}'.encode()
    for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-json+x"}):
        answer = await client.post("/v1/stages/inspected", content=body, headers=bearer(**kind))
        assert answer.status_code == 422
        assert nowhere([answer.text, await dump(database)])
