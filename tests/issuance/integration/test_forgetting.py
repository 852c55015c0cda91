"""Why a proxy came is forgotten in time; that one came, and how it was proved, stays."""

import json
from datetime import timedelta
from uuid import uuid4

from services.issuance.domain.conflict import Entry, set_aside
from services.issuance.handlers.forgetting import proxy_reasons_of
from shared.clock import FixedClock
from shared.db import Database
from shared.security.principal import Principal
from tests.issuance.support import TEN, City, Clerk, ok, units

KEPT = timedelta(days=365)
PROXY = {
    "reason": "illness",
    "documents": [{"class": "A", "type": "passport"}],
    "papers": ["power_of_attorney"],
}
_JOURNAL = """
INSERT INTO journal (lease, occurred_at, actor, entry, told_at)
VALUES (1, $1, 'a', $2::jsonb, $1), (1, $1, 'a', $2::jsonb, NULL)
"""
_CONFLICT = """
INSERT INTO conflict (conflict_id, site_id, lease, code, state, raised_at, resolved_at)
VALUES ($1, 's', 1, 'card-void', 'dismissed', $3, $3), ($2, 's', 1, 'x', 'open', $3, NULL)
"""
_ROW = (
    "INSERT INTO conflict_row VALUES ($1, 1, 'a', $2::jsonb), ($1, 2, 'a', $3::jsonb),"
    " ($1, 3, 'a', '{\"verb\": \"call\"}')"
)
_ALL = """
SELECT result AS reason FROM case_step
UNION ALL SELECT entry ->> 'reason' FROM journal
UNION ALL SELECT coalesce(entry -> 'entry', entry) ->> 'reason' FROM conflict_row WHERE number < 3
ORDER BY 1
"""


async def test_the_reason_of_a_proxy_is_forgotten_wherever_it_is_kept(
    city: City, clerk: Clerk, database: Database, clock: FixedClock
) -> None:
    booking = await city.booking(await city.card())
    visit_id = ok(await clerk.check_in(booking_id=booking.booking_id))["visit_id"]
    ok(await clerk.call(visit_id))
    ok(await clerk.step(visit_id, booking.case_id, "proxy", PROXY))
    told = {"verb": "proxy", "visit_id": visit_id, "reason": "illness"}
    row, unread = json.dumps(told), json.dumps(set_aside(Entry(2, "a", told)).row)
    decided, open_ = uuid4(), uuid4()
    async with database.transaction() as conn:
        await conn.execute(_JOURNAL, TEN, row)
        await conn.execute(_CONFLICT, decided, open_, TEN)
        for conflict in (decided, open_):
            await conn.execute(_ROW, conflict, row, unread)

    work = proxy_reasons_of(KEPT)
    for days, forgotten in ((365, 0), (366, 4), (366, 0), (367, 0)):
        clock.set(TEN + timedelta(days=days))
        async with units(database, clock).begin(Principal.system("issuance")) as unit:
            assert await work(unit) == forgotten
    async with database.reader() as conn:
        found = [one["reason"] for one in await conn.fetch(_ALL)]
    assert found == ["illness"] * 3 + ["other"] * 4, "three are still needed"
    case = ok(await clerk.get(f"/v1/visits/{visit_id}"))["cases"][0]
    step = next(one for one in case["steps"] if one["step"] == "proxy")
    assert (step["result"], step["papers"]) == ("other", ["power_of_attorney"])
