"""Deployment files, read as their tools read them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def rooms(root: Path) -> list[str]:
    """The rooms that exist, by their manifests."""
    return sorted(path.parent.name for path in root.glob("services/*/pyproject.toml"))


@pytest.fixture(scope="session")
def compose(root: Path) -> dict[str, Any]:
    """docker-compose.yml with its anchors resolved."""
    document: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))
    return document
