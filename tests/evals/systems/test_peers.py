"""Other memories through their own interfaces, where they are installed; a missing one is one clear sentence."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.evals.systems import peers
from memagent.evals.systems.index import IndexSystem, Vectors, library
from memagent.evals.systems.registry import ALL, NAMES, PEERS, available, named, other
from memagent.models.embedder import MiniLMEmbedder
from tests.evals.systems.conversations import conversation, found

MODULES = {"mem0": "mem0", "langgraph-memory": "langgraph", "langgraph-sqlite": "langgraph", "txtai": "txtai"}


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return Vectors(MiniLMEmbedder())


@pytest.fixture(params=list(PEERS))
def peer(request: pytest.FixtureRequest, vectors: Vectors) -> IndexSystem:
    pytest.importorskip(MODULES[request.param])
    if request.param == "langgraph-sqlite" and not hasattr(sqlite3.Connection, "enable_load_extension"):
        pytest.skip("this Python's sqlite3 loads no extensions")
    return other(request.param, vectors)


@pytest.mark.timeout(600)
def test_a_peer_finds_the_turn_that_answers_with_our_vectors(peer: IndexSystem) -> None:
    hits = found(peer, "Which dog did Odile adopt?", 4)
    assert hits[0].turn == "t1" and hits[0].score > hits[1].score
    assert len({hit.turn for hit in hits}) == len(hits) == 4
    assert peer.embedder == MiniLMEmbedder.name


@pytest.mark.timeout(600)
def test_a_peer_may_be_empty_and_is_empty_again_each_time(peer: IndexSystem) -> None:
    with peer.open() as memory:
        assert memory.search("greyhound?", conversation().end, 3) == []
    found(peer, "greyhound?")
    with peer.open() as memory:
        assert memory.search("greyhound?", conversation().end, 3) == []


def test_mem0_writes_nothing_into_the_home_of_the_person(
    vectors: Vectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mem0")
    monkeypatch.setenv("HOME", str(tmp_path))
    found(peers.mem0(vectors), "greyhound?")
    assert list(tmp_path.glob(".mem0*")) == []


@pytest.mark.parametrize("make", [peers.mem0, peers.langgraph_memory, peers.txtai])
def test_what_is_not_installed_is_said_with_the_line_that_installs_it(
    make: Callable[[Vectors], IndexSystem], vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("memagent.evals.systems.index.import_module", absent)
    peers._mem0_memory.cache_clear()
    with pytest.raises(InputError, match="is not installed") as caught:
        make(vectors)
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
