"""The one thing memory needs from a model: a function from texts to vectors. The consumer owns the interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into unit-length float32 vectors, deterministically and independent of the batch."""

    @property
    def name(self) -> str:
        """Stable identity of model and weights; vectors of different names are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), dimension), each of length 1."""
        ...
