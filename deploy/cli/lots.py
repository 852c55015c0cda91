"""`lots`: take in a long file and see how far it is.

Invariant: the command only sends the file and watches. The rooms take it in; ended early, the
command changes nothing, and sent again, the file changes nothing either.
"""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy.cli.display import Display, talk
from deploy.cli.options import HOME, Data, plan
from deploy.embedded.errors import OperatorError, speaks_japanese
from deploy.embedded.plan import Plan

if TYPE_CHECKING:
    import httpx

app = typer.Typer(help="Lots of cards.", no_args_is_help=True)

_SECONDS = 0.3
File = Annotated[Path, typer.Argument(help="CSV in UTF-8 or cp932.", exists=True, dir_okay=False)]
Url = Annotated[
    str | None, typer.Option("--url", help="Preparation's API; this machine's without it.")
]


@app.callback()
def group() -> None:
    """Lots of cards."""


@app.command("import")
def import_(file: File, url: Url = None, data: Data = HOME) -> None:
    """Import a lot file of any length, slice by slice. Exit code 1 where rows were not taken.

    The token is MADOGUCHI_TOKEN; an embedded installation signs its own.
    """
    house = plan(data)
    with Display() as display:
        told = _Told(file.name, file.read_bytes(), display)
        job = asyncio.run(_import(url or house.url("preparation"), _token(house), told))
    talk().print(_sentence(job))
    if job["rejected"]:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Told:
    """The file, and where its progress is shown."""

    name: str
    body: bytes
    display: Display

    def show(self, job: dict[str, Any]) -> None:
        self.display(self.name, done=job["rows_done"], total=job["rows"])


async def _import(url: str, token: str, file: _Told) -> dict[str, Any]:
    import httpx  # noqa: PLC0415 - only this command pays for it

    language = "ja" if speaks_japanese() else "en"
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=300) as http:
            query = {"background": True}
            job = _answered(await http.post("/v1/lots", params=query, content=file.body))
            while job["state"] != "done":
                file.show(job)
                await asyncio.sleep(_SECONDS)
                job = _answered(await http.get(f"/v1/imports/{job['import_id']}"))
            file.show(job)
            return job
    except httpx.HTTPError as error:
        raise OperatorError(
            f"Preparation does not answer at {url} ({type(error).__name__}). Is it started?",
            f"{url} の交付準備が応答しません（{type(error).__name__}）。起動を確認してください。",
        ) from error


def _answered(answer: "httpx.Response") -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    if answer.is_success:
        return body
    said = " ".join(str(body[name]) for name in ("title", "detail", "remedy") if body.get(name))
    fields = "; ".join(f"{each['field']}: {each['message']}" for each in body.get("errors", ()))
    raise OperatorError(*[f"{said} {fields}".strip()] * 2)


def _token(house: Plan) -> str:
    if token := os.environ.get("MADOGUCHI_TOKEN"):
        return token
    if not house.embeds_issuer:
        raise OperatorError(
            f"Set MADOGUCHI_TOKEN to a staff token of {house.issuer} (role back_office).",
            f"MADOGUCHI_TOKEN に {house.issuer} の職員トークン(back_office)を設定してください。",
        )
    from deploy.embedded.issuer import sign  # noqa: PLC0415 - loads the cryptography
    from deploy.embedded.keys import ISSUER, KeyStore  # noqa: PLC0415
    from shared.security.principal import Role  # noqa: PLC0415

    keys = KeyStore(house.home.keys)
    keys.ensure()
    return sign(
        keys.path(ISSUER),
        house.issuer,
        subject="madoguchi-cli",
        roles=[Role.BACK_OFFICE],
        sites=["*"],
        minutes=24 * 60,
    )


def _sentence(job: dict[str, Any]) -> str:
    path = f"GET /v1/imports/{job['import_id']}/rows?rejected=true"
    if speaks_japanese():
        told = f"{job['rows']}行: 取込 {job['accepted']}、不可 {job['rejected']}"
        return f"{told}（{path}）" if job["rejected"] else told
    told = f"{job['rows']} rows: {job['accepted']} taken, {job['rejected']} not"
    return f"{told} ({path})" if job["rejected"] else told
