"""Lists and look-ups of the citizens' side read what they show, however much has gathered."""

from collections.abc import Sequence
from datetime import timedelta

from services.reservation.store import contacts, fair_use, messages, phone_list
from shared.db import Database
from tests.reservation.support import SITE, case

MANY = """
INSERT INTO message (message_id, dedupe_key, kind, case_id, site_id, facts, state, created_at)
SELECT gen_random_uuid(), n::text, 'confirmed', gen_random_uuid(), 'site-' || n % 20, '{}', 'sent',
       now() + make_interval(secs => n)
FROM generate_series(1, 40000) AS n;
INSERT INTO phone_entry (entry_id, case_id, site_id, about, reason, facts, added_at, done_at,
                         outcome)
SELECT gen_random_uuid(), gen_random_uuid(), 'site-' || n % 20, 'moved', 'bounced', '{}', now(),
       CASE WHEN n % 10 > 0 THEN now() END, CASE WHEN n % 10 > 0 THEN 'reached' END
FROM generate_series(1, 40000) AS n;
INSERT INTO contact (contact_id, is_login, address_key, language, verified_at, created_at)
SELECT gen_random_uuid(), true, 'key-' || n, 'ja', now(), now() FROM generate_series(1, 20000) AS n;
INSERT INTO case_contact SELECT gen_random_uuid(), contact_id FROM contact;
INSERT INTO login_request (request_id, address_keys, sealed_email, language, expires_at)
SELECT gen_random_uuid(), ARRAY['key'], 'x', 'ja', now() + interval '1 hour'
FROM generate_series(1, 20000);
INSERT INTO fair_use SELECT 'key-' || n, now(), 1 FROM generate_series(1, 20000) AS n;
ANALYZE;
"""
QUERIES: dict[str, tuple[str, Sequence[object]]] = {
    "log of a site": (messages._PAGE, (SITE, None, None, None, None, 51)),
    "log of a case": (messages._PAGE, (None, None, case("mine"), None, None, 51)),
    "calls of a site": (phone_list._PAGE, (SITE, None, None, 51)),
    "contact of a case": (contacts._OF_CASES, ([case("mine")],)),
    "login of an address": (contacts._LOGIN, (["key-1", "key-2"],)),
    "old login requests": (contacts._OLD_REQUESTS, (200,)),
    "old counters": (fair_use._PURGE, (200,)),
    "counting": (fair_use._COUNT, (["key-1"], [timedelta(minutes=15)])),
}


async def test_no_query_reads_a_table_from_end_to_end(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute(MANY)
        for name, (query, values) in QUERIES.items():
            rows = await conn.fetch(f"EXPLAIN {query}", *values)
            plan = "\n".join(row[0] for row in rows)
            assert "Seq Scan" not in plan, f"{name}\n{plan}"
