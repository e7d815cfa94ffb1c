"""How long a search takes: facts, in a space that shares its database with another, and turns of conversation.

python -m memagent.evals.bench.search --facts 1000 10000 100000 --index --turns 10000 100000

Facts have vectors only, and their questions are not embedded in the time measured. Turns have vectors and token states,
and the time is that of the whole: the shipped embedder encodes each question.

Baselines of the same run: the matrix product and partial sort alone (raw numpy), and one FTS5 query with a space filter
over the same content words (raw sqlite3). `--index` builds Chroma as well, and measures it and its recall@10 against
exact search.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.evals.bench.timing import Measure, Timing, measure, shown
from memagent.memory.records import FactDraft, Scope, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.words import fts_query
from memagent.models.embedder import KEPT_TOKENS, MiniLMEmbedder

DIMENSION = 384
CLUSTERS = 500  # vectors lie around this many centres: neither all alike nor all unrelated, as those of sentences
SPREAD = 0.8
K = 10
_SYLLABLES = ("ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "cha", "dre")
_SUBJECTS = ("user", "user", "user", "Ana", "Ben", "boiler")
_SPEAKERS = ("Ana", "Ben")
_ATTRIBUTES = ("favourite colour", "job", "home city", "car", "phone")

Vectors = NDArray[np.float32]


class ClusteredVectors:
    """An embedder that gives each text a fixed unit vector near one of `CLUSTERS` centres, and a question's again for
    nothing."""

    name = "bench-clustered"
    dimension = DIMENSION
    token_dimension = 0

    def __init__(self, seed: int) -> None:
        self._centres = np.random.default_rng(seed).standard_normal((CLUSTERS, DIMENSION)).astype(np.float32)
        self._known: dict[str, Vectors] = {}

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        return [Encoded(self._vector(passage.text)) for passage in passages]

    def encode_query(self, text: str) -> EncodedQuery:
        if text not in self._known:
            self._known[text] = self._vector(text)
        return EncodedQuery(self._known[text])

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.encode_query(text).vector for text in texts])

    def _vector(self, text: str) -> Vectors:
        rng = np.random.default_rng(crc32(text.encode()))
        noise = rng.standard_normal(DIMENSION).astype(np.float32)
        vector = self._centres[rng.integers(CLUSTERS)] + SPREAD * noise
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit


class ShippedQueries:
    """Encodes questions as the shipped embedder does, and passages at random, which costs a search the same."""

    def __init__(self, seed: int) -> None:
        self._shipped = MiniLMEmbedder()
        self._random = np.random.default_rng(seed)
        self.name = self._shipped.name
        self.dimension, self.token_dimension = self._shipped.dimension, self._shipped.token_dimension

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        vectors = self._random.standard_normal((len(passages), self.dimension)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        sizes = [min(len(passage.text) // 5 + 1, KEPT_TOKENS) for passage in passages]
        states = [self._random.integers(-127, 128, (size, self.token_dimension)).astype(np.int8) for size in sizes]
        return [Encoded(vector, tokens) for vector, tokens in zip(vectors, states, strict=True)]

    def encode_query(self, text: str) -> EncodedQuery:
        return self._shipped.encode_query(text)


class Corpus:
    """Facts whose words are distributed as in real text (the commonest in a tenth of all), and questions about some of
    them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        words = {"".join(self.random.choices(_SYLLABLES, k=self.random.randint(2, 4))) for _ in range(20_000)}
        self._words = sorted(words)
        self.random.shuffle(self._words)
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(len(self._words))))

    def draft(self, number: int) -> FactDraft:
        words = self.random.choices(self._words, cum_weights=self._weights, k=12)
        subject, attribute = self.random.choice(_SUBJECTS), self.random.choice(_ATTRIBUTES)
        return FactDraft(subject, attribute, f"{words[0]} {number}", " ".join(words), single=False)

    def question(self, draft: FactDraft) -> str:
        first, second, third = self.random.sample(draft.text.split(), 3)
        return f"What's the {first} of the {second} that I told you about, {draft.subject}'s {draft.attribute} {third}?"

    def turn(self) -> str:
        """Something said: four to thirty words."""
        return " ".join(self.random.choices(self._words, cum_weights=self._weights, k=self.random.randint(4, 30)))

    def asked(self, turn: str) -> str:
        first, second, third = self.random.sample(turn.split(), 3)
        return f"What did {self.random.choice(_SPEAKERS)} say about the {first} and the {second} {third}?"


def fill(folder: Path, facts: int, embedder: ClusteredVectors, corpus: Corpus, queries: int) -> tuple[str, list[str]]:
    """A database with `facts` facts in the searched space and a tenth as many in another; its URL and questions."""
    url = f"sqlite:///{folder / f'{facts}.db'}"
    questions: list[str] = []
    for space, count in (("main", facts), ("other", facts // 10)):
        with MemoryStore.open(url, space=space, embedder=embedder) as store:
            asked = Counter(corpus.random.choices(range(count), k=queries)) if space == "main" else Counter[int]()
            for number in range(count):
                draft = corpus.draft(number)
                store.add_fact(draft, asked_by="import")
                questions += [corpus.question(draft) for _ in range(asked[number])]
    corpus.random.shuffle(questions)
    return url, questions


def fill_conversations(folder: Path, turns: int, corpus: Corpus, queries: int) -> tuple[str, list[str]]:
    """A database with `turns` messages of two people, 20 to a session; its URL and questions."""
    url = f"sqlite:///{folder / f'{turns}-turns.db'}"
    texts = [corpus.turn() for _ in range(turns)]
    with MemoryStore.open(url) as store:
        for number, text in enumerate(texts):
            if number % 20 == 0:
                session = store.start_session()
            store.add_message(session.id, "user", text, speaker=_SPEAKERS[number % 2])
    return url, [corpus.asked(text) for text in corpus.random.choices(texts, k=queries)]


def run_conversations(folder: Path, turns: int, queries: int, seed: int) -> dict[str, Timing]:
    """The timings of searches in conversation."""
    url, questions = fill_conversations(folder, turns, Corpus(seed), queries)
    embedder = ShippedQueries(seed)
    with MemoryStore.open(url) as store:
        results = {"search, words only": timed(store, questions, "conversation")}
        store.attach_embedder(embedder)
        store.drain()
        results["encoding the question"] = measure(lambda n: embedder.encode_query(questions[n]), len(questions))
        results["first search (loads vectors)"] = timed(store, questions[:1], "conversation")
        results["search, question encoded"] = timed(store, questions, "conversation")
    return results


def raw_words(path: Path, questions: Sequence[str]) -> Timing:
    """One FTS5 query for the content words, joined to the space, best ten by BM25."""
    sql = (
        "select facts.id from fact_words join facts on facts.id = fact_words.rowid"
        " where fact_words match ? and facts.space_id = 1 order by rank limit ?"
    )
    with closing(sqlite3.connect(path)) as connection:
        return measure(lambda n: connection.execute(sql, (fts_query(questions[n]), K)).fetchall(), len(questions))


def raw_vectors(path: Path, queries: Vectors) -> tuple[Timing, list[list[int]]]:
    """The matrix product and partial sort, and the ids of the nearest facts that they give."""
    with closing(sqlite3.connect(path)) as connection:
        stored = connection.execute("select owner_id, data from vectors where space_id = 1").fetchall()
    owners = np.array([row[0] for row in stored])
    matrix = np.frombuffer(b"".join(row[1] for row in stored), "<f4").reshape(len(stored), -1)
    nearest: list[list[int]] = []

    def search(number: int) -> None:
        scores = matrix @ queries[number]
        best = np.argpartition(scores, -K)[-K:]
        nearest.append(owners[best].tolist())

    return measure(search, len(queries)), nearest


def recall(store: MemoryStore, queries: Vectors, truth: Sequence[Sequence[int]]) -> tuple[Timing, float]:
    """Milliseconds of the index alone, and the share of the true nearest facts that it finds."""
    keeper = store.index_keeper
    assert keeper is not None
    found = []
    times = measure(lambda n: found.append({near.id for near in keeper.query(queries[n], K) or ()}), len(queries))
    return times, statistics.mean(len(ids & set(true)) / K for ids, true in zip(found, truth, strict=True))


def run(folder: Path, facts: int, queries: int, seed: int, with_index: bool) -> dict[str, Timing]:
    """The timings, by what was measured."""
    embedder, corpus = ClusteredVectors(seed), Corpus(seed)
    url, questions = fill(folder, facts, embedder, corpus, queries)
    vectors = embedder.embed(questions)
    path = folder / f"{facts}.db"
    results: dict[str, Timing] = {}
    results["raw numpy, exact"], truth = raw_vectors(path, vectors)
    results["raw FTS5, same words"] = raw_words(path, questions)
    with MemoryStore.open(url, space="main") as store:
        results["search, words only"] = timed(store, questions)
    with MemoryStore.open(url, space="main", embedder=embedder) as store:
        results["first search (loads vectors)"] = timed(store, questions[:1])
        results["search, facts"] = timed(store, questions, "facts")
        results["search, all"] = timed(store, questions)
        if with_index:
            keeper = store.index_keeper
            assert keeper is not None
            keeper.threshold = 0
            results["building Chroma"] = measure(lambda _: store.drain(), 1)
            times, share = recall(store, vectors, truth)
            results[f"Chroma alone, recall@{K} {share:.4f}"] = times
            results["search through Chroma, all"] = timed(store, questions)
    return results


def timed(store: MemoryStore, questions: Sequence[str], scope: Scope = "all") -> Timing:
    return measure(lambda n: store.search(SearchQuery(questions[n], scope=scope)), len(questions))


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Print the tables, and give their rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[1000, 10_000], help="sizes of the store")
    parser.add_argument("--turns", type=int, nargs="*", default=[10_000], help="sizes of the conversations")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--index", action="store_true", help="measure Chroma, too (a minute to build per 100,000)")
    options = parser.parse_args(arguments)
    found: list[Measure] = []
    with tempfile.TemporaryDirectory() as folder:
        for facts in options.facts:
            results = run(Path(folder), facts, options.queries, options.seed, options.index)
            found += shown("search", facts, results)
        for turns in options.turns:
            results = run_conversations(Path(folder), turns, options.queries, options.seed)
            found += shown("search in conversation", turns, results, unit="turns")
    return found


if __name__ == "__main__":
    main()
