"""The shared transformer, with the weights that are shipped."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from memagent.models.encoder import (
    BASE,
    BUNDLED,
    FEED_FORWARD,
    HEADS,
    LAYERS,
    SHARED_LAYERS,
    WIDTH,
    Array,
    Encoder,
    base_weights,
    by_length,
    layer_parameters,
    pad,
    tokenizer,
    word_embeddings,
)
from memagent.models.reader import WEIGHTS as READER
from memagent.models.weights import load_weights

ROOT = Path(__file__).parent.parent.parent
TEXTS = [
    "hi",
    "the boiler is serviced by Hartnell",
    "my sister Ana packed up her flat in Leeds and moved to Porto last spring, by the river",
]


REFERENCE = [
    json.loads(line)
    for line in (Path(__file__).parent / "minilm_reference.jsonl").read_text(encoding="utf-8").splitlines()
]


TRAINED = load_weights(READER)
Weights = Mapping[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(TRAINED)


def normed(states: Array, weights: Weights, name: str) -> Array:
    spread = np.sqrt(states.var(axis=-1, keepdims=True) + 1e-12)
    result: Array = (states - states.mean(axis=-1, keepdims=True)) / spread * weights[f"{name}.weight"]
    return result + np.asarray(weights[f"{name}.bias"], np.float32)


def through(states: Array, weights: Weights, layers: int) -> Array:
    """(tokens, WIDTH) through BERT's lowest layers, as the paper has them (Devlin et al. 2019)."""

    def linear(inputs: Array, name: str) -> Array:
        return inputs @ np.asarray(weights[f"{name}.weight"], np.float32) + np.asarray(weights[f"{name}.bias"])

    for layer in (f"layer.{index}" for index in range(layers)):
        query, key, value = (
            part.reshape(len(states), HEADS, -1).swapaxes(0, 1)
            for part in np.split(linear(states, f"{layer}.qkv"), 3, axis=1)
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(WIDTH // HEADS)
        attention = np.exp(scores - scores.max(axis=-1, keepdims=True))
        context = attention / attention.sum(axis=-1, keepdims=True) @ value
        mixed = linear(context.swapaxes(0, 1).reshape(len(states), WIDTH), f"{layer}.out")
        states = normed(states + mixed, weights, f"{layer}.attention_norm")
        inner = linear(states, f"{layer}.up")
        active = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        states = normed(states + linear(active, f"{layer}.down"), weights, f"{layer}.output_norm")
    return states


def embedded(text: str) -> Array:
    ids, segments, _ = pad([tokenizer().encode(text)])
    return word_embeddings()(ids, segments)[0]


def test_shared_and_trained_layers_are_all_there_in_their_shapes() -> None:
    shared = base_weights()
    assert {name: shared[name].shape for name in layer_parameters(SHARED_LAYERS)} == layer_parameters(SHARED_LAYERS)
    assert not any(name in shared for name in layer_parameters().keys() - layer_parameters(SHARED_LAYERS).keys())
    weights = {**shared, **TRAINED}
    assert {name: weights[name].shape for name in layer_parameters()} == layer_parameters()
    assert len(layer_parameters()) == LAYERS * 12 and FEED_FORWARD == 4 * WIDTH and WIDTH % HEADS == 0
    assert all(np.isfinite(np.asarray(weights[name], np.float32)).all() for name in layer_parameters())


@pytest.mark.parametrize("line", REFERENCE, ids=lambda line: line["text"][:30])
def test_the_shared_layers_give_the_states_of_the_original_model(line: dict[str, object]) -> None:
    """Against what its authors' code gives: transformers, float32, mean of all states above the fourth layer."""
    expected = np.asarray(line["vector"], np.float32)
    mean = through(embedded(str(line["text"])), base_weights(), SHARED_LAYERS).mean(axis=0)
    assert float(mean @ expected / np.linalg.norm(mean) / np.linalg.norm(expected)) >= 0.9995


@pytest.mark.parametrize("text", TEXTS)
def test_the_graph_computes_what_the_layers_say(encoder: Encoder, text: str) -> None:
    expected = through(embedded(text), {**base_weights(), **TRAINED}, LAYERS)
    assert np.abs(encoder.encode([text]).states[0] - expected).max() < 1e-3


def test_the_reference_tells_texts_apart() -> None:
    vectors = np.asarray([line["vector"] for line in REFERENCE], np.float32)
    others = vectors @ vectors.T - np.eye(len(vectors), dtype=np.float32)
    assert len(REFERENCE) == 8 and others.max() < 0.9


def test_states_do_not_depend_on_what_else_is_in_the_batch(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        alone = encoder.encode([text])
        size = len(alone.encodings[0].ids)
        assert together.mask[row].sum() == size
        assert np.abs(together.states[row, :size] - alone.states[0]).max() < 1e-4


def test_states_are_the_same_twice_and_with_more_threads(encoder: Encoder) -> None:
    first = encoder.encode(TEXTS).states
    assert np.array_equal(first, encoder.encode(TEXTS).states)
    assert np.abs(Encoder(TRAINED, threads=2).encode(TEXTS).states - first).max() < 1e-4


def test_pairs_are_segments_and_long_input_is_cut(encoder: Encoder) -> None:
    batch = encoder.encode([("who is Ana?", "Ana is my sister")])
    (encoding,) = batch.encodings
    assert batch.states.shape == (1, len(encoding.ids), WIDTH)
    assert set(encoding.type_ids) == {0, 1} and encoding.tokens[0] == "[CLS]" and encoding.tokens[-1] == "[SEP]"
    assert encoder.encode(["word " * 1000], max_tokens=32).states.shape == (1, 32, WIDTH)


def test_marks_are_added_to_the_words(encoder: Encoder) -> None:
    ids, segments, mask = pad([tokenizer().encode(TEXTS[1])])
    nothing = np.zeros((*ids.shape, WIDTH), np.float32)
    marked = nothing.copy()
    marked[0, 2, ::2] = 0.5  # the same everywhere would be taken out by the norm
    plain = encoder.run(ids, segments, mask)
    assert np.array_equal(plain, encoder.run(ids, segments, mask, nothing))
    assert np.abs(plain - encoder.run(ids, segments, mask, marked)).max() > 0.01


def test_word_embeddings_are_normalised() -> None:
    ids, segments, _ = pad([tokenizer().encode(TEXTS[2])])
    weights = base_weights()
    gain = np.asarray(weights["embeddings.norm.weight"], np.float32)
    bias = np.asarray(weights["embeddings.norm.bias"], np.float32)
    normal = (word_embeddings()(ids, segments) - bias) / gain
    assert np.abs(normal.mean(axis=-1)).max() < 1e-4 and np.abs(normal.std(axis=-1) - 1).max() < 1e-2


def test_batches_are_of_texts_of_like_length_and_hold_each_once() -> None:
    lengths = [9, 40, 8, 300, 41, 10]
    assert list(by_length(lengths, 100)) == [[2, 0, 5], [1, 4], [3]]
    assert list(by_length([], 100)) == []
    for most in (1, 50, 1000):
        batches = list(by_length(lengths, most))
        assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
        assert all(len(b) == 1 or len(b) * max(lengths[place] for place in b) <= most for b in batches)


def test_padding_is_masked() -> None:
    ids, segments, mask = pad(tokenizer().encode_batch(TEXTS[:2]))
    assert ids.shape == segments.shape == mask.shape
    assert mask[0].sum() == 3 and not ids[0, 3:].any() and ids[0, 0] == tokenizer().token_to_id("[CLS]")
    assert pad([])[0].shape == (0, 1)


def test_all_that_the_models_need_is_shipped() -> None:
    names = {file.name for file in BUNDLED.iterdir()}
    assert {"encoder.onnx", "tokenizer.json", "SHA256SUMS", "slots.json", BASE.name} <= names
    assert {"understanding.safetensors", "reader.safetensors", "embedder.safetensors"} <= names


def test_the_models_run_without_torch() -> None:
    code = (
        "import sys\n"
        "from memagent.models.embedder import MiniLMEmbedder\n"
        "import memagent.models.specialists\n"
        "assert MiniLMEmbedder().encode_query('hello').vector.shape == (384,)\n"
        "print(sorted({'torch', 'transformers', 'chromadb', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
