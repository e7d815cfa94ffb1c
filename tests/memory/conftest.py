"""Stores of their own for the tests of the memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock
from memagent.models.hash_embedder import HashEmbedder

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'memory.db'}"


@pytest.fixture
def store(url: str) -> Iterator[MemoryStore]:
    with MemoryStore.open(url, embedder=HashEmbedder(), clock=FixedClock(NOW)) as opened:
        yield opened
