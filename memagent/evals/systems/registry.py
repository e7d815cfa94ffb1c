"""The systems that can be measured, by name; each is made, and its library imported, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from memagent.errors import InputError
from memagent.evals.benchmarks.memory import StoreSystem, System
from memagent.evals.systems import baselines, peers
from memagent.evals.systems.basic_memory import basic_memory
from memagent.evals.systems.index import IndexSystem, Vectors
from memagent.models.embedder import MiniLMEmbedder

MEMAGENT = "memagent"
ALL = "all"

Make = Callable[[Vectors], IndexSystem]

BASELINES: Mapping[str, Make] = {
    "no-memory": lambda _: baselines.no_memory(),
    "window": lambda _: baselines.window(),
    "full-context": lambda _: baselines.full_context(),
    "bm25": lambda _: baselines.bm25(),
    "dense": baselines.dense,
}
PEERS: Mapping[str, Make] = {
    "mem0": peers.mem0,
    "langgraph-memory": peers.langgraph_memory,
    "langgraph-sqlite": peers.langgraph_sqlite,
    "txtai": peers.txtai,
    "basic-memory": lambda _: basic_memory(),
}
OTHERS: Mapping[str, Make] = {**BASELINES, **PEERS}
NAMES = (MEMAGENT, *OTHERS)


def named(text: str) -> tuple[str, ...]:
    """The systems of "a,b"; of "all" every one. Raises InputError."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if names == (ALL,):
        return NAMES
    for name in names:
        if name not in NAMES:
            raise InputError(f"there is no system {name!r}", f"systems are {', '.join(NAMES)}, and {ALL}")
    if not names:
        raise InputError("no system is named", f"systems are {', '.join(NAMES)}, and {ALL}")
    return names


def vectors() -> Vectors:
    """The shipped embedder, for others."""
    return Vectors(MiniLMEmbedder())


def other(name: str, given: Vectors) -> IndexSystem:
    """A system that is not memagent. Raises InputError where its library is not installed."""
    return OTHERS[name](given)


def system(name: str, cache: Path | None = None) -> System:
    """A system with the shipped embedder; memagent keeps its filled stores in `cache`. Raises InputError."""
    return StoreSystem(MiniLMEmbedder(), cache) if name == MEMAGENT else other(name, vectors())


def available(names: Sequence[str], skipped: Callable[[str], None]) -> list[str]:
    """Those of `names` whose library is installed; `skipped` is told why each other one is not."""
    found, given = [], vectors()
    for name in names:
        try:
            if name != MEMAGENT:
                other(name, given)
            found.append(name)
        except InputError as error:
            skipped(f"without {name}: {error.message} ({error.hint})")
    return found
