"""`clock`: business time of an installation whose time is replayed.

Invariant: where the rooms go by the machine's clock, nobody moves their time.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.display import talk
from deploy.cli.options import HOME, Data, stack
from deploy.cli.topics import reach
from deploy.embedded.errors import OperatorError
from deploy.embedded.plan import ROLES, ROOMS, Plan

if TYPE_CHECKING:
    from deploy.embedded.stack import Stack
    from shared.settings import KernelSettings

app = typer.Typer(help="Business time, where it is replayed.", no_args_is_help=True)

When = Annotated[
    str, typer.Argument(help="RFC 3339, as 2026-04-07T09:00; without an offset it is Japan's.")
]


@app.command()
def show(data: Data = HOME) -> None:
    """What time it is for the rooms."""
    house = _replayed(data)
    now = reach(house.plan, _told(house.settings()))
    if now is None:
        talk().print("Nobody has told the time yet: madoguchi clock advance 2026-04-06T09:00")
    else:
        typer.echo(_local(now))


@app.command()
def advance(to: When, data: Data = HOME) -> None:
    """Let it be a later time, and return when every process has heard it.

    Not while the demo runs: there the demo tells the time.
    """
    at = _instant(to)
    house = _replayed(data)
    typer.echo(_local(reach(house.plan, _advance(house, at))))


def _replayed(data: Path) -> "Stack":
    """The installation, if its time is replayed.

    Raises:
        OperatorError: it is not.
    """
    house = stack(data)
    if house.plan.runs_by != "replay":
        raise OperatorError(
            f"The rooms in {house.plan.home.root} go by the machine's clock, which is not moved. "
            "Start an installation of replayed time in a folder of its own: "
            "MADOGUCHI_CLOCK=replay madoguchi up --data .madoguchi/tour",
            f"{house.plan.home.root} の環境は実時間で動いているため、時刻を進められません。"
            "再生時刻の環境を別のフォルダーで起動してください: "
            "MADOGUCHI_CLOCK=replay madoguchi up --data .madoguchi/tour",
        )
    return house


async def _told(settings: "KernelSettings") -> datetime | None:
    """The last time told, or None."""
    from simulation.clock import SimulatedClock  # noqa: PLC0415 - brings the Kafka client

    async with SimulatedClock(settings) as clock:
        return clock.now if clock.now.timestamp() else None


async def _advance(house: "Stack", at: datetime) -> datetime:
    import httpx  # noqa: PLC0415 - only this command pays for it

    from simulation.clock import ClockNotFollowedError, SimulatedClock, reached  # noqa: PLC0415

    async with SimulatedClock(house.settings()) as clock, httpx.AsyncClient() as http:
        if at < clock.now:
            now = _local(clock.now)
            raise OperatorError(
                f"It is {now} already, and business time never goes back. Name a later time.",
                f"現在の業務時刻は {now} です。過去には戻せません。後の時刻を指定してください。",
            )
        await clock.advance(at)
        try:
            await reached(http, _processes(house.plan), at)
        except (httpx.HTTPError, ClockNotFollowedError) as error:
            raise OperatorError(
                f"Not every process has heard the time ({type(error).__name__}). "
                "See `madoguchi status`, then run `madoguchi up`.",
                f"時刻が届いていないプロセスがあります({type(error).__name__})。"
                "`madoguchi status` を確認し、`madoguchi up` を実行してください。",
            ) from error
        return at


def _processes(plan: Plan) -> list[str]:
    return [f"http://127.0.0.1:{plan.port(room, role)}" for room in ROOMS for role in ROLES]


def _instant(text: str) -> datetime:
    from shared.calendar import TOKYO  # noqa: PLC0415 - loads the holidays

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(
            f"{text!r} is not a time. Write it as 2026-04-07T09:00 or 2026-04-07T09:00+09:00.",
            f"{text!r} は時刻ではありません。2026-04-07T09:00 の形式で指定してください。",
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=TOKYO)


def _local(at: datetime) -> str:
    from shared.calendar import TOKYO  # noqa: PLC0415 - loads the holidays

    return at.astimezone(TOKYO).isoformat(timespec="seconds")
