"""What a table looks like to readers of the OpenAPI document: three forms, one example."""

from collections.abc import Mapping
from typing import Any

from shared.http.tables import in_files

MONTHLY: Mapping[str, Any] = {
    "columns": [
        {"key": "fiscal_year", "title": "Fiscal year from April"},
        {"key": "era_year", "title": "Fiscal year"},
        {"key": "basis", "title": "Basis"},
        {"key": "procedure", "title": "Procedure"},
        {"key": "label", "title": "Row"},
        {"key": "2026-04", "title": "Apr"},
        {"key": "total", "title": "Year"},
        {"key": "running", "title": "Month not over yet"},
    ],
    "rows": [
        {
            "fiscal_year": 2026,
            "era_year": "FY R8 (actual)",
            "basis": "actual",
            "procedure": "card_issuance",
            "label": "(1) Cards issued",
            "2026-04": 12556,
            "total": 148799,
            "running": "2027-03",
        }
    ],
}

TOTALS: Mapping[str, Any] = {
    "columns": [
        {"key": "date", "title": "Up to"},
        {"key": "ward", "title": "Ward of residence"},
        {"key": "applied", "title": "Applied"},
    ],
    "rows": [
        {
            "date": "2026-04-30",
            "ward": "131016",
            "applied": 1200,
            "shipped": 1100,
            "preset": 900,
            "issued": 700,
            "waiting_for_shipment": 100,
            "waiting_for_preset": 200,
            "waiting_for_issuance": 180,
            "ended": 20,
        }
    ],
}

STAGES: Mapping[str, Any] = {
    "columns": [
        {"key": "stage", "title": "Stage (code)"},
        {"key": "cards", "title": "Cards"},
        {"key": "days", "title": "Business days until it is empty"},
    ],
    "rows": [
        {
            "stage": "inspected",
            "label": "Inspected, for the registry check",
            "cards": 120,
            "oldest": "2026-04-28",
            "pace": 60.5,
            "days": 2,
        }
    ],
}

SITES: Mapping[str, Any] = {
    "columns": [
        {"key": "site_id", "title": "Site"},
        {"key": "waiting", "title": "Parties waiting"},
        {"key": "alarms", "title": "Alarms"},
    ],
    "rows": [{"site_id": "kawasaki-ward-office", "waiting": 7, "alarms": "long_wait"}],
}

TIMES: Mapping[str, Any] = {
    "columns": [
        {"key": "site_id", "title": "Site (sum: all)"},
        {"key": "wait_count", "title": "Wait, parties"},
        {"key": "wait_p90", "title": "Wait, p90 (minutes)"},
    ],
    "rows": [{"site_id": "kawasaki-ward-office", "wait_count": 112, "wait_p90": 14.5}],
}

FIRST_FREE: Mapping[str, Any] = {
    "columns": [
        {"key": "site_id", "title": "Site"},
        {"key": "procedure", "title": "Procedure"},
        {"key": "first_free", "title": "First free day"},
        {"key": "days", "title": "Days from today"},
    ],
    "rows": [
        {
            "site_id": "kawasaki-ward-office",
            "procedure": "card_issuance",
            "first_free": "2026-07-21",
            "days": 6,
        }
    ],
}

PLAN: Mapping[str, Any] = {
    "columns": [
        {"key": "service", "title": "Procedure"},
        {"key": "fiscal_year", "title": "Fiscal year from April"},
        {"key": "basis", "title": "Basis"},
        {"key": "04", "title": "Apr"},
        {"key": "total", "title": "Year"},
    ],
    "rows": [
        {
            "service": "card_issuance",
            "label": "(1) Cards issued",
            "fiscal_year": 2026,
            "basis": "forecast",
            "era_year": "FY R8 (forecast)",
            "04": 12556,
            "total": 148799,
        }
    ],
}

OPEN_DATA: Mapping[str, Any] = {
    "columns": [
        {"key": "code", "title": "Municipal code"},
        {"key": "month", "title": "Month"},
        {"key": "completed", "title": "Completed"},
        {"key": "hidden", "title": "Hidden"},
    ],
    "rows": [
        {
            "code": "131016",
            "name": "Chiyoda-ku",
            "month": "2026-04",
            "procedure": "card_issuance",
            "procedure_name": "Cards issued",
            "completed": None,
            "hidden": 1,
        }
    ],
}


def table(example: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that answers with a table."""
    told = "The report; send the ETag as If-None-Match to be spared a repetition."
    return {
        **in_files(told, {"example": example}),
        304: {"description": "You have it already."},
    }


def files() -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route whose JSON comes in pages and whose files hold all of it."""
    told = "A page in JSON, all lines in a file; send the ETag as If-None-Match to be spared it."
    return {**in_files(told), 304: {"description": "You have it already."}}
