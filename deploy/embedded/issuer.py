"""The development issuer: what an OpenID Connect provider publishes, for embedded runs only.

Invariant: it hands out public keys and makes no token that opens a room. Those are signed beside it
by whoever can read the private key file (`madoguchi token`), so nothing on the network can obtain
one; pages sign in with such a token by code and PKCE (`issuer_login`).
"""

import argparse
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import jwt

from deploy.embedded.ports import LOOPBACK
from shared.ids import new_id
from shared.security.citizen_tokens import CitizenKeys
from shared.security.principal import STAFF_ROLES, Role

if TYPE_CHECKING:
    from starlette.applications import Starlette

ALGORITHM = "ES256"
AUDIENCE = "madoguchi"
JWKS_PATH = "/jwks"
DISCOVERY_PATH = "/.well-known/openid-configuration"


def sign(
    keys: Path,
    issuer: str,
    *,
    subject: str,
    roles: Collection[Role],
    sites: Collection[str],
    minutes: int = 60,
    audience: str = AUDIENCE,
) -> str:
    """A staff token in the name of `issuer`, signed with the first key of the file.

    Args:
        keys: PEM file of private keys on P-256.
        subject: who it is; a reference, no name.
        sites: site ids, or `*` for every site.
        minutes: how long it holds.

    Raises:
        SigningKeyError: the key file cannot be used.
        ValueError: a role is none of staff's.
    """
    if strangers := set(roles) - STAFF_ROLES:
        raise ValueError(f"not a staff role: {', '.join(sorted(strangers))}")
    ring = CitizenKeys.read(keys)
    now = datetime.now(UTC)
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now + timedelta(minutes=minutes),
        "jti": str(new_id()),
        "roles": sorted(role.value for role in roles),
        "sites": sorted(sites),
        # A program says so: rooms grant `system` to programs alone.
        **({"client_id": subject} if Role.SYSTEM in roles else {}),
    }
    return jwt.encode(claims, ring.current, algorithm=ALGORITHM, headers={"kid": ring.kid})


def create_issuer(keys: Path, issuer: str) -> "Starlette":
    """The application. The key file is read at every request: a rotation needs no restart."""
    from starlette.applications import Starlette  # noqa: PLC0415 - not for those who only sign
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    from deploy.embedded.issuer_login import Login, discovered  # noqa: PLC0415

    def answer(body: object) -> Response:
        return Response(json.dumps(body), media_type="application/json")

    async def discovery(_: Request) -> Response:
        return answer({**_discovery(issuer), **discovered(issuer)})

    async def jwks(_: Request) -> Response:
        return answer(CitizenKeys.read(keys).document())

    async def ready(_: Request) -> Response:
        CitizenKeys.read(keys)
        return answer({"status": "ready", "checks": {}})

    return Starlette(
        routes=[
            Route(DISCOVERY_PATH, discovery),
            Route(JWKS_PATH, jwks),
            Route("/livez", ready),
            Route("/readyz", ready),
            *Login(keys, issuer, AUDIENCE).routes(),
        ]
    )


def _discovery(issuer: str) -> dict[str, object]:
    """OpenID Connect Discovery 1.0, section 3."""
    return {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS_PATH,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "claims_supported": ["iss", "aud", "sub", "iat", "exp", "jti", "roles", "sites"],
    }


def main() -> None:
    """Serve until told to stop: `python -m deploy.embedded.issuer --keys FILE --port PORT`."""
    import uvicorn  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Madoguchi development issuer")
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--issuer", required=True)
    chosen = parser.parse_args()
    app = create_issuer(chosen.keys, chosen.issuer)
    uvicorn.run(app, host=LOOPBACK, port=chosen.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
