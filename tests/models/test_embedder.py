"""all-MiniLM-L6-v2 as shipped, against vectors that its authors' code gives (transformers, float32, mean pooling)."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from memagent.models.embedder import MiniLMEmbedder

REFERENCE = [
    json.loads(line)
    for line in (Path(__file__).parent / "minilm_reference.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


def cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize("line", REFERENCE, ids=lambda line: line["text"][:30])
def test_vectors_are_those_of_the_original_model(embedder: MiniLMEmbedder, line: dict[str, object]) -> None:
    expected = np.asarray(line["vector"], np.float32)
    assert cosine(embedder.embed([str(line["text"])])[0], expected) >= 0.9995


def test_the_reference_tells_texts_apart() -> None:
    vectors = np.asarray([line["vector"] for line in REFERENCE], np.float32)
    others = vectors @ vectors.T - np.eye(len(vectors), dtype=np.float32)
    assert len(REFERENCE) == 8 and others.max() < 0.9


def test_vectors_have_unit_length_and_the_promised_shape(embedder: MiniLMEmbedder) -> None:
    vectors = embedder.embed(["hi", "", " ", "word " * 3000, "人 🙂 \x1b[31m", "x" * 20_000])
    assert vectors.shape == (6, embedder.dimension) and vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert embedder.embed([]).shape == (0, embedder.dimension)


@settings(max_examples=10)
@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_a_vector_does_not_depend_on_the_batch(embedder: MiniLMEmbedder, texts: list[str]) -> None:
    long = "the boiler is serviced by Hartnell, who come every March " * 12
    together = embedder.embed([long, *texts, "hi"])[1:-1]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-5


def test_a_large_batch_is_cut_and_keeps_its_order(embedder: MiniLMEmbedder) -> None:
    texts = [f"note {number} " + "about the boiler " * (number % 17) for number in range(120)]
    together = embedder.embed(texts)
    for row in (0, 16, 57, 119):
        assert np.abs(together[row] - embedder.embed([texts[row]])[0]).max() < 1e-5


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("who looks after the boiler?", "the boiler is serviced by Hartnell", "my sister lives in Porto"),
        ("what am I allergic to?", "peanuts make me ill, I can't have them", "the car is on Dunmail Street"),
        ("where does my sister live", "Ana's flat is in Porto, I visited my sister", "the bike lock code is 7194"),
        ("when is the dentist?", "teeth cleaning is on Friday at 9", "I'm halfway through Wolf Hall"),
    ],
)
def test_what_answers_is_nearer_than_what_does_not(
    embedder: MiniLMEmbedder, question: str, near: str, far: str
) -> None:
    asked, answer, other = embedder.embed([question, near, far])
    assert cosine(asked, answer) > cosine(asked, other) + 0.1


def test_threads_share_one_embedder(embedder: MiniLMEmbedder) -> None:
    texts = [line["text"] for line in REFERENCE]
    expected = embedder.embed(texts)
    differences: list[float] = []

    def work() -> None:
        differences.append(float(np.abs(embedder.embed(texts) - expected).max()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(differences) == 4 and max(differences) < 1e-6
