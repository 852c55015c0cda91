"""Whose fault a failure is: the infrastructure's, which heals, or the message's, which does not.

An infrastructure error uses up none of a message's tries. A statement time-out counts as the
message's: a message that always takes too long would otherwise stop its partition for ever.
"""

import asyncpg
from aiokafka.errors import KafkaError

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
)


def is_infrastructure(error: BaseException) -> bool:
    """Whether ``error`` says nothing about the message, so that trying again may help."""
    if isinstance(error, asyncpg.InterfaceError):
        # One class stands for a lost connection, which heals, and a wrong argument, which does not.
        return "clos" in str(error) or "released" in str(error)
    return isinstance(error, _INFRASTRUCTURE)


def backoff(failures: int) -> float:
    """Seconds to wait after ``failures`` failures in a row: 0.1 s doubling up to 5 s."""
    return float(min(5.0, 0.1 * 2 ** min(failures, 10)))
