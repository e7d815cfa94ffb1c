"""An embedder without a model: hashed word n-grams. Texts that share words are near; nothing else is.

For tests, demos and benchmarks, where the same text must give the same vector on every machine in microseconds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """Hashes words, word pairs and character trigrams into signed buckets.

    Satisfies `memagent.embedding.Embedder`.
    """

    def __init__(self, dimension: int = 384) -> None:
        self.dimension = dimension
        self.token_dimension = 0
        self.name = f"hash-{dimension}"

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        """A vector for each text, whatever was said before it."""
        return [Encoded(vector) for vector in self.embed([passage.text for passage in passages])]

    def encode_query(self, text: str) -> EncodedQuery:
        return EncodedQuery(self.embed([text])[0])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors of shape (len(texts), dimension); a text without words gets the first axis."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for feature, weight in _features(text):
                code = crc32(feature.encode("utf-8", "surrogatepass"))
                row[(code >> 1) % self.dimension] += weight if code & 1 else -weight
            length = float(np.linalg.norm(row))
            if length < 1e-6:
                row[:] = 0.0
                row[0] = 1.0
            else:
                row /= length
        return vectors


def _features(text: str) -> list[tuple[str, float]]:
    found = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    features = [(f"w {word}", 1.0) for word in found]
    features += [(f"p {first} {second}", 0.5) for first, second in zip(found, found[1:], strict=False)]
    for word in found:
        padded = f"<{word}>"
        features += [(f"c {padded[start : start + 3]}", 0.2) for start in range(len(padded) - 2)]
    return features
