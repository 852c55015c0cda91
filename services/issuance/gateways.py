"""Headquarters as a satellite reaches them: the issuance API of the city, over HTTP."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

from services.issuance.domain.conflict import Entry
from shared.ids import SiteId

TIMEOUT_SECONDS = 60


class HeadquartersError(Exception):
    """Headquarters cannot be reached, or refuse; the text says so without any data."""


class LeaseRefusedError(HeadquartersError):
    """There is no lease for this satellite now."""


class Headquarters:
    """The doors of headquarters that a satellite uses."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._token = token

    async def lease(self, site_id: SiteId, holder: UUID) -> int:
        """The lease of this satellite. Raises ``HeadquartersError``, ``LeaseRefusedError``."""
        answer = await self._post(f"/v1/satellites/{site_id}:lease", {"holder": str(holder)})
        lease: int = answer["lease"]
        return lease

    async def tell(self, site_id: SiteId, lease: int, entries: Sequence[Entry]) -> list[int]:
        """Tell these entries of the journal; the numbers of those that headquarters have.

        Raises ``HeadquartersError``.
        """
        numbered = [{"number": entry.number, "actor": entry.actor} for entry in entries]
        body = {
            "rows": [dict(entry.row) for entry in entries],
            "journal": {"site_id": site_id, "lease": lease, "entries": numbered},
        }
        key = f"{site_id} {lease} {entries[0].number}-{entries[-1].number} {len(entries)}"
        answer = await self._post("/v1/visits:batch", body, key)
        return [one["body"]["number"] for one in answer["results"] if one["problem"] is None]

    async def _post(self, path: str, body: object, key: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            answer = await self._http.post(path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise HeadquartersError(f"not reached: {type(error).__name__}") from None
        if answer.status_code in {404, 409} and path.endswith(":lease"):
            raise LeaseRefusedError(_name(answer))
        if answer.status_code >= 300:
            raise HeadquartersError(f"answered {answer.status_code}: {_name(answer)}")
        found: dict[str, Any] = answer.json()
        return found


def _name(answer: httpx.Response) -> str:
    """The stable name of a problem; never what was sent."""
    try:
        return str(answer.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return "no problem document"
