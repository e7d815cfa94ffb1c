"""Where a checkpoint runs, and in which number type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from memagent.errors import ModelError

TYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


@dataclass(frozen=True)
class Placement:
    """A torch device by name ("cpu", "cuda:1", "mps") and the torch type of the weights."""

    device: str
    dtype: Any


def place(text: str) -> Placement:
    """What a value of the setting `device` means on this machine.

    `auto` takes a GPU where there is one. Without a type it is fp32 on the CPU, where bf16 makes reading twice as fast
    but not writing, and bf16 on a GPU, or fp16 where it knows no bf16. Raises ModelError: no such device here.
    """
    import torch

    device, _, kind = text.partition(":")
    if device == "cuda" and kind.partition(":")[0].isdigit():
        number, _, kind = kind.partition(":")
        device = f"cuda:{number}"
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("there is no CUDA device that torch can use here", "use device cpu, or install torch for CUDA")
    if device.startswith("cuda:") and int(device[5:]) >= torch.cuda.device_count():
        raise ModelError(f"there is no device {device} here", f"there are {torch.cuda.device_count()}, from cuda:0 on")
    if device == "mps" and not torch.backends.mps.is_available():
        raise ModelError("there is no MPS device here", "use device cpu")
    if not kind:
        on_gpu = device != "cpu"
        kind = "fp32" if not on_gpu else "bf16" if device == "mps" or torch.cuda.is_bf16_supported() else "fp16"
    return Placement(device, getattr(torch, TYPES[kind]))
