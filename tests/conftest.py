"""No test sees the settings, or touches the memory, of the person who runs it; none asks the network for a model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock
from memagent.models.hash_embedder import HashEmbedder

os.environ["HF_HUB_OFFLINE"] = "1"  # read once, when the library of the hub is imported
settings.register_profile("tests", deadline=None)  # the machine may be busy; what is said here is not about time
settings.load_profile("tests")

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, in the environment of the test and of the processes that it starts."""
    for name in [name for name in os.environ if name.startswith("MEMAGENT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("MEMAGENT_HOME", str(folder))
    return folder


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'memory.db'}"


@pytest.fixture
def store(url: str) -> Iterator[MemoryStore]:
    """A real store at a fixed clock; texts that share words are near to its embedder."""
    with MemoryStore.open(url, embedder=HashEmbedder(), clock=FixedClock(NOW)) as opened:
        yield opened
