"""What is shipped can be trained further: the weights come back under the names of the network."""

from __future__ import annotations

import torch
from torch import nn

from memagent.models.understanding import WEIGHTS
from memagent.models.weights import load_weights
from memagent.training.shipped import shipped_state


class Layer(nn.Module):
    """As much of a trunk as the names need."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.Linear(384, 6)


def test_every_shipped_weight_comes_back_as_it_was_trained() -> None:
    weights = load_weights(WEIGHTS)
    state = shipped_state(Layer(), weights)
    assert torch.equal(state["act.weight"], torch.from_numpy(weights["head.act.weight"]).T)
    assert torch.equal(state["trunk.mark"], torch.from_numpy(weights["head.mark"]))
    layer = "trunk.bert.encoder.layer.2."
    parts = [state[f"{layer}attention.self.{part}.weight"] for part in ("query", "key", "value")]
    assert torch.equal(torch.cat(parts).T, torch.from_numpy(weights["layer.2.qkv.weight"]))
    assert torch.equal(state[f"{layer}output.dense.bias"], torch.from_numpy(weights["layer.2.down.bias"]))
    assert not [name for name in state if name.startswith(("layer.", "head."))]
