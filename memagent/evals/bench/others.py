"""Adding and searching with memagent's store, with the raw libraries, and with other memories, in one run.

python -m memagent.evals.bench.others --facts 1000 --systems all

All are given the same texts and the same made-up vectors, so that the stores are compared and not the embedding. The
raw libraries are sqlite3 with FTS5 (words) and numpy (vectors, kept in memory only). Those that are not installed are
left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from sqlite3 import connect

from memagent.evals.bench.search import ClusteredVectors, Corpus
from memagent.evals.bench.timing import Measure, Timing, measure, shown
from memagent.evals.systems.baselines import Cosine, held
from memagent.evals.systems.index import Index, IndexSystem, Vectors
from memagent.evals.systems.registry import MEMAGENT, PEERS, available
from memagent.evals.systems.registry import other as made
from memagent.memory.records import SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.words import fts_query

K = 10
WORDS, VECTORS = "raw sqlite3 and FTS5", "raw numpy"


class StoreIndex:
    """memagent's own store: a message, its words, its vector, and what is queued, all committed."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._session = store.start_session().id
        self._numbers: dict[int, int] = {}

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        for number, text in zip(numbers, texts, strict=True):
            self._numbers[self._store.add_message(self._session, "user", text).id] = number
        self._store.drain()

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        hits = self._store.search(SearchQuery(question, scope="conversation", limit=limit))
        return [(self._numbers[hit.id], hit.score) for hit in hits]


class RawWords:
    """One FTS5 table, one commit a text or batch, WAL as in the store."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, isolation_level=None)
        self._connection.executescript(
            "pragma journal_mode = wal; pragma synchronous = normal;"
            "create virtual table words using fts5(text, tokenize='porter unicode61');"
        )

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        self._connection.execute("begin")
        rows = zip(numbers, texts, strict=True)
        self._connection.executemany("insert into words (rowid, text) values (?, ?)", rows)
        self._connection.execute("commit")

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        sql = "select rowid, -rank from words where words match ? order by rank limit ?"
        return self._connection.execute(sql, (fts_query(question), limit)).fetchall()

    def close(self) -> None:
        self._connection.close()


def systems(names: Sequence[str], vectors: Vectors, embedder: ClusteredVectors) -> Iterator[IndexSystem]:
    """memagent, the raw libraries, and the others of `names`."""

    @contextmanager
    def store(folder: Path) -> Iterator[Index]:
        with MemoryStore.open(f"sqlite:///{folder / 'memory.db'}", embedder=embedder, data_dir=folder) as opened:
            yield StoreIndex(opened)

    @contextmanager
    def words(folder: Path) -> Iterator[Index]:
        with closing(RawWords(folder / "words.db")) as index:
            yield index

    yield IndexSystem(MEMAGENT, store)
    yield IndexSystem(WORDS, words)
    yield IndexSystem(VECTORS, held(lambda: Cosine(vectors)))
    for name in names:
        yield made(name, vectors)


def run(system: IndexSystem, facts: int, queries: int, seed: int) -> tuple[Timing, Timing]:
    """Fill in one go, then add one by one, then search; the times of both."""
    corpus = Corpus(seed)
    drafts = [corpus.draft(number) for number in range(facts + queries)]
    questions = [corpus.question(draft) for draft in corpus.random.choices(drafts, k=queries)]
    texts = [f"{draft.subject}: {draft.text}" for draft in drafts]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, system.index(Path(folder)) as index:
        index.add(range(facts), texts[:facts])
        index.search(questions[0], K)
        added = measure(lambda n: index.add([facts + n], [texts[facts + n]]), queries)
        index.search(questions[0], K)
        searched = measure(lambda n: index.search(questions[n], K), queries)
    return added, searched


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Print the tables, and give their rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[1000], help="texts stored before measuring")
    parser.add_argument("--queries", type=int, default=100, help="texts added, and questions asked")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--systems", nargs="*", default=list(PEERS), choices=list(PEERS), help="of those installed")
    options = parser.parse_args(arguments)
    names = available(options.systems, lambda why: print(why, file=sys.stderr))
    found: list[Measure] = []
    for facts in options.facts:
        embedder = ClusteredVectors(options.seed)
        added: dict[str, Timing] = {}
        searched: dict[str, Timing] = {}
        for system in systems(names, Vectors(embedder), embedder):
            added[system.name], searched[system.name] = run(system, facts, options.queries, options.seed)
        found += shown("add, beside others", facts, added) + shown("search, beside others", facts, searched)
    return found


if __name__ == "__main__":
    main()
