"""From a folder or hub id to a running chat model."""

from __future__ import annotations

from memagent.errors import ModelError
from memagent.models.chat_model import ChatModel


def load_local(location: str, *, context_tokens: int | None, device: str) -> ChatModel:
    """Load a transformers checkpoint from a folder, or from the hub by its id.

    `context_tokens` bounds the window; None takes the model's own, at most `choose.DEFAULT_WINDOW`. `device` is a value
    of the setting of that name: auto, cpu, cuda, cuda:1 or mps, with :fp32, :bf16 or :fp16 behind it where the type is
    given. Raises ModelError: the libraries are not installed, nothing is there, the type is refused, no memory.
    """
    raise ModelError(f"the model {location!r} cannot be run by this build", "use a server: --model http://HOST/v1#NAME")
