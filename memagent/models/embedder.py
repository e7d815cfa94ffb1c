"""The shipped embedder: MiniLM with its two upper layers trained for questions about what was said.

One pass over a text gives its vector (mean of the token states) and its token states, projected to 96 dimensions, for
late interaction (Khattab and Zaharia 2020, "ColBERT"; Santhanam et al. 2022, "ColBERTv2", for the small states). A
message is read in the light of the one before it: the end of that one stands in front, and only the states of the
message itself are kept. Trained by `memagent.training.embed`.

Texts are sorted by length into batches of at most `BATCH_TOKENS` tokens, so that padding is rare. Input over 256 word
pieces is cut, as MiniLM's authors do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Encoded, EncodedQuery, Passage
from memagent.models.encoder import BUNDLED, WIDTH, Array, Encoder, by_length, tokenizer
from memagent.models.weights import load_weights

WEIGHTS = BUNDLED / "embedder.safetensors"
MAX_TOKENS = 256
BEFORE_TOKENS = 24
QUERY_TOKENS = 64
TOKEN_WIDTH = 96
KEPT_TOKENS = 42  # of a passage: 42 x 96 bytes are just under MAX_TOKEN_BYTES
BATCH_TOKENS = 2048

Tokens = tuple[list[int], list[int], int, int]  # ids, segments, and where the text itself begins and ends


class MiniLMEmbedder:
    """The default embedder; offline, deterministic, thread-safe. Satisfies `memagent.embedding.Embedder`."""

    name = "memagent-embedder-1"
    dimension = WIDTH
    token_dimension = TOKEN_WIDTH

    def __init__(self, *, threads: int = 1) -> None:
        trained = load_weights(WEIGHTS)
        self._encoder = Encoder(trained, threads=threads)
        self._token = np.asarray(trained["head.token"], np.float32)
        self._weight = np.asarray(trained["head.weight"], np.float32)

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        """Vector and token states of each passage, in order."""
        made = [passage_tokens(passage) for passage in passages]
        encoded: dict[int, Encoded] = {}
        for places in by_length([len(ids) for ids, _, _, _ in made], BATCH_TOKENS):
            for place, states in zip(places, self._run([made[place] for place in places]), strict=True):
                encoded[place] = Encoded(_unit(states.mean(axis=0)), quantised(self._kept(states)))
        return [encoded[place] for place in range(len(made))]

    def encode_query(self, text: str) -> EncodedQuery:
        """Vector, token states and their weights of a question."""
        states = self._run([query_tokens(text)])[0]
        scores = states @ self._weight
        weights = np.exp(scores - scores.max())
        return EncodedQuery(_unit(states.mean(axis=0)), _unit(states @ self._token), weights / weights.sum())

    def _run(self, batch: Sequence[Tokens]) -> list[Array]:
        """States of the texts themselves, without what was said before and the marks around."""
        shape = (len(batch), max(len(ids) for ids, _, _, _ in batch))
        ids, segments, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int32)
        for row, (tokens, kinds, _, _) in enumerate(batch):
            ids[row, : len(tokens)], segments[row, : len(tokens)], mask[row, : len(tokens)] = tokens, kinds, 1
        states = self._encoder.run(ids, segments, mask)
        return [states[row, start:end] for row, (_, _, start, end) in enumerate(batch)]

    def _kept(self, states: Array) -> Array:
        """Projected states; of a long text the means of neighbours, so that there are at most KEPT_TOKENS."""
        projected = _unit(states @ self._token)
        if len(projected) <= KEPT_TOKENS:
            return projected
        edges = np.linspace(0, len(projected), KEPT_TOKENS + 1).astype(np.int64)[:-1]
        summed: Array = np.add.reduceat(projected, edges, axis=0)
        return summed


def passage_tokens(passage: Passage, limit: int = MAX_TOKENS) -> Tokens:
    """A passage with the end of what was said before it in front; at most `limit` tokens of its own, and MAX_TOKENS."""
    first, last = _marks()
    before = tokenizer().encode(passage.before, add_special_tokens=False).ids[-BEFORE_TOKENS:]
    lead = [first, *before, last] if before else [first]
    ids = _words(passage.text)[: min(limit, MAX_TOKENS - len(lead) - 1)]
    segments = [0] * len(lead) + [1 if before else 0] * (len(ids) + 1)
    return [*lead, *ids, last], segments, len(lead), len(lead) + len(ids)


def query_tokens(text: str, limit: int = QUERY_TOKENS) -> Tokens:
    """A question; at most `limit` tokens of it."""
    return passage_tokens(Passage(text), limit)


def _marks() -> tuple[int, int]:
    return tokenizer().token_to_id("[CLS]") or 0, tokenizer().token_to_id("[SEP]") or 0


def _words(text: str) -> list[int]:
    # An empty text has the states of its unknown word: it is found by nothing, and breaks nothing.
    ids: list[int] = tokenizer().encode(text, add_special_tokens=False).ids
    return ids or [tokenizer().token_to_id("[UNK]") or 0]


def quantised(states: Array) -> NDArray[np.int8]:
    """The directions of rows as int8: the largest component of each becomes 127."""
    largest = np.maximum(np.abs(states).max(axis=-1, keepdims=True), 1e-9)
    rows: NDArray[np.int8] = np.rint(states / largest * 127).astype(np.int8)
    return rows


def _unit(states: Array) -> Array:
    result: Array = states / np.maximum(np.linalg.norm(states, axis=-1, keepdims=True), 1e-9)
    return result
