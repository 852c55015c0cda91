"""Headquarters as a satellite reaches them: the issuance API of the city, over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx

from services.issuance.domain.checklist import Checklist, Requirement, Rule, Step
from services.issuance.domain.conflict import UNREAD, Entry
from services.issuance.domain.identity import DocumentClass, DocumentType
from shared.contracts.base import CaseKind, Procedure
from shared.ids import SiteId

TIMEOUT_SECONDS = 60


class HeadquartersError(Exception):
    """Headquarters cannot be reached, or refuse; the text says so without any data."""


class LeaseRefusedError(HeadquartersError):
    """There is no lease for this satellite now."""


class NotUnderstoodError(HeadquartersError):
    """Headquarters cannot read what they are told (422): telling it again as it is helps nobody."""


class Headquarters:
    """The doors of headquarters that a satellite uses."""

    def __init__(self, http: httpx.AsyncClient, auth: httpx.Auth) -> None:
        self._http = http
        self._auth = auth

    async def lease(self, site_id: SiteId, holder: UUID) -> int:
        """The lease of this satellite. Raises ``HeadquartersError``, ``LeaseRefusedError``."""
        answer = await self._post(f"/v1/satellites/{site_id}:lease", {"holder": str(holder)})
        try:
            return int(answer["lease"])
        except (KeyError, TypeError, ValueError):
            raise HeadquartersError(_STRANGE) from None

    async def tell(self, site_id: SiteId, lease: int, entries: Sequence[Entry]) -> list[int]:
        """Tell these entries of the journal; the numbers of those that headquarters have.

        Raises ``HeadquartersError``, ``NotUnderstoodError``.
        """
        numbered = [{"number": entry.number, "actor": entry.actor} for entry in entries]
        body = {
            "rows": [dict(entry.row) for entry in entries],
            "journal": {"site_id": site_id, "lease": lease, "entries": numbered},
        }
        key = f"{site_id} {lease} {entries[0].number}-{entries[-1].number} {len(entries)}"
        if any(entry.row.get("verb") == UNREAD for entry in entries):
            key += f" {UNREAD}"
        answer = await self._post("/v1/visits:batch", body, key)
        try:
            return [one["body"]["number"] for one in answer["results"] if one["problem"] is None]
        except (KeyError, TypeError):
            raise HeadquartersError(_STRANGE) from None

    async def checklist(self, version: int) -> Checklist | None:
        """A version of the checklist; none where there is no such version yet.

        Raises ``HeadquartersError``, also for a version that this release has no words for.
        """
        answer = await self._send("GET", f"/v1/checklists/{version}")
        if answer.status_code == 404 and _name(answer) == "checklist-not-known":
            return None
        try:
            return _checklist(_body(answer))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise HeadquartersError(f"checklist {version} cannot be read here") from None

    async def _post(self, path: str, body: object, key: str | None = None) -> Mapping[str, Any]:
        answer = await self._send("POST", path, body, key)
        if answer.status_code in {404, 409} and path.endswith(":lease"):
            raise LeaseRefusedError(_name(answer))
        return _body(answer)

    async def _send(
        self, method: str, path: str, body: object = None, key: str | None = None
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key is not None else {}
        try:
            return await self._http.request(
                method, path, json=body, headers=headers, auth=self._auth
            )
        except httpx.HTTPError as error:
            raise HeadquartersError(f"not reached: {type(error).__name__}") from None


_STRANGE = "answered something else than headquarters do"


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    """What was answered; whatever stands in the way may answer anything, with any status."""
    if answer.status_code >= 300:
        said = f"answered {answer.status_code}: {_name(answer)}"
        raise NotUnderstoodError(said) if answer.status_code == 422 else HeadquartersError(said)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise HeadquartersError(_STRANGE)
    return found


def _checklist(body: Mapping[str, Any]) -> Checklist:
    """Raises ``KeyError``, ``TypeError``, ``ValueError`` or ``AttributeError``."""
    steps: dict[tuple[Procedure, CaseKind], tuple[Requirement, ...]] = {}
    for one in body["steps"]:
        key = (Procedure(one["procedure"]), CaseKind(one["kind"]))
        wanted = Requirement(Step(one["step"]), Rule(one["rule"]), tuple(map(str, one["accepts"])))
        steps[key] = (*steps.get(key, ()), wanted)
    return Checklist(
        version=int(body["version"]),
        valid_from=date.fromisoformat(body["valid_from"]),
        documents={
            DocumentClass(class_): tuple(map(DocumentType, types))
            for class_, types in body["documents"].items()
        },
        steps=steps,
        published_at=datetime.fromisoformat(body["published_at"]),
        published_by=str(body["published_by"]),
    )


def _name(answer: httpx.Response) -> str:
    """The stable name of a problem; never what was sent."""
    try:
        return str(answer.json()["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        return "no problem document"
