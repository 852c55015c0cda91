"""`up`, `down` and `migrate`: the installation as a whole."""

import asyncio

from deploy.cli.display import Display, talk
from deploy.cli.options import HOME, Data, stack
from deploy.embedded.plan import ROOMS, Plan


def up(data: Data = HOME) -> None:
    """Start everything that does not run yet, and return when all of it is ready."""
    house = stack(data)
    with Display() as display:
        started = house.up(display)
    console = talk()
    if started:
        console.print(f"[green]Started {len(started)} processes; everything is ready.[/]")
    else:
        console.print("Already running; nothing was changed.")
    for line in addresses(house.plan):
        console.print(line, soft_wrap=True)


def down(data: Data = HOME) -> None:
    """Stop everything this installation started, and nothing else. Data is kept."""
    with Display() as display:
        stopped = stack(data).down(display)
    talk().print(
        f"Stopped {len(stopped)} processes. The data stays in {data}."
        if stopped
        else "Nothing was running."
    )


def migrate(data: Data = HOME) -> None:
    """Bring every room's database up to date."""
    house = stack(data)
    was_running = house.parts.running("postgres") is not None
    if house.plan.embedded_databases and not was_running:
        house.parts.postgres.start()
    try:
        applied = asyncio.run(house.migrate())
    finally:
        if house.plan.embedded_databases and not was_running:
            house.parts.postgres.stop()
    for room, names in applied.items():
        talk().print(f"{room}: {', '.join(names) or 'up to date'}")


def addresses(plan: Plan) -> list[str]:
    """Lines that tell where things are."""
    rooms = [f"  {room:<12} {plan.url(room)}/docs" for room in ROOMS]
    data = "" if plan.home.root == HOME.absolute() else f" --data {plan.home.root}"
    return [
        "API documentation:",
        *rooms,
        f"Public page:  {plan.url('reporting')}/dashboard",
        f"Dashboard:    {plan.url('reporting')}/dashboard/today",
        f"Token issuer: {plan.issuer}",
        f"Mails:        {mails(plan)}",
        f"A token for the dashboard: madoguchi token --role planner --site '*'{data}",
        f"A token for curl: madoguchi token --role clerk --site kawasaki-ward-office{data}",
    ]


def mails(plan: Plan) -> str:
    """Where mails to citizens go, for the person who looks for one."""
    if "MADOGUCHI_RESERVATION_MAIL_URL" in plan.environment:
        return "through MADOGUCHI_RESERVATION_MAIL_URL"
    return f"{plan.home.mail} (one file each; nothing is sent)"
