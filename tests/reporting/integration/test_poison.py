"""All types of a poll are handled at once: the event that cannot be is set aside with its case, and
of the others none is lost."""

import pytest

from services.reporting.store.projections import ROOM
from shared.contracts.issuance import VisitCalled, VisitCompleted
from shared.ids import VisitId, derived_id
from shared.messaging.consumer import Consumer
from tests.reporting.conftest import Reporting
from tests.reporting.histories import (
    CARD,
    RENEWAL,
    SITES,
    case_of,
    done,
    facts_of,
    opened,
    tokyo,
    told,
)
from tests.reporting.integration.test_facts import known
from tests.support.messaging import metrics, settings

AT, BAD = tokyo(2026, 7, 1, 9), case_of(2)


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_one_bad_event_takes_no_other_with_it(reporting: Reporting, place: int) -> None:
    good = [
        *told([(opened(case_of(number)), AT, "preparation.events") for number in (1, 3)]),
        done(3, AT),
        done(4, AT, procedure=RENEWAL),
    ]
    who = {"case_id": BAD, "site_id": SITES[0], "visit_id": VisitId(derived_id("visit", "bad"))}
    called = VisitCalled.model_validate(who | {"counter": "\x00"})  # no text that a database keeps
    completed = VisitCompleted.model_validate(who | {"procedure": CARD})
    bad = told([(each, AT, "issuance.events") for each in (called, completed)])
    batch = [*good[:place], bad[0], *good[place:], bad[1]]
    consumer = Consumer(reporting.processor, settings(), metrics())
    await consumer.handle([each.record() for each in batch])
    assert await known(reporting) == facts_of(good)
    async with reporting.database.reader() as conn:
        parked = await conn.fetch("SELECT event_id, consumer, reason FROM parked ORDER BY id")
        seen = await conn.fetchval("SELECT count(*) FROM visit_fact")
    assert [(row["event_id"], row["consumer"]) for row in parked] == [(e.id, ROOM) for e in bad]
    assert [row["reason"] is None for row in parked] == [False, True], "one failed, one waits"
    assert seen == 0
