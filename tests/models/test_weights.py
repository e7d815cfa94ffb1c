"""Shipped weights: what is altered is refused, and what int8 costs is bounded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from safetensors.numpy import save

from memagent.errors import ModelError
from memagent.models.encoder import BUNDLED
from memagent.models.weights import SUMS, expected_sum, load_weights, quantise, restore

MATRICES = arrays.arrays(
    np.float32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-1e4, 1e4, width=32, allow_nan=False),
)


@given(MATRICES)
def test_no_entry_is_off_by_more_than_half_its_row_s_scale(matrix: NDArray[np.float32]) -> None:
    stored = quantise("layer", matrix)
    assert stored["layer.int8"].dtype == np.int8 and stored["layer.scale"].dtype == np.float16
    assert int(np.abs(stored["layer.int8"].astype(np.int32)).max()) <= 127
    restored = restore(stored)["layer"]
    assert restored.dtype == np.float32 and restored.shape == matrix.shape
    bound = stored["layer.scale"].astype(np.float64)[:, None] / 2
    assert (np.abs(restored.astype(np.float64) - matrix) <= bound * (1 + 1e-5)).all()


@given(MATRICES)
def test_a_scale_is_no_larger_than_it_has_to_be(matrix: NDArray[np.float32]) -> None:
    scale = quantise("layer", matrix)["layer.scale"].astype(np.float64)
    exact = np.abs(matrix).max(axis=1).astype(np.float64) / 127
    assert (scale <= exact * (1 + 2**-10) + 2**-24).all()


@given(MATRICES)
def test_quantising_what_was_restored_changes_nothing_more_than_the_bound(matrix: NDArray[np.float32]) -> None:
    once = restore(quantise("layer", matrix))["layer"]
    twice = quantise("layer", np.asarray(once, np.float32))
    bound = twice["layer.scale"].astype(np.float64)[:, None] / 2
    assert (np.abs(restore(twice)["layer"].astype(np.float64) - once) <= bound * (1 + 1e-5)).all()


def test_word_embeddings_stay_int8_and_float16_becomes_float32() -> None:
    words = quantise("embeddings.word", np.ones((3, 4), np.float32))
    restored = restore({**words, "layer.bias": np.ones(4, np.float16), "ids": np.arange(3)})
    assert restored["embeddings.word.int8"].dtype == np.int8
    assert restored["layer.bias"].dtype == np.float32 and restored["ids"].dtype == np.arange(3).dtype
    assert "embeddings.word" not in restored


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    data = save({"bias": np.arange(4, dtype=np.float32)})
    file.write_bytes(data)
    (tmp_path / SUMS).write_text(f"{'0' * 64}  other.bin\n{hashlib.sha256(data).hexdigest()}  {file.name}\n")
    return file


def test_a_file_with_its_checksum_is_loaded(shipped: Path) -> None:
    assert load_weights(shipped)["bias"].tolist() == [0, 1, 2, 3]


def refused(file: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_weights(file)
    assert "reinstall" in error.value.hint
    return error.value.message


def test_one_altered_byte_is_refused(shipped: Path) -> None:
    data = bytearray(shipped.read_bytes())
    data[-1] ^= 1
    shipped.write_bytes(bytes(data))
    assert refused(shipped) == "the model file model.safetensors is damaged: its checksum is wrong"


def test_what_is_missing_is_a_model_error(shipped: Path) -> None:
    (shipped.parent / SUMS).write_text("")
    assert "no recorded checksum" in refused(shipped)
    (shipped.parent / SUMS).unlink()
    assert SUMS in refused(shipped)
    shipped.unlink()
    assert "cannot be read" in refused(shipped)


@pytest.mark.parametrize("file", sorted(BUNDLED.glob("*.safetensors")), ids=lambda file: file.name)
def test_the_shipped_files_are_those_that_were_recorded(file: Path) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == expected_sum(file)


def test_every_recorded_file_is_shipped() -> None:
    recorded = [line.partition("  ")[2] for line in (BUNDLED / SUMS).read_text(encoding="ascii").splitlines()]
    assert sorted(recorded) == sorted(file.name for file in BUNDLED.glob("*.safetensors"))
