"""What commands work with besides the database: vault, keyed hashes, secret, calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.preparation.settings import PreparationSettings
from shared.calendar import BusinessCalendar
from shared.security.blind_index import BlindIndex
from shared.security.vault import Vault
from shared.settings import Doors, KernelSettings, key_ring

_PURPOSE = b"madoguchi preparation notice number 1"


@dataclass(frozen=True, slots=True)
class Tools:
    """Made at start. ``secrets`` derive notice numbers: by key id, the first is current."""

    vault: Vault
    index: BlindIndex
    secrets: Mapping[str, bytes]
    settings: PreparationSettings
    calendar: BusinessCalendar

    @classmethod
    def read(cls, kernel: KernelSettings, doors: Doors, own: PreparationSettings) -> Self:
        """The tools under the rings of the settings.

        Raises ``ValueError`` naming a ring that is missing or malformed.
        """
        masters = key_ring(doors.master_keys, "PREPARATION_MASTER_KEYS")
        return cls(
            vault=Vault(masters),
            index=BlindIndex(key_ring(kernel.notice_keys, "NOTICE_KEYS")),
            secrets={key_id: _secret(key) for key_id, key in masters.items()},
            settings=own,
            calendar=BusinessCalendar(),
        )

    @property
    def secret_id(self) -> str:
        """The current secret."""
        return next(iter(self.secrets))


def _secret(master: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(master)
