"""Nearest neighbours for a search: from the index where it is ready and able, exactly everywhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from memagent.memory.index_keeper import IndexKeeper
from memagent.memory.records import OwnerKind
from memagent.memory.statements import rows
from memagent.memory.vectors import ExactVectors, Neighbour, Owner, Vector, VectorSpace, vectors_of

# neighbours asked of the index at once; more than that is quicker, and exact, by one matrix product
MAX_FROM_INDEX = 400
MAX_PENDING = 2000  # queued rows that a search compares one by one before it turns to exact search
_SPARE = 16  # asked of the index beyond `k`, for rows that have gone since it was fed


class DenseSearch:
    """The vectors of one space and embedder as a search sees them: every committed row, none that has gone."""

    def __init__(self, space: VectorSpace, keeper: IndexKeeper | None = None) -> None:
        self.space = space
        self.exact = ExactVectors(space)
        self.keeper = keeper

    def nearest(
        self,
        connection: Connection,
        query: Vector,
        k: int,
        kinds: Sequence[OwnerKind],
        allowed: dict[OwnerKind, Sequence[int]] | None = None,
    ) -> list[Neighbour]:
        """The `k` nearest rows of `kinds`, nearest first; with `allowed` only these owners. `query` has unit length."""
        if allowed is None and k <= MAX_FROM_INDEX and self.keeper is not None and self.keeper.ready:
            found = self._from_index(connection, self.keeper, query, k, kinds)
            if found is not None:
                return found
        return self.exact.search(connection, query, k, kinds, allowed)

    def cosines(self, connection: Connection, query: Vector, owners: Sequence[Owner]) -> dict[Owner, float]:
        """The cosine of each of `owners` that has a vector."""
        if not owners:
            return {}
        if self.keeper is None or not self.keeper.ready:
            return self.exact.cosines(query, owners)
        stored = vectors_of(connection, self.space, owners)
        if not stored:
            return {}
        scores = np.stack(list(stored.values())) @ query
        return {owner: float(score) for owner, score in zip(stored, scores, strict=True)}

    def _from_index(
        self, connection: Connection, keeper: IndexKeeper, query: Vector, k: int, kinds: Sequence[OwnerKind]
    ) -> list[Neighbour] | None:
        """The index's candidates and what is queued for it, compared by their vectors in SQL.

        None where that is not enough.
        """
        pending = self._pending(connection)
        candidates = keeper.query(query, k + _SPARE) if len(pending) <= MAX_PENDING else None
        if candidates is None:
            return None
        owners = list(dict.fromkeys([neighbour.owner for neighbour in candidates] + pending))
        scores = self.cosines(connection, query, [owner for owner in owners if owner[0] in kinds])
        if len(scores) < k:  # other kinds, or rows that have gone, took the places
            return None
        found = [Neighbour(kind, owner, score) for (kind, owner), score in scores.items()]
        found.sort(key=lambda neighbour: (-neighbour.cosine, neighbour.kind, neighbour.id))
        return found[:k]

    def _pending(self, connection: Connection) -> list[Owner]:
        sql = "select owner_kind, owner_id from index_queue where space_id = :space and action = 'upsert' limit :limit"
        found = rows(connection, sql, space=self.space.space_id, limit=MAX_PENDING + 1)
        return [(row[0], row[1]) for row in found]
