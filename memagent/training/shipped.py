"""The shipped weights as a start for more training: what `export` wrote, under the names of `network` again.

    python -m memagent.training.shipped understanding OUT     # then: ... understand --start OUT/understanding.pt

Checkpoints of runs are not kept in the repository. What was rounded for shipping stays rounded (int8 rows, float16),
which costs less than the first hundred steps give.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from memagent.models import reader, understanding
from memagent.models.weights import load_weights
from memagent.training.network import Reader, Trunk, Understanding
from memagent.training.understand import slot_names

PARTS = {
    "attention.output.dense": "out",
    "intermediate.dense": "up",
    "output.dense": "down",
    "attention.output.LayerNorm": "attention_norm",
    "output.LayerNorm": "output_norm",
}
QKV = ("query", "key", "value")


def shipped_state(network: nn.Module, weights: Mapping[str, NDArray[np.generic]]) -> dict[str, torch.Tensor]:
    """The state of a network with everything that the shipped weights hold of it in the place of its own."""
    state = dict(network.state_dict())
    arrays = {name: np.asarray(array, np.float32) for name, array in weights.items()}
    for name, array in arrays.items():
        if not name.startswith("layer."):
            head = name.removeprefix("head.")
            matrix = array.T if array.ndim == 2 else array
            state[head if head in state else f"trunk.{head}"] = torch.from_numpy(np.ascontiguousarray(matrix))
            continue
        _, index, part, kind = name.split(".")
        layer = f"trunk.bert.encoder.layer.{index}."
        if part == "qkv":
            for third, own in zip(np.split(array, 3, axis=-1), QKV, strict=True):
                state[f"{layer}attention.self.{own}.{kind}"] = torch.from_numpy(np.ascontiguousarray(third.T))
        else:
            theirs = next(long for long, short in PARTS.items() if short == part)
            state[f"{layer}{theirs}.{kind}"] = torch.from_numpy(np.ascontiguousarray(array.T))
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("understanding", "reader"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--minilm", type=Path, required=True, help="the folder of all-MiniLM-L6-v2")
    arguments = parser.parse_args()
    trunk = Trunk(arguments.minilm)
    network: nn.Module = Reader(trunk)
    path = reader.WEIGHTS
    if arguments.model == "understanding":
        network, path = Understanding(trunk, len(slot_names())), understanding.WEIGHTS
    state = shipped_state(network, load_weights(path))
    network.load_state_dict(state)
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.save(state, arguments.out / f"{arguments.model}.pt")


if __name__ == "__main__":
    main()
