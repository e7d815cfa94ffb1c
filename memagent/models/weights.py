"""Shipped weights: safetensors, checked against `bundled/SHA256SUMS` before use.

Matrices may be stored as int8 rows with one float16 scale each (`NAME.int8`, `NAME.scale`); they are restored to
float32 here, so that all arithmetic is float32 and a result never depends on what else is in the batch, as it does
with int8 arithmetic.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from memagent.errors import ModelError

SUMS = "SHA256SUMS"
KEPT_QUANTISED = frozenset({"embeddings.word"})


def expected_sum(path: Path) -> str:
    """The recorded SHA-256 of a bundled file."""
    try:
        lines = (path.parent / SUMS).read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise ModelError(f"{SUMS} beside {path.name} cannot be read", "reinstall memagent") from error
    for line in lines:
        digest, _, name = line.partition("  ")
        if name == path.name:
            return digest
    raise ModelError(f"{path.name} has no recorded checksum", f"reinstall memagent: {SUMS} is incomplete")


def load_weights(path: Path) -> dict[str, NDArray[np.generic]]:
    """Tensors of a bundled safetensors file, float32 or kept quantised. Raises ModelError when missing or altered."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model file {path.name} cannot be read", "reinstall memagent") from error
    if hashlib.sha256(data).hexdigest() != expected_sum(path):
        raise ModelError(f"the model file {path.name} is damaged: its checksum is wrong", "reinstall memagent")
    return restore(load(data))


def restore(stored: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Undo `quantise` for every matrix that is not kept quantised."""
    weights: dict[str, NDArray[np.generic]] = {}
    for name, tensor in stored.items():
        stem, _, form = name.rpartition(".")
        if form == "scale" and f"{stem}.int8" in stored and stem not in KEPT_QUANTISED:
            continue
        if form == "int8" and stem not in KEPT_QUANTISED:
            scale = stored[f"{stem}.scale"].astype(np.float32)
            weights[stem] = tensor.astype(np.float32) * scale[:, None]
        else:
            weights[name] = tensor.astype(np.float32) if tensor.dtype == np.float16 else tensor
    return weights


def quantise(name: str, matrix: NDArray[np.float32]) -> dict[str, NDArray[np.generic]]:
    """Symmetric int8 with one scale a row; the worst error of an entry is half its row's scale."""
    exact = np.abs(matrix).max(axis=1) / 127
    scale = np.maximum(exact.astype(np.float16), np.finfo(np.float16).smallest_subnormal)
    # Rounded up, so that the largest entry is never clipped.
    scale = np.where(scale < exact, np.nextafter(scale, np.float16(np.inf)), scale)
    rows = np.clip(np.rint(matrix / scale.astype(np.float32)[:, None]), -127, 127).astype(np.int8)
    return {f"{name}.int8": rows, f"{name}.scale": scale}
