"""Writes trained networks as shipped weights: int8 rows with float16 scales for matrices, float16 for the rest.

python -m memagent.training.export understanding RUN
python -m memagent.training.export reader RUN
python -m memagent.training.export embedder RUN
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from memagent.models.encoder import BUNDLED, LAYERS
from memagent.models.understanding import SLOTS
from memagent.models.weights import quantise
from memagent.training.card import write_card
from memagent.training.minilm import convert, write_sums
from memagent.training.network import FROZEN_LAYERS, Embedding


def _arrays(state: dict[str, torch.Tensor]) -> dict[str, NDArray[np.float32]]:
    """Weights of the layers that learned under our names, heads under theirs with matrices as (inputs, outputs)."""
    prefix = "trunk.bert."
    bert = {name[len(prefix) :]: tensor.float().numpy() for name, tensor in state.items() if name.startswith(prefix)}
    arrays = _upper(bert, FROZEN_LAYERS)
    for name, tensor in state.items():
        if not name.startswith(prefix):
            array = tensor.float().numpy()
            arrays[f"head.{name.removeprefix('trunk.')}"] = array.T if array.ndim == 2 else array
    return arrays


def _upper(bert: dict[str, NDArray[np.float32]], first: int) -> dict[str, NDArray[np.float32]]:
    """The layers from `first` on; those below are MiniLM's, which are shipped once."""
    learned = tuple(f"layer.{index}." for index in range(first, LAYERS))
    return {name: array for name, array in convert(bert).items() if name.startswith(learned)}


def _save(name: str, arrays: dict[str, NDArray[np.float32]]) -> None:
    stored: dict[str, NDArray[np.generic]] = {}
    for key, array in arrays.items():
        if key.startswith("layer.") and array.ndim == 2:
            stored.update(quantise(key, np.ascontiguousarray(array)))
        else:
            stored[key] = np.ascontiguousarray(array, dtype=np.float16)
    path = BUNDLED / f"{name}.safetensors"
    save_file(stored, path)
    write_sums()
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


def export_understanding(state: dict[str, torch.Tensor], slots: list[str]) -> None:
    SLOTS.write_text(json.dumps(slots, indent=0), encoding="utf-8")
    _save("understanding", _arrays(state))
    write_card()


def export_reader(state: dict[str, torch.Tensor]) -> None:
    _save("reader", _arrays(state))
    write_card()


def export_embedder(state: dict[str, torch.Tensor]) -> None:
    """The layers that learned and the heads; a constant added to all weights of tokens changes nothing and is left."""
    bert = {name.removeprefix("bert."): tensor.float().numpy() for name, tensor in state.items() if "bert." in name}
    arrays = _upper(bert, Embedding.LOWER)
    arrays["head.token"] = state["token.weight"].float().numpy().T
    arrays["head.weight"] = state["weight.weight"].float().numpy()[0]
    _save("embedder", arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("understanding", "reader", "embedder"))
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    state = torch.load(arguments.run / f"{arguments.model}.pt", weights_only=True)
    if arguments.model == "understanding":
        export_understanding(state, json.loads((arguments.run / "slots.json").read_text(encoding="utf-8")))
    elif arguments.model == "reader":
        export_reader(state)
    else:
        export_embedder(state)


if __name__ == "__main__":
    main()
