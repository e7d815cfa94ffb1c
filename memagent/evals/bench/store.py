"""How long the store takes to write, embedding apart; the baseline of the same run is sqlite3 doing the same work.

python -m memagent.evals.bench.store --facts 10000 --writes 2000
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.evals.bench.timing import Measure, Timing, measure, shown
from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.store import MemoryStore

DIMENSION = 384
_SYLLABLES = [consonant + vowel for consonant in "bdklmnr" for vowel in "aeiou"]

_BASELINE = """
    create table facts (id integer primary key autoincrement, slot text, value text, text text, claim_hash text);
    create index facts_slot on facts (slot);
    create index facts_hash on facts (claim_hash);
    create virtual table words
      using fts5(value, text, content='facts', content_rowid='id', tokenize='porter unicode61');
    create trigger words_insert after insert on facts
      begin insert into words(rowid, value, text) values (new.id, new.value, new.text); end;
    create table vectors (id integer primary key, owner_id integer unique, data blob);
    create table queue (id integer primary key, owner_id integer);
    create table operations (id integer primary key, fact_id integer, result text);
"""


class FixedVectors:
    """An embedder that costs next to nothing: one of a thousand unit vectors made beforehand."""

    name = "bench-fixed"
    dimension = DIMENSION
    token_dimension = 0

    def __init__(self, seed: int) -> None:
        vectors = np.random.default_rng(seed).normal(size=(1000, DIMENSION)).astype(np.float32)
        self._vectors: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        return [Encoded(vector) for vector in self.embed([passage.text for passage in passages])]

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self.embed([text])[0])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [crc32(text.encode()) % 1000 for text in texts]
        return self._vectors[rows]


class _Talk:
    """Sentences of made-up words with frequencies as in real text; the same for every run of a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = ["".join(self._random.choices(_SYLLABLES, k=self._random.randint(2, 4))) for _ in range(20_000)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self._words))))

    def sentence(self, length: int = 12) -> str:
        return " ".join(self._random.choices(self._words, cum_weights=self._weights, k=length))

    def draft(self, number: int, sources: tuple[SourceSpan, ...] = ()) -> FactDraft:
        subject, attribute, value = self.sentence(2), self.sentence(1), self.sentence(2)
        return FactDraft(f"{subject} {number}", attribute, value, self.sentence(), sources=sources)


def baseline(path: Path, facts: int, writes: int, seed: int, full_sync: bool) -> Timing:
    """The same rows by sqlite3 alone: fact with full text, vector, queue and operation in one transaction."""
    talk = _Talk(seed)
    vector = FixedVectors(seed).embed(["x"])[0].tobytes()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {'full' if full_sync else 'normal'}")
    connection.executescript(_BASELINE)
    drafts = [talk.draft(number) for number in range(facts + writes)]

    def write(number: int) -> None:
        draft = drafts[number]
        slot = f"{draft.subject}|{draft.attribute}"
        connection.execute("begin immediate")
        connection.execute("select 1 from facts where claim_hash = ?", (slot + draft.value,)).fetchone()
        connection.execute("select 1 from facts where slot = ?", (slot,)).fetchone()
        cursor = connection.execute(
            "insert into facts (slot, value, text, claim_hash) values (?, ?, ?, ?)",
            (slot, draft.value, draft.text, slot + draft.value),
        )
        connection.execute("insert into vectors (owner_id, data) values (?, ?)", (cursor.lastrowid, vector))
        connection.execute("insert into queue (owner_id) values (?)", (cursor.lastrowid,))
        connection.execute("insert into operations (fact_id, result) values (?, ?)", (cursor.lastrowid, draft.text * 4))
        connection.execute("commit")

    measure(write, facts)
    times = measure(lambda number: write(facts + number), writes)
    connection.close()
    return times


def run(folder: Path, facts: int, writes: int, seed: int, full_sync: bool) -> dict[str, Timing]:
    """The timings, by what was measured."""
    talk = _Talk(seed)
    results = {"plain sqlite3, same work": baseline(folder / "plain.db", facts, writes, seed, full_sync)}
    url = f"sqlite:///{folder / 'store.db'}"
    with MemoryStore.open(url, embedder=FixedVectors(seed), full_sync=full_sync) as store:
        session = store.start_session()
        for number in range(facts):
            store.add_fact(talk.draft(number), asked_by="import")
        spans = [
            (SourceSpan(message_id=store.add_message(session.id, "user", talk.sentence(20)).id, start=0, end=12),)
            for _ in range(writes)
        ]
        drafts = [talk.draft(facts + number, spans[number]) for number in range(writes)]
        slots = [(draft.subject, draft.attribute) for draft in drafts]
        sentences = [talk.sentence(20) for _ in range(writes)]
        results["add_fact, new"] = measure(
            lambda n: store.add_fact(drafts[n], asked_by="model", session_id=session.id), writes
        )
        results["add_fact, told again"] = measure(lambda n: store.add_fact(drafts[n], asked_by="model"), writes)
        changed = [FactDraft(*slots[number], f"changed {number}") for number in range(writes)]
        results["add_fact, supersedes"] = measure(lambda n: store.add_fact(changed[n], asked_by="model"), writes)
        results["add_message"] = measure(lambda n: store.add_message(session.id, "user", sentences[n]), writes)
        ids = [fact.id for fact in store.facts(limit=10)]
        results["forget_fact"] = measure(lambda n: store.forget_fact(ids[n], asked_by="user"), len(ids))
    return results


def main(arguments: Sequence[str] | None = None) -> list[Measure]:
    """Print the tables, and give their rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=int, nargs="+", default=[10_000], help="facts stored before measuring")
    parser.add_argument("--writes", type=int, default=2000, help="writes measured")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full-sync", action="store_true", help="PRAGMA synchronous = FULL")
    options = parser.parse_args(arguments)
    found: list[Measure] = []
    for facts in options.facts:
        with tempfile.TemporaryDirectory() as folder:
            results = run(Path(folder), facts, options.writes, options.seed, options.full_sync)
        found += shown("store", facts, results)
    return found


if __name__ == "__main__":
    main()
