"""Makes `bundled/minilm.safetensors` from all-MiniLM-L6-v2 (Apache-2.0): what the shipped models share of it.

    python -m memagent.training.minilm --from DIR      # a folder with model.safetensors and tokenizer.json

The source is checked against its published SHA-256. Word embeddings become int8 rows (12 MB), the four lowest layers
float16 (14 MB); the two upper ones are other in every model, and not shipped. The PyPI package that carries the
original requires sentence-transformers and with it torch, which the program does not need, so they are shipped here.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save_file

from memagent.models.encoder import BASE, BUNDLED, LAYERS, SHARED_LAYERS, TOKENIZER
from memagent.models.weights import SUMS, quantise

SOURCE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def convert(source: dict[str, NDArray[np.float32]], layers: int = LAYERS) -> dict[str, NDArray[np.float32]]:
    """Embeddings and the lowest layers, from Hugging Face's BERT names and (outputs, inputs) matrices.

    Ours are (inputs, outputs), with query, key and value in one.
    """
    tensors = {
        "embeddings.word": source["embeddings.word_embeddings.weight"],
        "embeddings.position": source["embeddings.position_embeddings.weight"],
        "embeddings.segment": source["embeddings.token_type_embeddings.weight"],
        "embeddings.norm.weight": source["embeddings.LayerNorm.weight"],
        "embeddings.norm.bias": source["embeddings.LayerNorm.bias"],
    }
    for index in range(layers):
        theirs, ours = f"encoder.layer.{index}.", f"layer.{index}."
        heads = [f"{theirs}attention.self.{part}" for part in ("query", "key", "value")]
        tensors[f"{ours}qkv.weight"] = np.concatenate([source[f"{head}.weight"].T for head in heads], axis=1)
        tensors[f"{ours}qkv.bias"] = np.concatenate([source[f"{head}.bias"] for head in heads])
        for part, name in (
            ("out", "attention.output.dense"),
            ("up", "intermediate.dense"),
            ("down", "output.dense"),
        ):
            tensors[f"{ours}{part}.weight"] = np.ascontiguousarray(source[f"{theirs}{name}.weight"].T)
            tensors[f"{ours}{part}.bias"] = source[f"{theirs}{name}.bias"]
        for part, name in (("attention_norm", "attention.output.LayerNorm"), ("output_norm", "output.LayerNorm")):
            tensors[f"{ours}{part}.weight"] = source[f"{theirs}{name}.weight"]
            tensors[f"{ours}{part}.bias"] = source[f"{theirs}{name}.bias"]
    return tensors


def write_sums() -> None:
    """Record the SHA-256 of every bundled weight file."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(BUNDLED.glob("*.safetensors"))
    ]
    (BUNDLED / SUMS).write_text("".join(lines), encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, required=True)
    folder = parser.parse_args().folder
    data = (folder / "model.safetensors").read_bytes()
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        raise SystemExit(f"{folder / 'model.safetensors'} is not the published all-MiniLM-L6-v2")
    tensors = convert(load(data), SHARED_LAYERS)
    stored: dict[str, NDArray[np.generic]] = dict(quantise("embeddings.word", tensors.pop("embeddings.word")))
    stored.update({name: np.ascontiguousarray(tensor, dtype=np.float16) for name, tensor in tensors.items()})
    BUNDLED.mkdir(parents=True, exist_ok=True)
    save_file(stored, BASE, metadata={"source": "sentence-transformers/all-MiniLM-L6-v2", "licence": "Apache-2.0"})
    shutil.copyfile(folder / "tokenizer.json", TOKENIZER)
    write_sums()
    print(f"{BASE.name}: {BASE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
