"""A small embedder with token states: each word has a state of its own, whatever stands around it."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.memory.words import content_words, words
from memagent.models.hash_embedder import HashEmbedder

WIDTH = 32


class TokenEmbedder:
    """Satisfies `memagent.embedding.Embedder`; texts that share words are near by both vector and states."""

    def __init__(self, dimension: int = 64) -> None:
        self.hashed = HashEmbedder(dimension)
        self.dimension = dimension
        self.token_dimension = WIDTH
        self.name = f"tokens-{dimension}"

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        vectors = self.hashed.embed([passage.text for passage in passages])
        return [
            Encoded(vector, np.rint(states(words(passage.text)) * 127).astype(np.int8))
            for vector, passage in zip(vectors, passages, strict=True)
        ]

    def encode_query(self, text: str) -> EncodedQuery:
        found = content_words(text)
        tokens = states(found)
        return EncodedQuery(self.hashed.embed([text])[0], tokens, np.full(len(tokens), 1 / len(tokens), np.float32))


def states(found: Sequence[str]) -> NDArray[np.float32]:
    """One unit row a word, a fixed one where there is none."""
    made = [np.random.default_rng(crc32(word.encode())).standard_normal(WIDTH) for word in found or [""]]
    return np.stack([row / np.linalg.norm(row) for row in made]).astype(np.float32)
