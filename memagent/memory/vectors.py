"""Exact nearest neighbours over the vectors in SQL: one float32 matrix per kind of owner, kept in step with the
database.

New vectors are read by id at each search, so commits of other processes are seen at once. A vector whose row has gone
is found out when it comes up as a candidate (`current`): it leaves the matrix and the search runs again. That is exact
and costs one look-up of a few ids, where counting rows at each search would cost milliseconds. It asks one thing of
the writers: a vector is never changed in place; what is embedded anew is deleted and inserted, under a new id.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.records import OwnerKind
from memagent.memory.statements import one, rows, run

Vector = NDArray[np.float32]
Owner = tuple[OwnerKind, int]

LOAD_BATCH = 2000
KINDS: tuple[OwnerKind, ...] = ("fact", "message", "chunk")


@dataclass(frozen=True)
class Neighbour:
    """A row near the query: its owner and the cosine of the two vectors."""

    kind: OwnerKind
    id: int
    cosine: float

    @property
    def owner(self) -> Owner:
        return self.kind, self.id


@dataclass(frozen=True)
class VectorSpace:
    """The vectors that may be compared with each other: one space of memory, one embedder."""

    space_id: int
    model: str
    dimension: int


class _Block:
    """The vectors of one kind: rows `[:count]` of `matrix`, with the ids of their owners and of the vectors
    themselves."""

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self.matrix: Vector = np.empty((0, dimension), np.float32)
        self.owners = np.empty(0, np.int64)
        self.ids = np.empty(0, np.int64)
        self.row_of: dict[int, int] = {}

    def put(self, owners: list[int], ids: list[int], vectors: Vector) -> None:
        """Add the vectors of these owners, or replace those that they have; an owner occurs once."""
        self._reserve(len(owners))
        at = []
        for owner in owners:
            row = self.row_of.get(owner)
            if row is None:
                row = self.row_of[owner] = self.count
                self.count += 1
            at.append(row)
        self.matrix[at], self.owners[at], self.ids[at] = vectors, owners, ids

    def _reserve(self, extra: int) -> None:
        needed = self.count + extra
        if needed > len(self.ids):
            capacity = max(needed, len(self.ids) * 3 // 2, 256)
            for name in ("matrix", "owners", "ids"):
                old = getattr(self, name)
                new = np.empty((capacity, *old.shape[1:]), old.dtype)
                new[: self.count] = old[: self.count]
                setattr(self, name, new)

    def remove(self, owner: int) -> None:
        row = self.row_of.pop(owner, None)
        if row is None:
            return
        self.count -= 1
        if row != self.count:  # the last row fills the gap
            for values in (self.matrix, self.owners, self.ids):
                values[row] = values[self.count]
            self.row_of[int(self.owners[row])] = row

    def rows_of(self, owners: Iterable[int]) -> NDArray[np.int64]:
        found = (self.row_of.get(owner) for owner in owners)
        return np.fromiter((row for row in found if row is not None), np.int64)


class ExactVectors:
    """The vectors of one space and embedder, in memory.

    Loaded by the first search (0.25 s per 100,000); thread-safe.
    """

    def __init__(self, space: VectorSpace) -> None:
        self.space = space
        self._blocks = {kind: _Block(space.dimension) for kind in KINDS}
        self._newest = 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return sum(block.count for block in self._blocks.values())

    def clear(self) -> None:
        """Give the memory back; the next search loads anew."""
        with self._lock:
            self._blocks = {kind: _Block(self.space.dimension) for kind in KINDS}
            self._newest = 0

    def search(
        self,
        connection: Connection,
        query: Vector,
        k: int,
        kinds: Sequence[OwnerKind] = KINDS,
        allowed: dict[OwnerKind, Sequence[int]] | None = None,
    ) -> list[Neighbour]:
        """The `k` nearest rows of `kinds`, nearest first; with `allowed` only these owners. `query` has unit length."""
        with self._lock:
            self._refresh(connection)
            found = self._nearest(query, k, kinds, allowed)
            while self._gone(connection, [neighbour.owner for neighbour in found]):
                found = self._nearest(query, k, kinds, allowed)
            return found

    def cosines(self, query: Vector, owners: Sequence[Owner]) -> dict[Owner, float]:
        """The cosine of each of `owners` that had a vector at the last `search`, which is part of the same read."""
        with self._lock:
            result: dict[Owner, float] = {}
            for kind in KINDS:
                block = self._blocks[kind]
                ids = [owner for owner_kind, owner in owners if owner_kind == kind and owner in block.row_of]
                scores = (block.matrix[block.rows_of(ids)] @ query).tolist()
                result.update({(kind, owner): score for owner, score in zip(ids, scores, strict=True)})
            return result

    def _nearest(
        self, query: Vector, k: int, kinds: Sequence[OwnerKind], allowed: dict[OwnerKind, Sequence[int]] | None
    ) -> list[Neighbour]:
        found: list[Neighbour] = []
        for kind in kinds:
            block = self._blocks[kind]
            owners, matrix = block.owners[: block.count], block.matrix[: block.count]
            if allowed is not None:
                rows_allowed = block.rows_of(allowed.get(kind, ()))
                owners, matrix = owners[rows_allowed], matrix[rows_allowed]
            scores = matrix @ query
            best = np.argpartition(scores, -k)[-k:] if k < len(scores) else np.arange(len(scores))
            pairs = zip(owners[best].tolist(), scores[best].tolist(), strict=True)
            found += [Neighbour(kind, owner, cosine) for owner, cosine in pairs]
        found.sort(key=lambda neighbour: (-neighbour.cosine, neighbour.kind, neighbour.id))
        return found[:k]

    def _refresh(self, connection: Connection) -> None:
        """Read what was committed since the last search."""
        while True:
            batch, newest = read_vectors(connection, self.space, after=self._newest)
            if newest == self._newest:
                return
            for kind, block in self._blocks.items():
                at = [row for row, (owner_kind, _) in enumerate(batch.owners) if owner_kind == kind]
                if at:
                    block.put([batch.owners[row][1] for row in at], [batch.ids[row] for row in at], batch.matrix[at])
            self._newest = newest

    def _gone(self, connection: Connection, owners: Sequence[Owner]) -> bool:
        """Whether the vector of any of `owners` is no longer in SQL; then every vector that has gone is dropped."""
        held = {}
        for kind, owner in owners:
            row = self._blocks[kind].row_of.get(owner)
            if row is not None:
                held[int(self._blocks[kind].ids[row])] = (kind, owner)
        if not held:
            return False
        sql = f"select id from vectors where id in {ids_in(connection)}"
        if len(rows(connection, sql, ids=ids_text(held))) == len(held):
            return False
        self._sweep(connection)
        return True

    def _sweep(self, connection: Connection) -> None:
        sql = "select id from vectors where space_id = :space and model = :model"
        alive = {row[0] for row in run(connection, sql, space=self.space.space_id, model=self.space.model)}
        for block in self._blocks.values():
            owners, ids = block.owners[: block.count].tolist(), block.ids[: block.count].tolist()
            for owner, vector_id in zip(owners, ids, strict=True):
                if vector_id not in alive:
                    block.remove(owner)


@dataclass(frozen=True)
class VectorBatch:
    """Some rows of `vectors`, decoded: row i of `matrix` belongs to `owners[i]` and has the id `ids[i]`."""

    owners: list[Owner]
    ids: list[int]
    matrix: Vector


def decode(data: bytes, dimension: int) -> Vector | None:
    """The vector in a `vectors.data` column; None when its length is not that of `dimension` float32 values."""
    return np.frombuffer(data, "<f4") if len(data) == 4 * dimension else None


def read_vectors(
    connection: Connection, space: VectorSpace, *, after: int = 0, limit: int = LOAD_BATCH
) -> tuple[VectorBatch, int]:
    """Up to `limit` vectors of a space with ids above `after`, and the id to go on after (`after` itself at the end).

    A damaged vector is left out; `memagent.memory.maintenance` reports it.
    """
    found = rows(
        connection,
        "select id, owner_kind, owner_id, data from vectors"
        " where space_id = :space and model = :model and id > :after order by id limit :limit",
        space=space.space_id,
        model=space.model,
        after=after,
        limit=limit,
    )
    whole = [row for row in found if len(row[3]) == 4 * space.dimension]
    matrix = np.frombuffer(b"".join([row[3] for row in whole]), "<f4").reshape(len(whole), space.dimension)
    batch = VectorBatch([(row[1], row[2]) for row in whole], [row[0] for row in whole], matrix)
    return batch, found[-1][0] if found else after


def vectors_of(connection: Connection, space: VectorSpace, owners: Sequence[Owner]) -> dict[Owner, Vector]:
    """The stored vectors of `owners`; those without one are left out."""
    found: dict[Owner, Vector] = {}
    for kind in KINDS:
        ids = [owner for owner_kind, owner in owners if owner_kind == kind]
        if not ids:
            continue
        sql = (
            "select owner_id, data from vectors where owner_kind = :kind and model = :model and +space_id = :space"
            f" and owner_id in {ids_in(connection)}"  # the plus: by owner, not by a walk through the space
        )
        for owner, data in rows(connection, sql, kind=kind, model=space.model, space=space.space_id, ids=ids_text(ids)):
            vector = decode(data, space.dimension)
            if vector is not None:
                found[kind, owner] = vector
    return found


def count_vectors(connection: Connection, space: VectorSpace) -> int:
    """How many vectors a space has; walks the index (3 ms per 100,000), so not for the path of a search."""
    sql = "select count(*) from vectors where space_id = :space and model = :model"
    row = one(connection, sql, space=space.space_id, model=space.model)
    return int(row[0]) if row else 0
