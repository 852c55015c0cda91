"""What a year's city tells of its sites, for benchmarks of reporting: plans, seats and searches.

Every site tells its free seats once a morning for both procedures, sixty days each. Searches are
told by the minute (their rows are never folded) over the last days alone: no page sums more.
"""

from datetime import date, datetime, time, timedelta

from services.reporting.handlers import first_free
from services.reporting.store import searches
from services.reporting.store.site_days import Days
from shared.calendar import business_date
from shared.contracts.base import Procedure
from shared.contracts.place import Acceptance, OpeningHours, Site, SiteKind, Weekday
from shared.db import Connection
from simulation.places import site_ids
from tests.contracts.samples import SITE

WARDS, SEARCHED_DAYS = 7, 14

_SITE = """
INSERT INTO site_version VALUES ($1, $2, 1, gen_random_uuid(), $3::jsonb)
"""
_SITE_FACT = """
INSERT INTO site_fact VALUES ($1, $1, $1, $2, $3, 'open', '2025-04-01', NULL, $4, 1,
                              gen_random_uuid())
"""
# Full for a week or two, which differs by site and day; then more and more is free.
_TOLD = """
INSERT INTO free_told (told_event, site_id, procedure, told_at, told_sequence, first_day, free)
SELECT gen_random_uuid(), site, procedure, at, 1, (at AT TIME ZONE 'Asia/Tokyo')::date,
       ARRAY(SELECT CASE WHEN number % 7 < 5
                         THEN greatest(0, number - 5 - abs(hashtext(site || at)) % 10) END
             FROM generate_series(0, 60) AS number)
FROM unnest($1::text[]) AS site,
     unnest('{card_issuance,certificate_renewal}'::text[]) AS procedure,
     generate_series($2::timestamptz + interval '30 minutes', $3::timestamptz, interval '1 day')
         AS at
"""
# Two processes, twelve hours a day: a line for each ward (and for who names none) and procedure,
# every tenth of one site alone.
_SEARCHED = """
INSERT INTO search_count (
    told_event, line, business_date, ward, procedure, site_id, searched, refused
)
SELECT gen_random_uuid(), line, day::date,
       CASE WHEN ward < $4 THEN (131000 + ward)::text END,
       ('{card_issuance,certificate_renewal}'::text[])[1 + line],
       CASE WHEN minute % 10 = 0 THEN ($1::text[])[1 + minute % 14] END, 4, minute % 4
FROM generate_series($2::date, $3::date, interval '1 day') AS day,
     generate_series(1, 2 * 720) AS minute, generate_series(0, $4::int) AS ward,
     generate_series(0, 1) AS line
"""


async def tell(conn: Connection, start: datetime, until: datetime) -> None:
    """The sites and all that they told from ``start``, a midnight, to ``until``."""
    sites, last = list(site_ids()), business_date(until)
    for number, site_id in enumerate(sites):
        site = _site(number, site_id)
        await conn.execute(_SITE, site_id, start, site.model_dump_json())
        await conn.execute(_SITE_FACT, site_id, site.kind, site.ward, start)
    await conn.execute(_TOLD, sites, start, until)
    first = last - timedelta(days=SEARCHED_DAYS - 1)
    await conn.execute(_SEARCHED, sites, first, last, WARDS)


async def require_told(conn: Connection, days: Days) -> None:
    """Fail unless every evening knows how soon each ward finds a seat."""
    found = first_free.of_wards(await first_free.known(conn, days))
    count = (days.last - days.first).days + 1
    assert len(found) == count * WARDS * len(Procedure)
    assert all(each.days is not None for each in found)


async def require_searched(conn: Connection, day: date) -> None:
    """Fail unless a day's searches are there for every ward, both procedures."""
    found = await searches.sums(conn, Days(day, day), "ward")
    assert len(found) == (WARDS + 1) * len(Procedure)
    assert all(0 < each.refused < each.searched for each in found)


def _site(number: int, site_id: str) -> Site:
    week = [day for day in Weekday if day not in (Weekday.SATURDAY, Weekday.SUNDAY)]
    hours = tuple(OpeningHours(weekday=day, opens=time(9), closes=time(17)) for day in week)
    kind = SiteKind.WARD_OFFICE if number < WARDS else SiteKind.SATELLITE
    accepts = tuple(Acceptance(procedure=each) for each in Procedure)
    return SITE.model_copy(
        update={
            "site_id": site_id,
            "ward": str(131000 + number % WARDS),
            "kind": kind,
            "hours": hours,
            "staff": (),
            "exceptions": (),
            "acceptance": accepts,
            "closes_on": None,
            "opens_on": date(2025, 4, 1),
            "latitude": 35.53 + number * 0.01,
        }
    )
