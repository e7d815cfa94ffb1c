"""MaxSim over stored token states, against the definition."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.memory.late import max_similarities
from memagent.memory.records import FactDraft, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.vectors import Owner, VectorSpace
from tests.memory.token_embedder import WIDTH, TokenEmbedder


class RandomStates(TokenEmbedder):
    """States of any length and number, and none for a text that says so."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)
        self.made: dict[str, NDArray[np.int8]] = {}

    def encode(self, passages: list[Passage]) -> list[Encoded]:  # type: ignore[override]
        vectors = self.hashed.embed([passage.text for passage in passages])
        found = []
        for vector, passage in zip(vectors, passages, strict=True):
            tokens = self.rng.integers(-127, 128, (int(self.rng.integers(1, 40)), WIDTH)).astype(np.int8)
            self.made[passage.text] = tokens
            found.append(Encoded(vector, None if "without" in passage.text else tokens))
        return found


@pytest.fixture
def embedder() -> RandomStates:
    return RandomStates()


@pytest.fixture
def store(url: str, embedder: RandomStates) -> Iterator[MemoryStore]:
    with MemoryStore.open(url, embedder=embedder) as opened:
        yield opened


def say(store: MemoryStore, *texts: str) -> list[Owner]:
    session = store.start_session()
    return [("message", store.add_message(session.id, "user", text).id) for text in texts]


def query(rng: np.random.Generator, tokens: int = 5) -> EncodedQuery:
    states = rng.standard_normal((tokens, WIDTH)).astype(np.float32)
    weights = rng.random(tokens).astype(np.float32)
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    return EncodedQuery(np.zeros(64, np.float32), unit, weights / weights.sum())


def compare(
    store: MemoryStore, embedder: TokenEmbedder, asked: EncodedQuery, owners: list[Owner]
) -> dict[Owner, float]:
    space = VectorSpace(store.space_id, embedder.name, embedder.dimension)
    with store.database.read() as connection:
        return max_similarities(connection, space, asked, owners)


def by_definition(asked: EncodedQuery, stored: NDArray[np.int8]) -> float:
    assert asked.tokens is not None and asked.weights is not None
    states = stored.astype(float)
    total = 0.0
    for token, weight in zip(asked.tokens, asked.weights, strict=True):
        total += weight * max(float(token @ state / np.linalg.norm(state)) for state in states)
    return total


def test_scores_are_those_of_the_definition_for_every_kind(store: MemoryStore, embedder: RandomStates) -> None:
    texts = [f"message {number}" for number in range(30)]
    owners = dict(zip(say(store, *texts), texts, strict=True))
    fact = store.add_fact(FactDraft("boiler", "maker", "Hartnell"), asked_by="user").after
    assert fact is not None
    owners["fact", fact.id] = next(text for text in embedder.made if "Hartnell" in text)
    store.add_document("d", "d.txt", "a chunk of a document", asked_by="user")
    owners["chunk", 1] = "a chunk of a document"
    asked = query(np.random.default_rng(1))
    found = compare(store, embedder, asked, list(owners))
    assert set(found) == set(owners)
    for owner, text in owners.items():
        assert found[owner] == pytest.approx(by_definition(asked, embedder.made[text]), abs=1e-5)
        assert -1.0 <= found[owner] <= 1.0


def test_what_has_no_states_is_left_out(store: MemoryStore, embedder: RandomStates) -> None:
    plain, bare = say(store, "with states", "without states")
    asked = query(np.random.default_rng(2))
    assert set(compare(store, embedder, asked, [plain, bare, ("message", 999), ("fact", plain[1])])) == {plain}
    assert compare(store, embedder, asked, []) == {}
    assert compare(store, embedder, EncodedQuery(asked.vector), [plain]) == {}


def test_states_of_another_embedder_or_space_are_not_compared(store: MemoryStore, embedder: RandomStates) -> None:
    owners = say(store, "mine")
    asked = query(np.random.default_rng(3))
    for space in (VectorSpace(store.space_id, "another", 64), VectorSpace(store.space_id + 1, embedder.name, 64)):
        with store.database.read() as connection:
            assert max_similarities(connection, space, asked, owners) == {}


def test_damaged_states_are_passed_over(store: MemoryStore, embedder: RandomStates, url: str) -> None:
    whole, cut, empty = say(store, "whole", "cut", "empty")
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as raw:
        raw.execute("update token_states set data = x'0102030405' where vector_id = ?", (cut[1],))
        raw.execute("update token_states set data = x'' where vector_id = ?", (empty[1],))
    assert set(compare(store, embedder, query(np.random.default_rng(4)), [whole, cut, empty])) == {whole}
    assert {hit.id for hit in store.search(SearchQuery("whole cut empty"))} == {whole[1], cut[1], empty[1]}


def test_a_state_without_a_direction_scores_nothing(store: MemoryStore, embedder: RandomStates, url: str) -> None:
    (owner,) = say(store, "silent")
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as raw:
        raw.execute("update token_states set data = ?", (bytes(WIDTH),))
    assert compare(store, embedder, query(np.random.default_rng(5)), [owner]) == {owner: 0.0}
