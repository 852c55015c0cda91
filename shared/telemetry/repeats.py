"""A library that says the same thing again and again is heard once in a while.

While a broker is away its client logs every attempt, dozens a second; what matters would be lost
among them, and the disk filled.
"""

import logging
import time

SECONDS = 30.0
"""How long the same words of the same logger are held back."""

MOST = 1000
"""Different words remembered."""


class Repeats(logging.Filter):
    """Lets a record of ``loggers`` pass unless it was heard lately; then says how often it was."""

    def __init__(self, *loggers: str) -> None:
        super().__init__()
        self._loggers = loggers
        self._heard: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write ``record``."""
        if not record.name.startswith(self._loggers):
            return True
        words = record.name, record.levelno, record.getMessage()
        since, times = self._heard.get(words, (0.0, 0))
        now = time.monotonic()
        if times and now - since < SECONDS:
            self._heard[words] = since, times + 1
            return False
        if len(self._heard) >= MOST:
            self._heard.clear()
        self._heard[words] = now, 1
        if times > 1:
            record.repeated = times - 1
        return True
