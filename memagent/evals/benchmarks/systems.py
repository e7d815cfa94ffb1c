"""The systems that the benchmarks can be run on, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from memagent.evals.benchmarks.memory import StoreSystem, System


def _memagent(cache: Path | None) -> System:
    from memagent.models.embedder import MiniLMEmbedder

    return StoreSystem(MiniLMEmbedder(), cache)


# Each is made with the folder in which it may keep what it was given, or None.
SYSTEMS: Mapping[str, Callable[[Path | None], System]] = {"memagent": _memagent}
