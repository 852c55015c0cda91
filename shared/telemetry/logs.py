"""Logs: one JSON object a line, with the ids of the trace at work.

A value that is a valid My Number never leaves the process in a log, wherever in the line it
stands; nor does what a database, its driver or a model quotes of the values an error is about.
"""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.errors import Json
from shared.telemetry.repeats import Repeats
from shared.telemetry.tracing import current_ids
from shared.telemetry.without_values import said

Mask = Callable[[str], str]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_TALKATIVE = ("httpx", "httpcore", "uvicorn.access", "aiokafka", "asyncio")


class JsonFormatter(logging.Formatter):
    """A record as one line; what is passed as ``extra`` becomes members of the object."""

    def __init__(self, *, service: str, role: str, mask: Mask) -> None:
        super().__init__()
        self._process = {"service": service, "role": role}
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The line; message, extras and stack alike are masked."""
        trace_id, span_id = current_ids() or (None, None)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "trace_id": trace_id,
            "span_id": span_id,
            **self._process,
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _exception(record.exc_info[1])
        return json.dumps(self._masked(line), ensure_ascii=False)

    def _masked(self, value: object) -> Json:
        match value:
            case None | bool() | float():
                return value
            case int():
                text = str(value)
                return value if self._mask(text) == text else self._mask(text)
            case Mapping():
                return {self._mask(str(key)): self._masked(each) for key, each in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._masked(each) for each in value]
            case _:
                return self._mask(str(value))


def configure_logging(*, service: str, role: str, level: str, mask: Mask) -> None:
    """Send the logs of this process to standard output as JSON lines.

    Called once, by the composition root. ``mask`` hides personal numbers in a text. Libraries
    that log addresses with their query strings speak only from WARNING on.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service=service, role=role, mask=mask))
    handler.addFilter(Repeats("aiokafka"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _message(record: logging.LogRecord) -> str:
    """The message; an error among its arguments says no more than one that is logged as such."""
    if not isinstance(record.args, tuple):
        return record.getMessage()
    values = (said(one) if isinstance(one, BaseException) else one for one in record.args)
    return str(record.msg) % tuple(values) if record.args else str(record.msg)


def _exception(error: BaseException) -> dict[str, str]:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "message": said(error),
        "stack": frames,
    }
