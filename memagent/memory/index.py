"""The vector index: a protocol, and Chroma behind it. It holds ids such as `fact:12` and vectors, nothing else.

Everything in it can be made again from SQL, so no method here tries to repair: it raises IndexFailure and the caller
searches exactly. chromadb takes a second to import, so only `ChromaIndex.connect` imports it, and only background work
calls that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from memagent.errors import InputError
from memagent.memory.vectors import KINDS, Neighbour, Owner, Vector, VectorSpace

BATCH = 1000  # vectors per request; Chroma's own limit is 5,461
_COSINE = {"hnsw": {"space": "cosine"}}


class IndexFailure(Exception):
    """The index cannot be used.

    The message says why in a few words. Never reaches a person as an error: search goes on exactly.
    """


class VectorIndex(Protocol):
    """One collection of vectors, cosine distance.

    Every method raises IndexFailure when the index is broken or out of reach.
    """

    def upsert(self, owners: Sequence[Owner], vectors: NDArray[np.float32]) -> None: ...

    def delete(self, owners: Sequence[Owner]) -> None:
        """Ids that are not there are ignored."""
        ...

    def query(self, vector: Vector, k: int) -> list[Neighbour]:
        """About the `k` nearest, nearest first."""
        ...

    def owners(self) -> set[Owner]:
        """All ids."""
        ...

    def vectors(self) -> Iterator[tuple[list[Owner], NDArray[np.float32]]]:
        """All ids with their vectors, in batches of at most `BATCH`."""
        ...

    def reset(self) -> None:
        """Remove everything."""
        ...


def owner_text(owner: Owner) -> str:
    """`fact:12`."""
    return f"{owner[0]}:{owner[1]}"


def parse_owner(text: str) -> Owner:
    """Inverse of `owner_text`; raises IndexFailure for an id that is not ours."""
    name, _, number = text.partition(":")
    for kind in KINDS:
        if kind == name and number.isdecimal():
            return kind, int(number)
    raise IndexFailure(f"it holds an id that is not ours ({text[:40]!r})")


def collection_name(space: VectorSpace, store: str) -> str:
    """One collection per store, space and embedder: `memagent-<store>-<space>-<embedder>`, within Chroma's rules for
    names."""
    place = hashlib.sha256(store.encode()).hexdigest()[:12]
    embedder = hashlib.sha256(f"{space.model}\n{space.dimension}".encode()).hexdigest()[:12]
    return f"memagent-{place}-{space.space_id}-{embedder}"


@contextmanager
def _failures() -> Iterator[None]:
    """Chroma raises a dozen unrelated types, Rust panics (BaseException) among them: all mean the same."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, IndexFailure):
        raise
    except BaseException as error:
        detail = " ".join(str(error).split())[:160] or type(error).__name__
        raise IndexFailure(detail) from error


class ChromaClient:
    """A Chroma client: a folder of this process alone, or a server that several share. Raises IndexFailure."""

    def __init__(self, *, folder: Path | None = None, url: str | None = None) -> None:
        with _failures():
            import chromadb

            if url is not None:
                host, port, secure = server_address(url)
                self._client: Any = chromadb.HttpClient(host=host, port=port, ssl=secure, settings=_settings())
                self._client.heartbeat()
            else:
                self._client = chromadb.PersistentClient(str(folder), settings=_settings())

    def collections(self) -> set[str]:
        """Names of the collections that are ours."""
        with _failures():
            names = {str(getattr(found, "name", found)) for found in self._client.list_collections()}
            return {name for name in names if name.startswith("memagent-")}

    def open(self, name: str) -> ChromaIndex:
        """An existing collection.

        IndexFailure when there is none, so that a lost one is not quietly replaced by an empty one.
        """
        with _failures():
            return ChromaIndex(self._client, name, self._client.get_collection(name, embedding_function=None))

    def create(self, name: str) -> ChromaIndex:
        """A new, empty collection in place of any that is there."""
        self.drop(name)
        with _failures():
            collection = self._client.create_collection(name, embedding_function=None, configuration=_COSINE)
            return ChromaIndex(self._client, name, collection)

    def drop(self, name: str) -> None:
        """Remove a collection, if it is there."""
        if name in self.collections():
            with _failures():
                self._client.delete_collection(name)

    def close(self) -> None:
        """Release the files; a client of the same folder opened later starts afresh."""
        with _failures():
            self._client.close()


class ChromaIndex:
    """One Chroma collection as a `VectorIndex`."""

    def __init__(self, client: Any, name: str, collection: Any) -> None:
        self.name = name
        self._client = client
        self._collection = collection

    def upsert(self, owners: Sequence[Owner], vectors: NDArray[np.float32]) -> None:
        for start in range(0, len(owners), BATCH):
            ids = [owner_text(owner) for owner in owners[start : start + BATCH]]
            with _failures():
                self._collection.upsert(ids=ids, embeddings=vectors[start : start + BATCH])

    def delete(self, owners: Sequence[Owner]) -> None:
        for start in range(0, len(owners), BATCH):
            with _failures():
                self._collection.delete(ids=[owner_text(owner) for owner in owners[start : start + BATCH]])

    def query(self, vector: Vector, k: int) -> list[Neighbour]:
        with _failures():
            answer = self._collection.query(query_embeddings=vector[None, :], n_results=k, include=["distances"])
            pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
            return [Neighbour(*parse_owner(text), 1.0 - float(distance)) for text, distance in pairs]

    def owners(self) -> set[Owner]:
        with _failures():
            return {parse_owner(text) for text in self._collection.get(include=[])["ids"]}

    def vectors(self) -> Iterator[tuple[list[Owner], NDArray[np.float32]]]:
        owners = sorted(self.owners())
        for start in range(0, len(owners), BATCH):
            with _failures():
                ids = [owner_text(owner) for owner in owners[start : start + BATCH]]
                found = self._collection.get(ids=ids, include=["embeddings"])
                vectors = np.asarray(found["embeddings"], np.float32)
                batch = [parse_owner(text) for text in found["ids"]]
            yield batch, vectors

    def reset(self) -> None:
        with _failures():
            self._client.delete_collection(self.name)
            self._collection = self._client.create_collection(self.name, embedding_function=None, configuration=_COSINE)


def server_address(url: str) -> tuple[str, int, bool]:
    """Host, port and whether to use TLS, from `http://host:port`. Raises InputError."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 8000)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise InputError(f"not the address of a Chroma server: {url[:80]!r}", "write it as http://127.0.0.1:8000")
    return parts.hostname, port, parts.scheme == "https"


def _settings() -> Any:
    from chromadb.config import Settings

    # Without `_env_file` its settings would be read from a .env in the folder the person happens to be in.
    return Settings(_env_file=None, anonymized_telemetry=False)
