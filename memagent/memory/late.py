"""Late interaction: each token of the query looks for its best match among a row's token states (MaxSim).

Khattab and Zaharia 2020, "ColBERT". The states are at most 4 KB a row, in SQL beside the vector, and are read for the
few hundred candidates of a search only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.records import OwnerKind
from memagent.memory.statements import rows
from memagent.memory.vectors import KINDS, Owner, VectorSpace

if TYPE_CHECKING:
    from memagent.embedding import EncodedQuery


def max_similarities(
    connection: Connection, space: VectorSpace, query: EncodedQuery, owners: Sequence[Owner]
) -> dict[Owner, float]:
    """The weighted mean, over the query's tokens, of the cosine of the nearest token of each row; -1 to 1.

    Rows without token states are left out; so are damaged ones.
    """
    if query.tokens is None or query.weights is None or not owners:
        return {}
    width = query.tokens.shape[1]
    found = [row for kind in KINDS for row in _states(connection, space, kind, owners) if _whole(row[1], width)]
    if not found:
        return {}
    states = np.frombuffer(b"".join([data for _, data in found]), np.int8).reshape(-1, width).astype(np.float32)
    states /= np.maximum(np.sqrt(np.einsum("td,td->t", states, states)), 1e-6)[:, None]
    lengths = np.array([len(data) // width for _, data in found])
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    nearest = np.maximum.reduceat(query.tokens @ states.T, starts, axis=1)
    scores = query.weights @ nearest
    return {owner: float(score) for (owner, _), score in zip(found, scores, strict=True)}


def _states(
    connection: Connection, space: VectorSpace, kind: OwnerKind, owners: Sequence[Owner]
) -> list[tuple[Owner, bytes]]:
    ids = [owner for owner_kind, owner in owners if owner_kind == kind]
    if not ids:
        return []
    sql = (
        "select owner_id, token_states.data from vectors join token_states on vector_id = vectors.id"
        " where owner_kind = :kind and model = :model and +space_id = :space"
        f" and owner_id in {ids_in(connection)}"  # the plus: by owner, not by a walk through the space
    )
    found = rows(connection, sql, kind=kind, model=space.model, space=space.space_id, ids=ids_text(ids))
    return [((kind, row[0]), bytes(row[1])) for row in found]


def _whole(data: bytes, width: int) -> bool:
    return len(data) > 0 and len(data) % width == 0
