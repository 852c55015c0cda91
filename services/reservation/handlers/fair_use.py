"""Counting tries before they are made. The count commits on its own: a refusal must not undo it."""

from collections.abc import Sequence
from datetime import timedelta

from services.reservation.domain.fair_use import CODE_WINDOW, FairUse, Limit, TooManyTries
from services.reservation.store import fair_use
from shared.unit import Unit


def login(rules: FairUse, number_key: str, address_key: str | None) -> list[Limit]:
    """What one login with a notice counts against; no address where staff look it up."""
    number = Limit(f"number:{number_key}", rules.login_tries, rules.login_window)
    if address_key is None:
        return [number]
    tries = rules.login_tries_per_address
    return [number, Limit(f"login:{address_key}", tries, rules.login_window)]


def code(rules: FairUse, mailbox_key: str, address_key: str | None) -> list[Limit]:
    """What one mail with a code counts against; no address for staff, of whom a whole call centre
    comes from one.
    """
    mailbox = Limit(f"mailbox:{mailbox_key}", rules.codes_per_mailbox, CODE_WINDOW)
    if address_key is None:
        return [mailbox]
    return [mailbox, Limit(f"codes:{address_key}", rules.codes_per_address, CODE_WINDOW)]


def typed(ref: object, tries: int) -> list[Limit]:
    """What one typing of a code counts against."""
    return [Limit(f"typed:{ref}", tries, CODE_WINDOW)]


async def spend(unit: Unit, limits: Sequence[Limit]) -> timedelta | None:
    """Count a try; how long to wait where it is one too many.

    One limit after another, in order of key, which puts the network address first: whoever is
    beyond one leaves no row for each number that they make up.
    The caller lets this unit commit before it acts on the answer.
    """
    for limit in sorted(limits, key=lambda one: one.key):
        (counted,) = await fair_use.count(unit.conn, [limit])
        if counted.tries > limit.tries:
            return limit.window - counted.age
    return None


def check(wait: timedelta | None) -> None:
    """Raise ``TooManyTries`` where there is something to wait for."""
    if wait is not None:
        raise TooManyTries(retry_after=max(1, int(wait.total_seconds())))


async def forgive(unit: Unit, limits: Sequence[Limit]) -> None:
    """What succeeded was no try."""
    await fair_use.forgive(unit.conn, [limit.key for limit in limits])
