"""Averages the weights of several runs of one model: often better than each of them, at no cost when it runs.

    python -m memagent.training.average reader OUT RUN RUN ...

The runs must stem from one another or from the same start (Wortsman et al. 2022, "Model soups"). Writes OUT/MODEL.pt.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

State = dict[str, Tensor]


def average(states: Sequence[State]) -> State:
    """The mean of each tensor; what is no floating point number is that of the first."""
    first = states[0]
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0).to(tensor.dtype)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("understanding", "reader", "embedder"))
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    arguments = parser.parse_args()
    file = f"{arguments.model}.pt"
    states = [torch.load(run / file, weights_only=True) for run in arguments.runs]
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.save(average(states), arguments.out / file)


if __name__ == "__main__":
    main()
