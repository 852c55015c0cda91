"""Golden files: the whole Kafka record of each sample, as it must stay for ever.

``python -m tests.contracts.golden_files`` writes those that are missing. It changes none: who
means to change one deletes it first, and the deletion shows in review.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.contracts.base import Event
from shared.contracts.catalog import topics_of
from shared.messaging.envelope import Envelope, encode
from tests.contracts.samples import SAMPLES

FOLDER = Path(__file__).parent / "golden"
PUBLISHER = {"site": "reservation", "clock": "simulation"}


def envelope_of(sample: Event) -> Envelope:
    """The sample's envelope, with fixed attributes."""
    owner = topics_of(type(sample))[0].removesuffix(".events")
    return Envelope(
        id=UUID("0197c000-0000-7000-8000-00000000e001"),
        source=f"/141305/{PUBLISHER.get(owner, owner)}",
        type=sample.type,
        subject=sample.subject,
        time=datetime(2025, 7, 1, 1, 23, 45, 678000, tzinfo=UTC),
        sequence=7,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data=sample.model_dump_json().encode(),
    )


def record_of(sample: Event) -> dict[str, Any]:
    """The record of ``sample`` as a golden file tells it."""
    key, headers, value = encode(envelope_of(sample))
    return {
        "topic": topics_of(type(sample))[0],
        "key": key.decode(),
        "headers": {name: text.decode() for name, text in headers},
        "value": json.loads(value),
    }


def path_of(event_type: str) -> Path:
    """The golden file of an event."""
    return FOLDER / f"{event_type}.json"


def main() -> None:
    """Write the golden files that are missing."""
    for event_type, sample in SAMPLES.items():
        if not path_of(event_type).exists():
            text = json.dumps(record_of(sample), ensure_ascii=False, indent=2) + "\n"
            path_of(event_type).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
