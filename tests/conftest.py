"""Fixtures that every stage's tests may use."""

from typing import Any

import pytest

from project import shipped_config


@pytest.fixture
def study() -> dict[str, Any]:
    """config.yaml as it ships, to be changed at will."""
    return shipped_config()
