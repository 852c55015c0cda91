"""Whatever answers in the place of headquarters, a satellite goes on and tries again."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.issuance import post
from services.issuance.api.batch_bodies import JournalEntry
from services.issuance.credentials import FixedToken
from services.issuance.domain.conflict import Entry
from services.issuance.gateways import (
    Headquarters,
    HeadquartersError,
    LeaseRefusedError,
    NotUnderstoodError,
)
from services.issuance.handlers.telling import Teller
from services.issuance.post import JournalMetrics
from shared.ids import SiteId
from shared.unit import Units

SITE = SiteId("saginuma")
ENTRIES = [Entry(1, "staff:clerk", {"verb": "call"})]
CHECKLIST: dict[str, Any] = {
    "version": 2,
    "valid_from": "2027-04-01",
    "documents": {"A": ["passport"], "B": []},
    "steps": [
        {
            "procedure": "card_issuance",
            "kind": "new",
            "step": "identity",
            "rule": "always",
            "accepts": [],
        }
    ],
    "published_at": "2027-03-01T00:00:00Z",
    "published_by": "staff:super",
}


def headquarters(answer: httpx.Response) -> Headquarters:
    """Headquarters that always answer this."""
    transport = httpx.MockTransport(lambda _: answer)
    http = httpx.AsyncClient(transport=transport, base_url="http://hq")
    return Headquarters(http, FixedToken("token"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Sign in to the network</html>"),
        httpx.Response(200, json=["something"]),
        httpx.Response(200, json={"something": "else"}),
        httpx.Response(302, headers={"location": "http://portal/"}),
        httpx.Response(502, text="bad gateway"),
        httpx.Response(500, json=["something"]),
    ],
)
async def test_what_is_no_answer_of_headquarters_is_an_error_of_the_line(
    answer: httpx.Response,
) -> None:
    for asked in (
        headquarters(answer).lease(SITE, UUID(int=1)),
        headquarters(answer).tell(SITE, 1, ENTRIES),
        headquarters(answer).checklist(2),
    ):
        with pytest.raises(HeadquartersError) as raised:
            await asked
        assert not isinstance(raised.value, LeaseRefusedError | NotUnderstoodError)


async def test_a_checklist_is_read_or_there_is_none_yet() -> None:
    found = await headquarters(httpx.Response(200, json=CHECKLIST)).checklist(2)
    assert found is not None
    assert (found.version, found.published_at) == (2, datetime(2027, 3, 1, tzinfo=UTC))
    assert [len(steps) for steps in found.steps.values()] == [1]
    missing = httpx.Response(404, json={"type": "urn:madoguchi:problem:checklist-not-known"})
    assert await headquarters(missing).checklist(2) is None
    elsewhere = httpx.Response(404, json={"type": "urn:madoguchi:problem:not-found"})
    with pytest.raises(HeadquartersError):
        await headquarters(elsewhere).checklist(2)


@pytest.mark.parametrize(
    "changes",
    [{"steps": [{**CHECKLIST["steps"][0], "step": "iris-scan"}]}, {"documents": ["passport"]}],
)
async def test_a_checklist_with_words_of_a_later_release_is_not_taken(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(HeadquartersError, match="checklist 2"):
        await headquarters(httpx.Response(200, json={**CHECKLIST, **changes})).checklist(2)


def test_everybody_whom_a_provider_can_name_may_be_told_of() -> None:
    """OpenID Connect Core 1.0, section 2: ``sub`` has up to 255 ASCII characters."""
    assert JournalEntry(number=1, actor=f"staff:{'a b' * 85}").number == 1


class _Ended(BaseException):
    """The test has seen enough."""


async def test_neither_line_nor_database_ends_the_telling(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[int | BaseException] = [
        *(HeadquartersError("not reached"), ConnectionResetError()),
        *(3, 0, _Ended()),
    ]
    slept = []

    async def round_(_: Teller) -> int:
        end = ends.pop(0)
        if isinstance(end, BaseException):
            raise end
        return end

    async def measure(*_: object) -> None:
        return None

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(Teller, "round", round_)
    monkeypatch.setattr(JournalMetrics, "measure", measure)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    teller, figures = Teller.__new__(Teller), JournalMetrics.__new__(JournalMetrics)
    with pytest.raises(_Ended):
        await post.tell(teller, Units.__new__(Units), figures)
    assert slept == [0.2, 0.4, post.IDLE_SECONDS]
