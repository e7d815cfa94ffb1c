"""Other memories through their own interfaces, where they are installed; a missing one is one clear sentence."""

from __future__ import annotations

import importlib
import os
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.evals.systems import peers
from memagent.evals.systems.index import IndexSystem, Vectors, library
from memagent.evals.systems.registry import ALL, NAMES, PEERS, available, named, other
from memagent.models.embedder import MiniLMEmbedder
from tests.evals.systems.conversations import conversation, found

MODULES = {
    "mem0": "mem0",
    "langgraph-memory": "langgraph",
    "langgraph-sqlite": "langgraph",
    "txtai": "txtai",
    "basic-memory": "basic_memory",
}


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(MiniLMEmbedder())


@pytest.fixture(params=list(PEERS))
def peer(request: pytest.FixtureRequest, vectors: Vectors) -> IndexSystem:
    if find_spec(MODULES[request.param]) is None:  # looked for, not imported: import is the adapter's business
        pytest.skip(f"{MODULES[request.param]} is not installed")
    if request.param == "langgraph-sqlite" and not hasattr(sqlite3.Connection, "enable_load_extension"):
        pytest.skip("this Python's sqlite3 loads no extensions")
    return other(request.param, vectors)


@pytest.mark.timeout(600)
def test_a_peer_finds_the_turn_that_answers_with_our_vectors(peer: IndexSystem) -> None:
    by_words = peer.name == "basic-memory"
    hits = found(peer, "greyhound called Pistachio" if by_words else "Which dog did Odile adopt?", 4)
    assert hits[0].turn == "t1"
    assert len({hit.turn for hit in hits}) == len(hits) == (1 if by_words else 4)
    assert peer.embedder == ("" if by_words else MiniLMEmbedder.name)


@pytest.mark.timeout(600)
def test_a_peer_may_be_empty_and_is_empty_again_each_time(peer: IndexSystem) -> None:
    with peer.open() as memory:
        assert memory.search("greyhound?", conversation().end, 3) == []
    found(peer, "greyhound?")
    with peer.open() as memory:
        assert memory.search("greyhound?", conversation().end, 3) == []


@pytest.mark.timeout(600)
def test_a_peer_writes_nothing_into_the_home_of_the_person(peer: IndexSystem, tmp_path: Path) -> None:
    code = (
        "from memagent.evals.systems.registry import other, vectors\n"
        "from tests.evals.systems.conversations import found\n"
        f"print(len(found(other({peer.name!r}, vectors()), 'greyhound')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert result.returncode == 0 and int(result.stdout) >= 1, result.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {".cache", ".config", "home"}
    assert "posthog" not in result.stderr.lower()


@pytest.mark.parametrize("name", ["mem0", "langgraph-memory", "txtai", "basic-memory"])
def test_what_is_not_installed_is_said_with_the_line_that_installs_it(
    name: str, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("memagent.evals.systems.index.import_module", absent)
    peers._mem0_memory.cache_clear()
    with pytest.raises(InputError, match="is not installed") as caught:
        other(name, vectors)
    assert caught.value.hint.startswith("pip install ")


def test_a_library_that_is_broken_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: str) -> None:
        raise ImportError("libfoo.so: cannot open shared object file", name="foo")

    monkeypatch.setattr("memagent.evals.systems.index.import_module", broken)
    with pytest.raises(InputError, match=r"txtai cannot be imported: libfoo\.so"):
        library("txtai.embeddings", "txtai")
    assert importlib.import_module("json")


def test_systems_are_named_with_commas() -> None:
    assert named("memagent, bm25,bm25") == ("memagent", "bm25") and named(ALL) == NAMES
    for text, said in (("bm26", "there is no system 'bm26'"), (" , ", "no system is named")):
        with pytest.raises(InputError, match=said):
            named(text)


def test_what_is_left_out_of_several_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("memagent.evals.systems.index.import_module", absent)
    told: list[str] = []
    assert available(["memagent", "txtai", "bm25"], told.append) == ["memagent", "bm25"]
    assert told == ["without txtai: txtai is not installed (pip install 'memagent[peers]')"]
