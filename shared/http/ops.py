"""What every process answers to those who run it: alive, ready, figures.

Light on purpose (no web framework beyond Starlette): consumers and relays serve it too. Readiness
names every dependency and the reason why one is missing, never its address or credentials.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from prometheus_client import Gauge
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.telemetry.metrics import Metrics

Check = Callable[[], Awaitable[object]]
"""Returns when the dependency is there, raises when it is not."""

TIMEOUT = 2.0
"""Seconds that one check may take."""
LONGEST_WAIT = 10.0
"""Seconds after which who waits for a time is answered in any case."""

OPS_PATHS = frozenset({"/livez", "/readyz", "/metrics", "/timez"})


class NotReadyError(Exception):
    """A check's own words for why a dependency is missing; they are shown as they are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. ``why`` is empty when all is well."""

    ok: bool
    why: str = ""


async def findings(checks: Mapping[str, Check], *, seconds: float = TIMEOUT) -> dict[str, Finding]:
    """Run all checks side by side, each for at most ``seconds``."""
    found = await asyncio.gather(*(_run(check, seconds) for check in checks.values()))
    return dict(zip(checks, found, strict=True))


def ops_routes(checks: Mapping[str, Check], metrics: Metrics) -> list[Route]:
    """``/livez``, ``/readyz``, ``/metrics``, and ``/timez``: business time as it is known here.

    ``/timez?now=…`` (seconds since 1970) answers when it is that time here, ``?due_through=…`` when
    all that was due until then is done, or after ``LONGEST_WAIT``; ``null`` means always.
    """

    async def livez(_: Request) -> Response:
        return _json({"status": "alive"}, 200)

    async def readyz(_: Request) -> Response:
        found = await findings(checks)
        ready = all(finding.ok for finding in found.values())
        body = {
            "status": "ready" if ready else "not ready",
            "checks": {name: _shown(finding) for name, finding in found.items()},
        }
        return _json(body, 200 if ready else 503)

    async def figures(_: Request) -> Response:
        return Response(metrics.render(), headers={"Content-Type": metrics.content_type})

    async def timez(request: Request) -> Response:
        # Asked at every advance of a replayed clock: all figures would cost a hundred times this.
        gauges = {"now": metrics.business_time, "due_through": metrics.due_through}
        awaited = [
            (gauges[name], at)
            for name in gauges.keys() & request.query_params.keys()
            if (at := _seconds(request.query_params[name])) is not None
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                pause = 0.002
                while any(_value(gauge) < at for gauge, at in awaited):
                    # Short waits end at once, and long ones cost next to nothing.
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 0.02)
        known = {name: _value(gauge) for name, gauge in gauges.items()}
        return _json({name: None if at == inf else at for name, at in known.items()}, 200)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", figures),
        Route("/timez", timez),
    ]


async def serve_ops(host: str, port: int, checks: Mapping[str, Check], metrics: Metrics) -> None:
    """Serve the ops routes until cancelled; signals stay with the process.

    Raises ``OSError`` when the port cannot be bound.
    """
    # Imported here: readiness is also read by tools that serve nothing.
    from shared.http.server import serve  # noqa: PLC0415

    await serve(Starlette(routes=ops_routes(checks, metrics)), host=host, port=port)


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _value(gauge: Gauge) -> float:
    (figure,) = gauge.collect()
    return figure.samples[0].value


async def _run(check: Check, seconds: float) -> Finding:
    try:
        async with asyncio.timeout(seconds):
            await check()
    except TimeoutError:
        return Finding(ok=False, why=f"no answer within {seconds:g} s")
    except NotReadyError as error:
        return Finding(ok=False, why=str(error))
    except Exception as error:  # noqa: BLE001  whatever a driver raises, it means: not there
        return Finding(ok=False, why=type(error).__name__)
    return Finding(ok=True)


def _shown(finding: Finding) -> dict[str, object]:
    return {"ok": True} if finding.ok else {"ok": False, "why": finding.why}


def _json(body: Mapping[str, object], status: int) -> Response:
    return Response(
        json.dumps(body).encode(),
        status_code=status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
