"""Who calls for a certificate renewal, which no notice invites to; all about them is made up."""

import zlib

from simulation.doors import Person
from simulation.replay.cases import Case
from simulation.replay.crew import Crew


async def opened(crew: Crew, clerk: Person, case: Case) -> str:
    """The id of the case; of a renewal that is not there yet, opened by who answers the call."""
    ledger = crew.ledger
    if case.key not in ledger.cases:
        body = {**renewal(case), "phone": phone(case)}
        told = await clerk.post(
            "reservation", "/v1/renewals", body, ledger.key("renewal", case.key)
        )
        ledger.note("cases", case.key, told["case_id"])
    return ledger.cases[case.key]


def renewal(case: Case) -> dict[str, str]:
    """What a renewal is opened with."""
    ends_on = case.certificate_ends_on
    if ends_on is None:
        raise ValueError("a renewal has certificates that end")
    return {"ward": case.ward, "certificate_expires_on": ends_on.isoformat()}


def address(case: Case) -> str:
    """Where the citizen calls from."""
    first, second, third = zlib.crc32(case.key.encode()).to_bytes(4)[1:]
    return f"10.{first}.{second}.{third}"


def phone(case: Case) -> str:
    """One of its own for each case."""
    digits = case.key[3:7] + case.key[8:]
    return f"0{digits[:2]}-{digits[2:6]}-{digits[6:]}"
