"""`token`: a staff token of the development issuer, for curl and tests."""

from typing import Annotated

import typer

from deploy.cli.options import HOME, Data, plan
from deploy.embedded.errors import OperatorError

Roles = Annotated[
    list[str], typer.Option("--role", help="clerk, supervisor, back_office, planner, auditor, …")
]
Sites = Annotated[
    list[str] | None, typer.Option("--site", help="A site id; repeat for several, * for every one.")
]
Subject = Annotated[str, typer.Option("--subject", help="Who it is: a reference, no name.")]
Minutes = Annotated[int, typer.Option("--minutes", min=1, max=24 * 60, help="How long it holds.")]


def token(
    role: Roles,
    site: Sites = None,
    subject: Subject = "dev-staff",
    minutes: Minutes = 60,
    data: Data = HOME,
) -> None:
    """Print a token for the Authorization header. Signed here; the network has no part in it."""
    from deploy.embedded.issuer import sign  # noqa: PLC0415 - loads the cryptography
    from deploy.embedded.keys import ISSUER, KeyStore  # noqa: PLC0415
    from shared.security.principal import STAFF_ROLES, Role  # noqa: PLC0415

    house = plan(data)
    if not house.embeds_issuer:
        raise OperatorError(
            f"Tokens come from {house.issuer} (MADOGUCHI_OIDC_ISSUER is set); ask there for one.",
            f"トークンは {house.issuer} が発行します(MADOGUCHI_OIDC_ISSUER が設定されています)。",
        )
    if strangers := set(role) - STAFF_ROLES:
        choice = ", ".join(sorted(STAFF_ROLES))
        raise OperatorError(
            f"--role {', '.join(sorted(strangers))} is not a staff role; choose from: {choice}.",
            f"--role {', '.join(sorted(strangers))} は職員の役割ではありません。選択肢: {choice}",
        )
    keys = KeyStore(house.home.keys)
    keys.ensure()
    signed = sign(
        keys.path(ISSUER),
        house.issuer,
        subject=subject,
        roles=[Role(name) for name in role],
        sites=site or [],
        minutes=minutes,
    )
    typer.echo(signed)
