"""What the citizens' side works with besides the database: the vault, keyed hashes, codes, links.

Everything is derived from the room's ring of master keys, each purpose under a key of its own, so
that no other room can make a link or recognize an address.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.reservation.domain.link import Link, LinkRefused, Purpose
from shared.ids import CaseId
from shared.security.vault import Vault
from shared.settings import Doors, key_ring

_MAC: Final = 16
_PURPOSES: Final = tuple(Purpose)
_TAG: Final = 8
CODE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Tools:
    """Made at start. Each ring is in the order of the master keys; the first is current."""

    vault: Vault
    _addresses: tuple[bytes, ...]
    _codes: tuple[bytes, ...]
    _links: tuple[bytes, ...]

    @classmethod
    def of(cls, masters: Mapping[str, bytes]) -> Self:
        """The tools under ``masters``, a ring of 32-byte keys."""
        return cls(
            vault=Vault(masters),
            _addresses=_derived(masters, b"madoguchi reservation address 1"),
            _codes=_derived(masters, b"madoguchi reservation code 1"),
            _links=_derived(masters, b"madoguchi reservation link 1"),
        )

    @classmethod
    def read(cls, doors: Doors) -> Self:
        """The tools under the ring of the settings.

        Raises ``ValueError`` naming a ring that is missing or malformed.
        """
        return cls.of(key_ring(doors.master_keys, "RESERVATION_MASTER_KEYS"))

    def address_keys(self, address: str) -> list[str]:
        """What finds a mailbox, telephone or network address: one hash per key, current first."""
        return [_text(hmac.digest(key, address.encode(), "sha256")) for key in self._addresses]

    def code(self, purpose: str, ref: UUID) -> str:
        """The code for ``ref``: always the same, so that it need not be kept anywhere."""
        return _code(self._codes[0], purpose, ref)

    def is_code(self, purpose: str, ref: UUID, given: str) -> bool:
        """Whether ``given`` is the code for ``ref``; takes the same time for yes and no."""
        made = [_code(key, purpose, ref) for key in self._codes]
        return True in [hmac.compare_digest(one.encode(), given.encode()) for one in made]

    def link(self, link: Link) -> str:
        """The token of a link, safe in a URL."""
        payload = _packed(link)
        return _text(payload + _mac(self._links[0], payload))

    def read_link(self, token: str) -> Link:
        """The link a token stands for. Raises ``LinkRefused``."""
        try:
            data = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (Base64Error, ValueError):
            raise LinkRefused from None
        payload, given = data[:-_MAC], data[-_MAC:]
        made = [_mac(key, payload) for key in self._links]
        if True not in [hmac.compare_digest(one, given) for one in made]:
            raise LinkRefused
        return _unpacked(payload)


def contact_tag(contact_id: UUID) -> bytes:
    """What binds a link to the address it was mailed to."""
    return contact_id.bytes[-_TAG:]


def _packed(link: Link) -> bytes:
    purpose = bytes([_PURPOSES.index(link.purpose)])
    return purpose + link.case_id.bytes + link.ref.bytes + link.contact_tag


def _unpacked(payload: bytes) -> Link:
    if len(payload) != 1 + 16 + 16 + _TAG or payload[0] >= len(_PURPOSES):
        raise LinkRefused
    return Link(
        purpose=_PURPOSES[payload[0]],
        case_id=CaseId(UUID(bytes=payload[1:17])),
        ref=UUID(bytes=payload[17:33]),
        contact_tag=payload[33:],
    )


def _derived(masters: Mapping[str, bytes], purpose: bytes) -> tuple[bytes, ...]:
    return tuple(
        HKDF(SHA256(), length=32, salt=None, info=purpose).derive(key) for key in masters.values()
    )


def _code(key: bytes, purpose: str, ref: UUID) -> str:
    digest = hmac.digest(key, f"{purpose}|{ref}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, payload, "sha256")[:_MAC]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
