"""all-MiniLM-L6-v2 as an embedder: mean of the token states, unit length, 384 dimensions.

Texts are sorted by length into batches of at most `BATCH_TOKENS` tokens, so that padding is rare. Input over 256 word
pieces is cut, as the model's authors do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memagent.models.encoder import WIDTH, Encoder, base_weights, pad, tokenizer

MAX_TOKENS = 256
BATCH_TOKENS = 2048


class MiniLMEmbedder:
    """The default embedder; offline, deterministic, thread-safe. Satisfies `memagent.memory.embedding.Embedder`."""

    name = "all-MiniLM-L6-v2"
    dimension = WIDTH

    def __init__(self, *, threads: int = 1) -> None:
        self._encoder = Encoder(base_weights(), threads=threads)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of shape (len(texts), 384)."""
        vectors = np.zeros((len(texts), WIDTH), np.float32)
        encodings = tokenizer().encode_batch([text or " " for text in texts])
        for encoding in encodings:
            encoding.truncate(MAX_TOKENS)
        order = sorted(range(len(texts)), key=lambda index: len(encodings[index].ids))
        start = 0
        while start < len(order):
            stop = start + 1
            while stop < len(order) and (stop + 1 - start) * len(encodings[order[stop]].ids) <= BATCH_TOKENS:
                stop += 1
            rows = order[start:stop]
            ids, segments, mask = pad([encodings[row] for row in rows])
            states = self._encoder.run(ids, segments, mask)
            weight = mask[..., None].astype(np.float32)
            mean = (states * weight).sum(axis=1) / weight.sum(axis=1)
            vectors[rows] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
            start = stop
        return vectors
