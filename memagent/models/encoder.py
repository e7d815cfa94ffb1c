"""The transformer that all shipped models share: MiniLM's six layers on ONNX Runtime, weights from safetensors.

Owns tokenising, word embeddings and the layers; what the states mean belongs to the heads (`understanding`, `reader`)
and to the embedder. torch is not needed. Word embeddings are looked up in NumPy from the stored int8 rows, so they
cost 12 MB, not 47.

The trap: ONNX Runtime keeps the arrays that are handed to it as external initializers by reference, so `Encoder` holds
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from memagent.models.weights import load_weights

WIDTH = 384
HEADS = 12
LAYERS = 6
SHARED_LAYERS = 4  # the lowest ones, shipped once as they are in MiniLM; a model brings those that it has learned
FEED_FORWARD = 1536
MAX_TOKENS = 256

BUNDLED = Path(__file__).parent / "bundled"
GRAPH = BUNDLED / "encoder.onnx"
TOKENIZER = BUNDLED / "tokenizer.json"
BASE = BUNDLED / "minilm.safetensors"

Array = NDArray[np.float32]


def layer_parameters(layers: int = LAYERS) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter of the lowest layers; matrices are (inputs, outputs)."""
    shapes: dict[str, tuple[int, ...]] = {}
    for index in range(layers):
        for part, inputs, outputs in (
            ("qkv", WIDTH, 3 * WIDTH),
            ("out", WIDTH, WIDTH),
            ("up", WIDTH, FEED_FORWARD),
            ("down", FEED_FORWARD, WIDTH),
        ):
            shapes[f"layer.{index}.{part}.weight"] = (inputs, outputs)
            shapes[f"layer.{index}.{part}.bias"] = (outputs,)
        for norm in ("attention_norm", "output_norm"):
            shapes[f"layer.{index}.{norm}.weight"] = (WIDTH,)
            shapes[f"layer.{index}.{norm}.bias"] = (WIDTH,)
    return shapes


@dataclass(frozen=True)
class Batch:
    """Encoded texts: `states` (batch, tokens, WIDTH), `mask` (batch, tokens), the tokenizer's encodings (offsets)."""

    states: Array
    mask: NDArray[np.int32]
    encodings: tuple[Encoding, ...]


class WordEmbeddings:
    """Token, position and segment embeddings with their layer norm, frozen since MiniLM."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        self._rows = weights["embeddings.word.int8"]
        self._scales = weights["embeddings.word.scale"].astype(np.float32)
        self._positions = weights["embeddings.position"].astype(np.float32)
        self._segments = weights["embeddings.segment"].astype(np.float32)
        self._gain = weights["embeddings.norm.weight"].astype(np.float32)
        self._bias = weights["embeddings.norm.bias"].astype(np.float32)

    def __call__(self, ids: NDArray[np.int64], segments: NDArray[np.int64], marks: Array | None = None) -> Array:
        """(batch, tokens) ids and segments to (batch, tokens, WIDTH); `marks` of that shape are added to the words."""
        words = self._rows[ids].astype(np.float32) * self._scales[ids][..., None]
        if marks is not None:
            words = words + marks
        total = words + self._positions[: ids.shape[1]] + self._segments[segments]
        mean = total.mean(axis=-1, keepdims=True)
        variance = np.square(total - mean).mean(axis=-1, keepdims=True)
        result: Array = (total - mean) / np.sqrt(variance + 1e-12) * self._gain + self._bias
        return result


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """MiniLM's uncased WordPiece tokenizer, without truncation or padding. Thread-safe for encoding."""
    loaded = Tokenizer.from_file(str(TOKENIZER))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


@lru_cache(maxsize=1)
def base_weights() -> dict[str, NDArray[np.generic]]:
    """The embeddings and shared layers of all-MiniLM-L6-v2 as shipped, checked against their recorded SHA-256."""
    return load_weights(BASE)


@lru_cache(maxsize=1)
def word_embeddings() -> WordEmbeddings:
    return WordEmbeddings(base_weights())


class Encoder:
    """Six layers: those in `weights`, MiniLM's below them. Thread-safe: ONNX Runtime sessions may run concurrently."""

    def __init__(self, weights: Mapping[str, NDArray[np.generic]], *, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        layers = {**base_weights(), **weights}
        self._arrays = {name: np.ascontiguousarray(layers[name], dtype=np.float32) for name in layer_parameters()}
        self._values = [ort.OrtValue.ortvalue_from_numpy(array) for array in self._arrays.values()]
        options.add_external_initializers(list(self._arrays), self._values)
        self._session = ort.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])

    def run(
        self,
        ids: NDArray[np.int64],
        segments: NDArray[np.int64],
        mask: NDArray[np.int32],
        marks: Array | None = None,
    ) -> Array:
        """(batch, tokens) ids, segments and mask to states (batch, tokens, WIDTH)."""
        embedded = word_embeddings()(ids, segments, marks)
        states: Array = self._session.run(["states"], {"embeddings": embedded, "mask": mask})[0]
        return states

    def encode(self, texts: Sequence[str | tuple[str, str]], *, max_tokens: int = MAX_TOKENS) -> Batch:
        """States of texts, or of pairs of texts (second one in segment 1). Longer input is cut at its end."""
        encodings = tokenizer().encode_batch(list(texts))
        for encoding in encodings:
            encoding.truncate(max_tokens)
        ids, segments, mask = pad(encodings)
        return Batch(self.run(ids, segments, mask), mask, tuple(encodings))


def by_length(lengths: Sequence[int], most_tokens: int) -> Iterator[list[int]]:
    """Places of texts in batches of at most `most_tokens` with their padding, shortest first, so that padding is rare.

    A longer text has a batch of its own.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[place] > most_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def sequences(encoding: Encoding) -> list[int | None]:
    """Which of the two texts each token is of; None for marks. A truncated encoding has lost its own `sequence_ids`."""
    marks = encoding.special_tokens_mask
    return [None if mark else segment for mark, segment in zip(marks, encoding.type_ids, strict=True)]


def pad(encodings: Sequence[Encoding]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Ids, segments and mask, each (batch, longest); padding is token 0 under mask 0."""
    longest = max((len(encoding.ids) for encoding in encodings), default=1)
    shape = (len(encodings), longest)
    ids = np.zeros(shape, np.int64)
    segments = np.zeros(shape, np.int64)
    mask = np.zeros(shape, np.int32)
    for row, encoding in enumerate(encodings):
        size = len(encoding.ids)
        ids[row, :size] = encoding.ids
        segments[row, :size] = encoding.type_ids
        mask[row, :size] = 1
    return ids, segments, mask
