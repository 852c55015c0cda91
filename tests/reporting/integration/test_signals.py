"""The figures that alerts look at are those of the reports."""

from datetime import date, timedelta

import pytest

from services.reporting.domain.alerts import Alert
from services.reporting.handlers import alerts
from services.reporting.handlers.alerts import Watch
from services.reporting.signals import Signals, once
from shared.calendar import BusinessCalendar
from shared.telemetry.metrics import Metrics
from shared.unit import Unit
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import CENTER, OFFICE, at, story
from tests.reporting.histories import WARDS


async def test_they_follow_the_facts(reporting: Reporting) -> None:
    metrics = Metrics(service="reporting", role="consume")
    signals = Signals(metrics)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"madoguchi_reporting_{name}", labels)

    async def read() -> None:
        await once(reporting.units, signals, 0.15, BusinessCalendar())

    await read()
    assert value("parties_waiting", site_id=OFFICE) is None
    assert value("cards_waiting", stage="received") == 0
    await reporting.hear(story())
    reporting.clock.set(at(11))
    await read()
    assert value("parties_waiting", site_id=OFFICE) == 1
    assert value("longest_wait_seconds", site_id=OFFICE) == 20 * 60
    assert value("counters_at_work", site_id=OFFICE) == 0
    assert value("cases_served", site_id=CENTER) == 0
    assert value("first_free_days", ward=WARDS[0], procedure="card_issuance") == 6
    assert value("first_free_days", ward=WARDS[0], procedure="certificate_renewal") is None
    assert value("signals_read_seconds")


async def test_they_are_old_while_alerts_are_not_written_down(
    reporting: Reporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_: Unit, __: Watch) -> list[Alert]:
        raise RuntimeError

    metrics = Metrics(service="reporting", role="consume")
    signals = Signals(metrics)
    with monkeypatch.context() as patch:
        patch.setattr(alerts, "DETECTORS", (fails,))
        with pytest.raises(RuntimeError):
            await once(reporting.units, signals, 0.15, BusinessCalendar())
    name = "madoguchi_reporting_signals_read_seconds"
    assert metrics.registry.get_sample_value(name) == 0
    await once(reporting.units, signals, 0.15, BusinessCalendar())
    assert metrics.registry.get_sample_value(name)


async def test_searches_are_forgotten_after_four_hundred_days(reporting: Reporting) -> None:
    await reporting.hear(story())
    asked = "SELECT count(*) FROM search_count"
    for days, left in ((400, 4), (401, 3), (402, 0)):
        reporting.clock.set(at(9, day=date(2026, 7, 13) + timedelta(days=days)))
        await once(
            reporting.units,
            Signals(Metrics(service="reporting", role="consume")),
            0.15,
            BusinessCalendar(),
        )
        async with reporting.database.reader() as conn:
            assert await conn.fetchval(asked) == left
