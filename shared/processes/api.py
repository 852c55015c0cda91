"""The api process: the room's app, and the tokens it believes."""

from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module

import httpx

from shared.http.ops import Check, NotReadyError
from shared.http.server import serve
from shared.processes.process import Work
from shared.room import Resources, Room
from shared.security.citizen_tokens import CitizenKeys
from shared.security.jwks import FixedKeys, KeysUnavailableError
from shared.security.oidc import TokenVerifier, token_verifier
from shared.settings import KernelSettings


async def works(stack: AsyncExitStack, room: Room, resources: Resources) -> list[Work]:
    """Serve the room's API."""
    settings = resources.settings
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=5))
    verifier = _verifier(settings, http)
    module, _, function = room.api.partition(":")
    complete = replace(
        resources,
        authenticate=verifier.authenticate,
        checks={**resources.checks, "oidc": _keys_known(verifier)},
    )
    app = getattr(import_module(module), function)(complete)
    port, proxies = resources.doors.api_port, settings.trusted_proxies
    return [serve(app, host=settings.host, port=port, proxies=proxies)]


def _verifier(settings: KernelSettings, http: httpx.AsyncClient) -> TokenVerifier:
    signing = settings.citizen_signing_key_file
    own = FixedKeys(CitizenKeys.read(signing).document()) if signing else None
    return token_verifier(settings, http, citizen_keys=own)


def _keys_known(verifier: TokenVerifier) -> Check:
    async def known() -> None:
        try:
            await verifier.require_keys()
        except KeysUnavailableError:
            raise NotReadyError("the issuer has given no keys") from None

    return known
