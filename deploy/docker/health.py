"""The image's health check: is the process of this container alive?

It asks ``/livez`` of the process that runs as number 1 and no more than that: a container is not
restarted because Kafka is away. Standard library only, as the image has no curl.
"""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT_SECONDS = 4


def live_url(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """Where the process started as ``command`` says that it lives; None for a one-shot.

    Raises ``KeyError`` naming the setting when its port is not set.
    """
    processes = [word for word in command if word in {"api", "consume", "relay"}]
    if not processes:
        return None
    port = environment[f"MADOGUCHI_{environment['SERVICE']}_{processes[-1]}_PORT".upper()]
    return f"http://127.0.0.1:{int(port)}/livez"


def ask(url: str) -> str | None:
    """What is wrong with the answer of ``url``; None when all is well."""
    try:
        urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS).close()  # noqa: S310 - our own address
    except (urllib.error.URLError, TimeoutError) as error:
        return str(error)
    return None


def main() -> int:
    """0 when alive, 1 when not; the reason goes to the health log."""
    command = Path("/proc/1/cmdline").read_bytes().decode().split("\0")
    url = live_url(command, os.environ)
    wrong = ask(url) if url else None
    if wrong:
        sys.stderr.write(f"{url}: {wrong}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
