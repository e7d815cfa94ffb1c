"""Other memories, through their own interfaces and with memagent's vectors: mem0, LangGraph's stores, txtai.

Each is imported when it is asked for. None may reach a network: telemetry is switched off, no language model is called.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memagent.errors import InputError
from memagent.evals.systems.baselines import held
from memagent.evals.systems.index import Index, IndexSystem, Vectors, library

EXTRA = "'memagent[peers]'"
MEM0 = "'mem0ai>=2,<3'"  # wants an older protobuf than constraints.txt pins, so it is in no extra
PERSON = {"user_id": "person"}
NAMESPACE = ("memories",)


class Mem0:
    """mem0 with `infer=False`: what is said is stored as it is, in Chroma."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        for number, text in zip(numbers, texts, strict=True):
            if text.strip():
                self._memory.add(text, infer=False, metadata={"number": number}, **PERSON)

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        found = self._memory.search(question, top_k=limit, filters=PERSON, threshold=0.0)["results"]
        return [(int(hit["metadata"]["number"]), float(hit["score"])) for hit in found]


class Mem0Vectors:
    """What mem0 calls an embedding model."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        row = self._vectors.question(text) if memory_action == "search" else self._vectors.texts([text])[0]
        numbers: list[float] = row.tolist()
        return numbers

    def embed_batch(self, texts: Sequence[str], memory_action: str | None = None) -> list[list[float]]:
        return [self.embed(text, memory_action) for text in texts]


def mem0(vectors: Vectors) -> IndexSystem:
    """Raises InputError where it is not installed."""
    kind = _mem0_memory()

    @contextmanager
    def opened(folder: Path) -> Iterator[Index]:
        memory = kind.from_config(
            {
                "vector_store": {"provider": "chroma", "config": {"path": str(folder / "chroma")}},
                # both have to be named, and neither is called: the vectors are ours, and nothing is inferred
                "llm": {"provider": "openai", "config": {"api_key": "unused"}},
                "embedder": {"provider": "openai", "config": {"api_key": "unused"}},
                "history_db_path": str(folder / "history.db"),
            }
        )
        memory.embedding_model = Mem0Vectors(vectors)
        yield Mem0(memory)
        memory.close()

    return IndexSystem("mem0", opened, vectors.name)


@lru_cache(maxsize=1)
def _mem0_memory() -> Any:
    """mem0's class. On import it makes a folder of settings, which is not to be in the person's home."""
    folder = tempfile.TemporaryDirectory(prefix="memagent-mem0-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    os.environ |= {"MEM0_TELEMETRY": "False", "MEM0_DIR": folder.name}
    logging.getLogger("mem0").setLevel(logging.ERROR)  # that Chroma has no keyword search is known
    return library("mem0", MEM0).Memory


class LangGraph:
    """A store of LangGraph with a vector index over the texts."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._put = library("langgraph.store.base", EXTRA).PutOp

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        left = list(zip(numbers, texts, strict=True))
        while left:  # its InMemoryStore fails on a batch that holds a text twice
            batch: dict[str, int] = {}
            for number, text in left:
                batch.setdefault(text, number)
            self._store.batch([self._put(NAMESPACE, str(number), {"text": text}) for text, number in batch.items()])
            left = [(number, text) for number, text in left if batch[text] != number]

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        found = self._store.search(NAMESPACE, query=question, limit=limit)
        return [(int(item.key), float(item.score or 0.0)) for item in found]


def _langgraph_index(vectors: Vectors) -> dict[str, Any]:
    def embed(texts: Sequence[str]) -> list[list[float]]:
        rows: list[list[float]] = vectors.texts(texts).tolist()
        return rows

    return {"dims": vectors.dimension, "embed": embed, "fields": ["text"]}


def langgraph_memory(vectors: Vectors) -> IndexSystem:
    """LangGraph's InMemoryStore. Raises InputError where it is not installed."""
    store = library("langgraph.store.memory", EXTRA).InMemoryStore
    return IndexSystem(
        "langgraph-memory", held(lambda: LangGraph(store(index=_langgraph_index(vectors)))), vectors.name
    )


def langgraph_sqlite(vectors: Vectors) -> IndexSystem:
    """LangGraph's SqliteStore. Raises InputError where it is not installed, or cannot work."""
    if not hasattr(sqlite3.Connection, "enable_load_extension"):
        raise InputError(
            "langgraph-sqlite needs a Python whose sqlite3 loads extensions", "that of most Linux distributions does"
        )
    kind = library("langgraph.store.sqlite", EXTRA).SqliteStore

    @contextmanager
    def opened(folder: Path) -> Iterator[Index]:
        with kind.from_conn_string(str(folder / "store.db"), index=_langgraph_index(vectors)) as store:
            store.setup()
            yield LangGraph(store)

    return IndexSystem("langgraph-sqlite", opened, vectors.name)


class Txtai:
    """txtai's hybrid index: Faiss and BM25, with the texts in SQLite."""

    def __init__(self, embeddings: Any) -> None:
        self._embeddings = embeddings

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        self._embeddings.upsert(list(zip(numbers, texts, strict=True)))

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        found = self._embeddings.search(question, limit) if self._embeddings.count() else []
        return [(int(hit["id"]), float(hit["score"])) for hit in found]


def txtai(vectors: Vectors) -> IndexSystem:
    """Raises InputError where it is not installed."""
    kind = library("txtai.embeddings", EXTRA).Embeddings

    def transform(texts: Sequence[str]) -> NDArray[np.float32]:
        return vectors.texts([str(text) for text in texts])

    def opened(folder: Path) -> AbstractContextManager[Index]:
        return _closing(kind(method="external", transform=transform, content=True, hybrid=True), Txtai)

    return IndexSystem("txtai", opened, vectors.name)


@contextmanager
def _closing(library_object: Any, index: Callable[[Any], Index]) -> Iterator[Index]:
    try:
        yield index(library_object)
    finally:
        library_object.close()
