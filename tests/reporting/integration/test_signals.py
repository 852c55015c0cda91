"""The figures that alerts look at are those of the reports."""

from services.reporting.signals import Signals
from shared.security.principal import Principal
from shared.telemetry.metrics import Metrics
from tests.reporting.conftest import Reporting
from tests.reporting.day_story import CENTER, OFFICE, at, story
from tests.reporting.histories import WARDS


async def test_they_follow_the_facts(reporting: Reporting) -> None:
    metrics = Metrics(service="reporting", role="consume")
    signals = Signals(metrics)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"madoguchi_reporting_{name}", labels)

    async def read() -> None:
        async with reporting.units.begin(Principal.system("reporting")) as unit:
            await signals.read(unit)

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
    assert value("signals_read_seconds") is not None
