"""Who may see what: figures for the staff who steer, cases at one's own sites, the page for all."""

import pytest

from tests.reporting.conftest import Reporting
from tests.reporting.histories import SITES

FIGURES = ("/v1/reports/monthly", "/v1/reports/totals")
CASES = "/v1/reports/cases?month=2026-04"


@pytest.mark.parametrize("who", ["planner", "supervisor", "back_office", "auditor"])
async def test_those_who_steer_see_figures_and_cases(reporting: Reporting, who: str) -> None:
    for path in (*FIGURES, CASES):
        assert (await reporting.get(path, who)).status_code == 200


@pytest.mark.parametrize(("who", "status"), [("clerk", 403), ("citizen", 403), (None, 401)])
async def test_others_do_not(reporting: Reporting, who: str | None, status: int) -> None:
    for path in (*FIGURES, CASES):
        assert (await reporting.get(path, who)).status_code == status


async def test_cases_are_shown_at_one_s_own_site_only(reporting: Reporting) -> None:
    assert (await reporting.get(f"{CASES}&site_id={SITES[0]}", "own")).status_code == 200
    assert (await reporting.get(f"{CASES}&site_id={SITES[1]}", "own")).status_code == 403
    assert (await reporting.get(CASES, "own")).status_code == 403
    assert (await reporting.get(FIGURES[0], "own")).status_code == 200


@pytest.mark.parametrize("who", [None, "citizen", "clerk"])
async def test_the_page_is_public(reporting: Reporting, who: str | None) -> None:
    assert (await reporting.get("/dashboard", who)).status_code == 200


async def test_the_start_leads_to_the_page(reporting: Reporting) -> None:
    answer = await reporting.get("/?lang=ja", None)
    assert (answer.status_code, answer.headers["location"]) == (307, "dashboard?lang=ja")
