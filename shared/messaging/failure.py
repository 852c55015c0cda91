"""Whose fault a failure is: the infrastructure's, which heals, or the message's, which does not.

An infrastructure error uses up none of a message's tries. A statement time-out counts as the
message's: a message that always takes too long would otherwise stop its partition for ever.
"""

import traceback
from pathlib import Path

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from shared.messaging.envelope import rules_broken

_INFRASTRUCTURE = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
)


def is_infrastructure(error: BaseException) -> bool:
    """Whether ``error`` says nothing about the message, so that trying again may help."""
    if isinstance(error, asyncpg.InterfaceError):
        # One class stands for a lost connection, which heals, and a wrong argument, which does not.
        return "clos" in str(error) or "released" in str(error)
    return isinstance(error, _INFRASTRUCTURE)


def may_heal(error: BaseException) -> bool:
    """Whether trying again may help where no message is at work: a statement time-out may pass."""
    return is_infrastructure(error) or isinstance(error, asyncpg.QueryCanceledError)


def reason_of(error: Exception) -> str:
    """A reason for operators: the error's kind and the rule it broke, without the data.

    Texts of PostgreSQL, of its driver and of Python itself quote values, so they are left out;
    where Python's own error came from is told instead.
    """
    kind = type(error).__name__
    if isinstance(error, asyncpg.PostgresError):
        return f"{kind} ({error.sqlstate}) {error.constraint_name or ''}".rstrip()
    if isinstance(error, ValidationError):
        return f"{kind}: {rules_broken(error)}"[:500]
    if isinstance(error, asyncpg.InterfaceError) or type(error).__module__ == "builtins":
        return f"{kind}{_place(error)}"
    return f"{kind}: {error}"[:500]


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename]
    return f" in {ours[-1].name}, {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


def backoff(failures: int) -> float:
    """Seconds to wait after ``failures`` failures in a row: 0.1 s doubling up to 5 s."""
    return float(min(5.0, 0.1 * 2 ** min(failures, 10)))
