"""What every training run shares: seeds, the optimiser with its schedule, checkpoints to resume, a minutely log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

CHECKPOINT_SECONDS = 180.0


@dataclass
class Run:
    """One training run in a folder: `checkpoint.pt` while it runs, `log.jsonl` for ever."""

    folder: Path
    steps: int
    trunk_rate: float
    head_rate: float
    bf16: bool = False
    started: float = field(default_factory=time.monotonic)

    def optimiser(self, network: nn.Module) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        """AdamW with linear warm-up over 6 % and linear decay; heads learn faster than the trunk."""
        trunk = [p for name, p in network.named_parameters() if p.requires_grad and name.startswith("trunk.bert")]
        heads = [p for name, p in network.named_parameters() if p.requires_grad and not name.startswith("trunk.bert")]
        optimiser = torch.optim.AdamW(
            [{"params": trunk, "lr": self.trunk_rate}, {"params": heads, "lr": self.head_rate}],
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        warm = max(1, int(self.steps * 0.06))

        def factor(step: int) -> float:
            return min((step + 1) / warm, max(0.0, (self.steps - step) / (self.steps - warm)))

        return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)

    @property
    def first_step(self) -> int:
        """The step from which the run goes on."""
        path = self.folder / "checkpoint.pt"
        return int(torch.load(path, weights_only=True, map_location="cpu")["step"]) if path.exists() else 0

    def steps_to_do(self, network: nn.Module, optimiser: Any, schedule: Any) -> Iterator[int]:
        """Step numbers from the last checkpoint on; saves one every few minutes."""
        path = self.folder / "checkpoint.pt"
        first, saved = 0, time.monotonic()
        if path.exists():
            state = torch.load(path, weights_only=True)
            network.load_state_dict(state["network"])
            optimiser.load_state_dict(state["optimiser"])
            schedule.load_state_dict(state["schedule"])
            first = state["step"]
        for step in range(first, self.steps):
            yield step
            if time.monotonic() - saved > CHECKPOINT_SECONDS or step + 1 == self.steps:
                state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
                torch.save({**state, "schedule": schedule.state_dict(), "step": step + 1}, path)
                saved = time.monotonic()

    def log(self, **values: object) -> None:
        line = json.dumps({"seconds": round(time.monotonic() - self.started, 1), **values})
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)


def prepare(folder: Path, seed: int, threads: int) -> None:
    """Make the run's folder and fix what is random."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
