"""The baselines: no memory, the last tokens only, everything read each time, words only, vectors only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from memagent.evals.systems.index import EVERYTHING, Index, IndexSystem, Vectors
from memagent.memory.store import MemoryStore
from memagent.memory.words import fts_query
from memagent.models.encoder import tokenizer

WINDOW_TOKENS = 2048  # the context window of the shipped model
NEVER_REACHED = 1 << 60  # tokens

_BM25 = (
    "select rowid, -bm25(message_words) as score from message_words where message_words match ?"
    " order by score desc, rowid limit ?"
)


class Nothing:
    """Remembers nothing."""

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        pass

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        return []


class Latest:
    """The texts of the last `tokens` word pieces, newest first, whatever is asked."""

    def __init__(self, tokens: int) -> None:
        self._tokens = tokens
        self._kept: list[tuple[int, int]] = []  # number and tokens

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        sizes = (len(encoding.ids) for encoding in tokenizer().encode_batch(list(texts), add_special_tokens=False))
        self._kept += zip(numbers, sizes, strict=True)

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        room, found = self._tokens, []
        for number, size in reversed(self._kept[-limit:]):
            room -= size
            if room < 0:
                break
            found.append((number, 0.0))
        return found


class FullText:
    """The full text of memagent's store, ranked by SQLite's bm25() alone."""

    def __init__(self, store: MemoryStore, path: Path) -> None:
        self._store = store
        self._session = store.start_session().id
        self._numbers: dict[int, int] = {}
        self._reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        for number, text in zip(numbers, texts, strict=True):
            self._numbers[self._store.add_message(self._session, "user", text).id] = number

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        query = fts_query(question)
        rows = self._reader.execute(_BM25, (query, limit)).fetchall() if query else []
        return [(self._numbers[row], score) for row, score in rows]

    def close(self) -> None:
        self._reader.close()


class Cosine:
    """The nearest vectors, compared one by one."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._numbers: list[int] = []
        self._rows: list[NDArray[np.float32]] = []
        self._matrix: NDArray[np.float32] | None = None

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        self._numbers += numbers
        self._rows += list(self._vectors.texts(texts))
        self._matrix = None

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        if not self._rows:
            return []
        if self._matrix is None:
            self._matrix = np.stack(self._rows)
        scores = self._matrix @ self._vectors.question(question)
        return [(self._numbers[at], float(scores[at])) for at in np.argsort(-scores, kind="stable")[:limit]]


@contextmanager
def _full_text(folder: Path) -> Iterator[FullText]:
    path = folder / "memory.db"
    with MemoryStore.open(f"sqlite:///{path}", data_dir=folder) as store, closing(FullText(store, path)) as index:
        yield index


def held(make: Callable[[], Index]) -> Callable[[Path], AbstractContextManager[Index]]:
    """An index that needs no folder."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Index]:
        yield make()

    return opened


def no_memory() -> IndexSystem:
    return IndexSystem("no-memory", held(Nothing), reads=0, ranks=False)


def window(tokens: int = WINDOW_TOKENS) -> IndexSystem:
    return IndexSystem("window", held(lambda: Latest(tokens)), reads=EVERYTHING, ranks=False)


def full_context() -> IndexSystem:
    return IndexSystem("full-context", held(lambda: Latest(NEVER_REACHED)), reads=EVERYTHING, ranks=False)


def bm25() -> IndexSystem:
    return IndexSystem("bm25", _full_text)


def dense(vectors: Vectors) -> IndexSystem:
    return IndexSystem("dense", held(lambda: Cosine(vectors)), vectors.name)
