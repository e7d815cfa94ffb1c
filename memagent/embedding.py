"""The seam between memory and the model that embeds: what is handed over, what comes back.

An embedder gives one vector a text, and where it can, one small vector a token as well: the *token states* that late
interaction compares (Khattab and Zaharia 2020, "ColBERT").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

MAX_TOKEN_BYTES = 4096  # of the token states of one text


@dataclass(frozen=True)
class Passage:
    """A text to be found, and what was said just `before` it, in whose light its words are understood."""

    text: str
    before: str = ""


@dataclass(frozen=True)
class Encoded:
    """A passage as it is stored.

    `vector` is float32 of shape (dimension,) and length 1; `tokens` is int8 of shape (n, token_dimension), at most
    MAX_TOKEN_BYTES in all, of which only the directions count; None where the embedder has no token states.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.int8] | None = None


@dataclass(frozen=True)
class EncodedQuery:
    """A query: `vector` as of a passage; `tokens` float32 of shape (n, token_dimension), each of length 1, and
    `weights` of shape (n,) how much each counts, 1 in all."""

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32] | None = None
    weights: NDArray[np.float32] | None = None


class Embedder(Protocol):
    """Turns texts into vectors, deterministically and independent of the batch."""

    @property
    def name(self) -> str:
        """Stable identity of model and weights; vectors of different names are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def token_dimension(self) -> int:
        """Of the token states; 0 without them."""
        ...

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        """One result a passage, in order. Raises ModelError."""
        ...

    def encode_query(self, text: str) -> EncodedQuery:
        """Raises ModelError."""
        ...
