"""How long a search takes, embedding apart, in a space that shares its database with another.

python -m memagent.evals.bench.search --facts 1000 10000 100000 --index

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
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.evals.bench.timing import Timing, measure, print_table
from memagent.memory.records import FactDraft, Scope, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.words import fts_query

DIMENSION = 384
CLUSTERS = 500  # vectors lie around this many centres: neither all alike nor all unrelated, as those of sentences
SPREAD = 0.8
K = 10
_SYLLABLES = ("ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "cha", "dre")
_SUBJECTS = ("user", "user", "user", "Ana", "Ben", "boiler")
_ATTRIBUTES = ("favourite colour", "job", "home city", "car", "phone")

Vectors = NDArray[np.float32]


class ClusteredVectors:
    """An embedder that gives each text a fixed unit vector near one of `CLUSTERS` centres, and gives it again for
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
        return EncodedQuery(self._vector(text))

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        if text not in self._known:
            rng = np.random.default_rng(crc32(text.encode()))
            noise = rng.standard_normal(DIMENSION).astype(np.float32)
            vector = self._centres[rng.integers(CLUSTERS)] + SPREAD * noise
            self._known[text] = vector / np.linalg.norm(vector)
        return self._known[text]


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


def fill(folder: Path, facts: int, embedder: ClusteredVectors, corpus: Corpus, queries: int) -> tuple[str, list[str]]:
    """A database with `facts` facts in the searched space and a tenth as many in another; its URL and questions."""
    url = f"sqlite:///{folder / f'{facts}.db'}"
    questions: list[str] = []
    for space, count in (("main", facts), ("other", facts // 10)):
        with MemoryStore.open(url, space=space, embedder=embedder) as store:
            drafts = [corpus.draft(number) for number in range(count)]
            for draft in drafts:
                store.add_fact(draft, asked_by="import")
            if space == "main":
                questions = [corpus.question(draft) for draft in corpus.random.choices(drafts, k=queries)]
    return url, questions


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
    matrix = np.stack([np.frombuffer(row[1], "<f4") for row in stored])
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[1000, 10_000], help="sizes of the store")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--index", action="store_true", help="measure Chroma, too (a minute to build per 100,000)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for facts in options.facts:
            results = run(Path(folder), facts, options.queries, options.seed, options.index)
            print_table(f"search, {facts:,} facts", results)


if __name__ == "__main__":
    main()
