"""What a forecast starts from: the queues, who is invited, what comes, what was done, who works."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from services.preparation.domain.desks import Desk, Period
from services.preparation.domain.flow import Cohort, Notified, Waiting
from services.preparation.domain.stages import Stage
from shared.calendar import TOKYO
from shared.db import Connection
from shared.ids import WardCode

_LATE = timedelta(days=7)
"""How late the news of a hand-over may be behind other stages, at the very most."""


@dataclass(frozen=True, slots=True)
class Done:
    """How many cards came to a stage on a day, of a ward; ``received`` are arrivals."""

    stage: Stage
    ward: WardCode
    day: date
    cards: int


async def queues(conn: Connection) -> Waiting:
    """What waits at each desk, the longest here in front; what is on hold waits for none."""
    waiting: dict[Desk, list[Cohort]] = {desk: [] for desk in Desk}
    for row in await conn.fetch(_QUEUES):
        desk = Desk.for_stage(Stage(row["stage"]))
        if desk is not None:
            waiting[desk].append(Cohort(row["ward"], row["received_on"], row["cards"]))
    return waiting


async def invited(conn: Connection, today: date) -> Sequence[Notified]:
    """Those who may still book and have not, in the order of their notices."""
    return [
        Notified(row["ward"], row["received_on"], row["notified_on"], row["cards"])
        for row in await conn.fetch(_INVITED, today)
    ]


async def done(conn: Connection, since: date, until: date) -> Sequence[Done]:
    """What was done from ``since`` on and before ``until``, by stage, ward and day."""
    # A card's last stage is its latest (but for a hand-over heard of late): others did nothing.
    begin = datetime.combine(since, time.min, TOKYO) - _LATE
    rows = await conn.fetch(_DONE, begin, since, until)
    return [Done(Stage(row["stage"]), row["ward"], row["day"], row["cards"]) for row in rows]


async def first_day(conn: Connection) -> date | None:
    """The day on which the first card was received."""
    day: date | None = await conn.fetchval(_FIRST_DAY)
    return day


async def periods(conn: Connection) -> list[Period]:
    """Who works where from when, by desk and day."""
    rows = await conn.fetch(_PERIODS)
    found = [Period(Desk(row["desk"]), row["from_on"], float(row["people"])) for row in rows]
    return sorted(found, key=lambda period: (list(Desk).index(period.desk), period.from_on))


async def put_period(conn: Connection, period: Period) -> None:
    """Say who works at a desk from a day on; what was said of that day before is replaced."""
    await conn.execute(_PUT_PERIOD, period.desk, period.from_on, str(period.people))


async def remove_period(conn: Connection, desk: Desk, from_on: date) -> bool:
    """Take back what was said; False where nothing was."""
    return await conn.fetchval(_REMOVE_PERIOD, desk, from_on) is not None


_QUEUES = """
SELECT stage, ward, received_on, count(*)::float8 AS cards FROM card
WHERE stage IN ('received', 'inspected', 'registry_checked', 'preset', 'shelved') AND holds = 0
GROUP BY 1, 2, 3 ORDER BY 3, 2
"""
_INVITED = """
SELECT ward, notified_on, received_on, count(*)::float8 AS cards FROM card
WHERE stage = 'notified' AND holds = 0
  AND EXISTS (SELECT FROM notice n WHERE n.case_id = card.case_id AND n.pickup_deadline >= $1)
  AND NOT EXISTS (SELECT FROM booking b WHERE b.case_id = card.case_id AND b.state = 'booked')
GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
"""
_DONE = """
SELECT reached.stage, ward, reached.day, count(*) AS cards
FROM card CROSS JOIN LATERAL (VALUES
    ('received', received_on), ('inspected', inspected_on),
    ('registry_checked', registry_checked_on), ('preset', preset_on), ('shelved', shelved_on),
    ('notified', notified_on)) AS reached(stage, day)
WHERE stage_since >= $1 AND reached.day >= $2 AND reached.day < $3
GROUP BY 1, 2, 3
"""
_FIRST_DAY = "SELECT min(received_on) FROM card"
_PERIODS = "SELECT desk, from_on, people FROM desk_period"
_PUT_PERIOD = """
INSERT INTO desk_period (desk, from_on, people) VALUES ($1, $2, $3::text::numeric)
ON CONFLICT (desk, from_on) DO UPDATE SET people = excluded.people
"""
_REMOVE_PERIOD = "DELETE FROM desk_period WHERE desk = $1 AND from_on = $2 RETURNING 1"
