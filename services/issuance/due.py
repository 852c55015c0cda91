"""What becomes due by the clock in this room: a table, like the one of events."""

from collections.abc import Sequence

from services.issuance.handlers import forgetting
from services.issuance.settings import IssuanceSettings
from shared.due import Due
from shared.room import Resources


def works(_: Resources) -> Sequence[Due]:
    """The due work of this room."""
    return (
        Due("reasons of proxies", forgetting.proxy_reasons_of(IssuanceSettings().reasons_kept)),
    )
