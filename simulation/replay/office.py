"""The back office: lots come in, go from desk to desk, onto the shelves, and out as notices."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from simulation.lots import Card, nth_birthday_after, write_csv
from simulation.replay.agenda import Day
from simulation.replay.cases import Case, Fate
from simulation.replay.crew import Crew, NotTakenError

_SHELF = "A"
_ROOM = "preparation"
_ADULT_DAYS = 18 * 365.25
_MOST = 10_000


class Office:
    """Does a day's work in preparation."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    async def day(self, day: Day) -> None:
        """Everything that preparation is told on ``day``."""
        desks = {
            "imported": self._import,
            "inspected": self._inspect,
            "registry_checked": self._check,
            "preset": self._preset,
            "shelved": self._shelve,
            "notified": self._notify,
        }
        await self._end(day.voids)
        for desk, work in desks.items():
            if lot := day.lots.get(desk):
                await work(lot)
        await self._release(day.released)
        if day.late_notices:
            await self._send_notices({"case_ids": self._ids(day.late_notices)}, day.late_notices)

    async def _import(self, lot: Sequence[Case]) -> None:
        rows = [_row(number, case) for number, case in enumerate(lot, start=1)]
        answer = await self._crew.staff("back_office").upload(_ROOM, "/v1/lots", write_csv(rows))
        for case, result in zip(lot, answer["results"], strict=True):
            if result["case_id"] is None:
                raise NotTakenError(f"the lot's row of {case.key}: {result['code']}")
            self._crew.ledger.note("cases", case.key, result["case_id"])

    async def _inspect(self, lot: Sequence[Case]) -> None:
        defects = [case for case in lot if case.fate is Fate.DEFECT]
        await self._stage("rejected", defects, reason="misprinted")
        await self._lot("inspected", lot)
        self._forget(defects)

    async def _check(self, lot: Sequence[Case]) -> None:
        await self._lot("registry_checked", lot)
        voids = [case for case in lot if case.fate is Fate.VOID]
        await self._stage("voided", voids, reason="moved_out")
        held = [case for case in lot if case.held]
        await self._stage("held", held, reason="registry_mismatch")
        self._forget(voids)

    async def _preset(self, lot: Sequence[Case]) -> None:
        await self._lot("preset", lot)

    async def _shelve(self, lot: Sequence[Case]) -> None:
        by_site: dict[str, list[Case]] = defaultdict(list)
        for case in _going_on(lot):
            by_site[case.site_id].append(case)
        for site_id, cases in sorted(by_site.items()):
            await self._stage("shelved", cases, site_id=site_id, shelf=_SHELF)

    async def _release(self, cases: Sequence[Case]) -> None:
        await self._stage("released", cases)
        await self._stage("preset", cases)
        await self._shelve_all(cases)

    async def _shelve_all(self, cases: Sequence[Case]) -> None:
        for case in cases:
            await self._stage("shelved", [case], site_id=case.site_id, shelf=_SHELF)

    async def _notify(self, lot: Sequence[Case]) -> None:
        if going := _going_on(lot):
            await self._send_notices({"lot_id": _lot_id(lot[0])}, going)

    async def _send_notices(self, which: Mapping[str, object], cases: Sequence[Case]) -> None:
        office, ledger = self._crew.staff("back_office"), self._crew.ledger
        key = ledger.key("notices", cases[0].key, len(cases))
        made = await office.post(_ROOM, "/v1/notices", which, key)
        if made["done"] != len(cases):
            raise NotTakenError(f"{made['done']} notices of {len(cases)} went out")
        batch = f"/v1/notices/{made['batch_id']}"
        printed = await office.text(_ROOM, f"{batch}/print-file")
        await office.post(_ROOM, f"{batch}:printed")
        readers = {case.key for case in cases if case.stepwise}
        for row in csv.DictReader(io.StringIO(printed)):
            if row["card_reference"] in readers:
                ledger.note("notices", row["card_reference"], row["notice_number"])

    async def _end(self, cases: Sequence[Case]) -> None:
        await self._stage("voided", cases, reason="moved_out")
        self._forget(cases)

    async def _lot(self, stage: str, lot: Sequence[Case]) -> None:
        path = f"/v1/stages/{stage}?results=refused"
        await self._crew.staff("back_office").post(_ROOM, path, {"lot_id": _lot_id(lot[0])})

    async def _stage(self, stage: str, cases: Sequence[Case], **more: str) -> None:
        office = self._crew.staff("back_office")
        singly = stage != "shelved"
        for case in cases:
            if singly and case.stepwise:
                await self._one(case, stage, more)
        rest = [case for case in cases if not (singly and case.stepwise)]
        for start in range(0, len(rest), _MOST):
            some = rest[start : start + _MOST]
            body = {"case_ids": self._ids(some), **more}
            answer = await office.post(_ROOM, f"/v1/stages/{stage}?results=refused", body)
            if answer["refused"]:
                raise NotTakenError(f"{stage}: {_first_refusal(answer)}")

    async def _one(self, case: Case, stage: str, more: Mapping[str, str]) -> None:
        path = f"/v1/cards/{self._crew.ledger.cases[case.key]}/stages/{stage}"
        await self._crew.staff("back_office").post(_ROOM, path, dict(more))

    def _ids(self, cases: Sequence[Case]) -> list[str]:
        return [self._crew.ledger.cases[case.key] for case in cases]

    def _forget(self, cases: Sequence[Case]) -> None:
        for case in cases:
            self._crew.ledger.over(case.key)


def _first_refusal(answer: Mapping[str, Any]) -> str:
    refused = [one for one in answer["results"] if one["outcome"] == "refused"]
    return str(refused[0]["code"]) if refused else "refused"


def _going_on(lot: Sequence[Case]) -> list[Case]:
    """The cards that stay with their lot up to the notice."""
    return [case for case in lot if not case.held and case.appointments]


def _lot_id(case: Case) -> str:
    if case.card is None:
        raise ValueError("no card, no lot")
    return f"L{case.card.lot_day:%Y%m%d}"


def _row(number: int, case: Case) -> Card:
    if case.card is None:
        raise ValueError("no card, no row")
    applied = case.card.applied_on
    shipped = case.card.shipped_on
    return Card(
        lot=_lot_id(case),
        row=number,
        card_reference=case.key,
        ward=case.ward,
        kind=case.card.kind,
        applied_on=applied,
        shipped_on=shipped,
        card_expires_on=_expires(case.birth_date, shipped),
        birth_date=case.birth_date,
    )


def _expires(birth: date, shipped: date) -> date:
    adult = (shipped - birth).days >= _ADULT_DAYS
    return nth_birthday_after(birth, shipped, 10 if adult else 5)
