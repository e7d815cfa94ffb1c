"""The shared transformer, with the weights that are shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from memagent.models.encoder import (
    BASE,
    BUNDLED,
    HEADS,
    LAYERS,
    WIDTH,
    Encoder,
    base_weights,
    layer_parameters,
    pad,
    tokenizer,
    word_embeddings,
)

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


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(base_weights())


def test_the_shipped_weights_have_every_layer_in_its_shape() -> None:
    weights = base_weights()
    assert {name: weights[name].shape for name in layer_parameters()} == layer_parameters()
    assert len(layer_parameters()) == LAYERS * 12 and WIDTH % HEADS == 0
    assert all(np.isfinite(np.asarray(weights[name], np.float32)).all() for name in layer_parameters())


@pytest.mark.parametrize("line", REFERENCE, ids=lambda line: line["text"][:30])
def test_the_base_weights_give_the_vectors_of_the_original_model(encoder: Encoder, line: dict[str, object]) -> None:
    """Against what its authors' code gives: transformers, float32, mean of all states."""
    expected = np.asarray(line["vector"], np.float32)
    mean = encoder.encode([str(line["text"])]).states[0].mean(axis=0)
    assert float(mean @ expected / np.linalg.norm(mean) / np.linalg.norm(expected)) >= 0.9995


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
    assert np.abs(Encoder(base_weights(), threads=2).encode(TEXTS).states - first).max() < 1e-4


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
