"""How often somebody may try: per notice number, mailbox, network address and session.

Tries are counted before they are looked at, so that many at once do not pass together; what
succeeds is taken back. Counted are keyed hashes, and real time.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from shared.errors import Text, TooManyRequests

CODE_WINDOW = timedelta(hours=1)
CODE_TRIES = 5
"""How often a code may be typed."""


@dataclass(frozen=True, slots=True)
class FairUse:
    """The limits of a city."""

    login_tries: int = 10
    login_tries_per_address: int = 100
    login_window: timedelta = timedelta(minutes=15)
    codes_per_mailbox: int = 5
    codes_per_address: int = 60
    session_changes: int = 60
    """Within the lifetime of a session."""


@dataclass(frozen=True, slots=True)
class Limit:
    """``tries`` within ``window`` for what ``key`` stands for."""

    key: str
    tries: int
    window: timedelta


class TooManyTries(TooManyRequests):
    """The same for a number that exists and one that does not."""

    slug = "too-many-tries"
    title = Text("Too many tries", "試行回数の上限に達しました")
    remedy = Text(
        "Wait as long as Retry-After says. If you need help, call the city.",
        "Retry-After の秒数だけ待ってからお試しください。お困りの場合は市へお電話ください。",
    )


def network(host: str) -> str:
    """What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else address.exploded[:19]
    return str(address)
