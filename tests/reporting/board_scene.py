"""A room in the middle of a day with something on every page of its dashboard.

The day of ``day_story`` at two sites; before it a quarter in which procedures were completed beside
their forecast, and cards on their way through preparation; alerts that stand, and processes that
answer, are behind, or are silent.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.reporting.api import build
from services.reporting.handlers import alert_history
from services.reporting.handlers.alerts import Watch
from shared.calendar import BusinessCalendar
from shared.contracts.base import CaseEvent, Event
from shared.contracts.preparation import CardApplied, CardShipped
from shared.contracts.site import SiteOpened
from shared.http.resources import Resources
from shared.security.principal import Principal
from tests.contracts.samples import SAMPLES
from tests.reporting.conftest import Reporting, authenticate, bearer
from tests.reporting.day_story import CENTER, DAY, at, story
from tests.reporting.histories import CARD, RENEWAL, SITES, WARDS, case_of, done, opened, told
from tests.support.browser import served
from tests.support.messaging import metrics

_STEPS = ("received", "inspected", "registry_checked", "preset", "shelved", "notified")
_DONE = {4: (14, 9), 5: (11, 12), 6: (15, 10), 7: (6, 5)}
_EXPECTED = ((4, 14), (5, 13), (6, 11), (7, 15), (8, 16), (9, 12), (10, 13), (11, 11), (12, 10))
_METRICS = """madoguchi_consumer_lag{{topic="a",partition="0"}} {lag}
madoguchi_dead_letters {dead}
madoguchi_parked_messages {dead}
madoguchi_outbox_unpublished 3
madoguchi_outbox_oldest_age_seconds 1.5
"""


async def scene(reporting: Reporting) -> None:
    """Let all of it have happened; it is 10:45."""
    happened = [each for each in story() if not _is_center(each.event)]
    await reporting.hear([*happened, *told(_center()), *told(_cards())])
    for month, counts in _DONE.items():
        for first, number, procedure in zip((0, 500), counts, (CARD, RENEWAL), strict=True):
            await reporting.hear(
                done(
                    1000 * month + first + each,
                    at(9 + each % 8, day=date(2026, month, 1 + each % 12)),
                    procedure=procedure,
                    ward=WARDS[each % 2],
                    site_id=SITES[(each // 2) % 2],
                )
                for each in range(number)
            )
    rows = [
        f"2026-{month:02},{service},forecast,{number}"
        for month, number in _EXPECTED
        for service in (CARD, RENEWAL)
    ]
    answer = await reporting.client.post(
        "/v1/forecasts:import?name=plan",
        content="\n".join(["month,service,basis,count", *rows]),
        headers=bearer("planner") | {"Content-Type": "text/csv", "Idempotency-Key": "scene"},
    )
    assert answer.is_success, answer.text
    reporting.clock.set(at(11, 15))
    async with reporting.units.begin(Principal.system("reporting")) as unit:
        await alert_history.look(unit, Watch(DAY, 0.15, BusinessCalendar()))
    reporting.clock.set(at(11, 20))


@asynccontextmanager
async def with_processes(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The room's app made anew, beside processes that tell of themselves."""

    async def tell(request: Request) -> Response:
        room = request.path_params["room"]
        return PlainTextResponse(_METRICS.format(lag=len(room), dead=int(room == "issuance")))

    async with served(Starlette(routes=[Route("/{room}", tell)])) as address:
        names = {f"{room}-consume": f"{address}/{room}" for room in ("preparation", "issuance")}
        names["reporting-relay"] = "http://127.0.0.1:9/metrics"
        urls = ",".join(f'"{name}": "{url}"' for name, url in names.items())
        monkeypatch.setenv("MADOGUCHI_REPORTING_METRICS_URLS", f"{{{urls}}}")
        reporting.app = build(
            Resources(
                room="reporting",
                units=reporting.units,
                authenticate=authenticate,
                metrics=metrics(),
            )
        )
        yield


def _is_center(event: Event) -> bool:
    return isinstance(event, SiteOpened) and event.site.site_id == CENTER


def _center() -> list[tuple[Event, datetime, str]]:
    """The second site of the story, some kilometres away and for every ward."""
    (opening,) = [each for each in story() if _is_center(each.event)]
    assert isinstance(opening.event, SiteOpened)
    site = opening.event.site
    moved = {"latitude": site.latitude + 0.04, "longitude": site.longitude - 0.05}
    model = site.model_validate(site.model_dump() | moved | {"kind": "center"})
    return [(SiteOpened(site=model), opening.at, opening.topic)]


def _cards() -> list[tuple[Event, datetime, str]]:
    """Thirteen cards, each two steps or less behind the one before."""
    events: list[tuple[Event, datetime, str]] = []
    for number in range(13):
        case_id, begin = case_of(900 + number), date(2026, 6, 8 + number)
        events.append((opened(case_id, ward=WARDS[number % 2]), at(9, day=begin), "case"))
        applied = CardApplied(case_id=case_id, applied_on=begin)
        shipped = CardShipped(case_id=case_id, lot_id="SCENE", shipped_on=date(2026, 7, 1))
        events += [(each, at(9, day=date(2026, 7, 2)), "lot") for each in (applied, shipped)]
        for step, name in enumerate(_STEPS[: 1 + number // 2]):
            event = SAMPLES[f"card.{name}.v1"]
            assert isinstance(event, CaseEvent)
            happened = at(10, day=date(2026, 7, 3 + 2 * step))
            events.append((event.model_copy(update={"case_id": case_id}), happened, "desk"))
    return [(event, when, "preparation.events") for event, when, _ in events]
