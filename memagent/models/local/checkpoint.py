"""Loads a transformers checkpoint: weights, tokenizer, what ends a reply, how long its window is."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from memagent.errors import ModelError
from memagent.models.local.device import Placement, place
from memagent.models.local.families import REFUSED, TESTED
from memagent.models.local.kept import KeptCache

LOG = logging.getLogger(__name__)
TRIAL = 24  # tokens
TOLERANCE = 1e-3  # of the largest logit, in fp32; rounding alone stays below a hundredth of it
LOOSE_TOLERANCE = 0.1  # in bf16 and fp16
T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    """A model that is ready to run."""

    name: str
    type: str  # of the architecture, as its configuration names it
    model: Any
    tokenizer: Any
    placement: Placement
    stops: frozenset[int]  # tokens that end a reply
    window: int | None  # tokens, where the configuration says
    own_loop: bool  # whether our decoding gives the tokens of `generate()`


def load_checkpoint(location: str, device: str) -> Checkpoint:
    """Load from a folder without a network, or from the hub by its id. Raises ModelError."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelError(
            f"the model {location!r} needs the library {error.name}", "install it: pip install 'memagent[local]'"
        ) from None
    placement = place(device)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    folder = Path(location).is_dir()
    if folder and not (Path(location) / "config.json").is_file():
        raise ModelError(f"there is no checkpoint in {location}: no config.json", "give a transformers checkpoint")
    config = _from(location, lambda: transformers.AutoConfig.from_pretrained(location, local_files_only=folder))
    if config.model_type in REFUSED:
        raise ModelError(
            f"{location} is of the type {config.model_type}, which is refused: {REFUSED[config.model_type]}",
            "use a Mamba-2 or hybrid model (Falcon-H1, Granite 4, Nemotron-H), or a server",
        )
    if config.is_encoder_decoder or type(config) not in transformers.AutoModelForCausalLM._model_mapping:
        raise ModelError(f"{location} is of the type {config.model_type}, which does not continue text", "use another")
    tokenizer = _from(location, lambda: transformers.AutoTokenizer.from_pretrained(location, local_files_only=folder))
    if not tokenizer.chat_template:
        raise ModelError(f"{location} has no chat template", "use the instruct or chat version of the model")
    model, info = _from(
        location,
        lambda: transformers.AutoModelForCausalLM.from_pretrained(
            location, local_files_only=folder, dtype=placement.dtype, output_loading_info=True
        ),
    )
    if missing := sorted(info["missing_keys"]):  # transformers would fill them with random numbers
        raise ModelError(f"{location} lacks {len(missing)} weights, among them {missing[0]}", "load it again, whole")
    model = _from(location, lambda: model.to(placement.device).eval())
    own_loop = config.model_type in TESTED
    if not own_loop:
        with torch.inference_mode():
            own_loop = cached_forwards_are_exact(model)
    return Checkpoint(
        name=Path(location).resolve().name if folder else location,
        type=config.model_type,
        model=model,
        tokenizer=tokenizer,
        placement=placement,
        stops=_stops(model, tokenizer),
        window=getattr(config.get_text_config(decoder=True), "max_position_embeddings", None),
        own_loop=own_loop,
    )


def cached_forwards_are_exact(model: Any) -> bool:
    """Whether tokens read in pieces, and one by one, give the logits that they give at once."""
    import torch

    size = int(model.get_input_embeddings().num_embeddings)
    ids = [(7919 * number + 11) % size for number in range(TRIAL)]
    tolerance = TOLERANCE if model.dtype == torch.float32 else LOOSE_TOLERANCE
    try:
        whole = KeptCache(model).forward(ids, TRIAL).float()
        pieces = KeptCache(model)
        logits = [pieces.forward(ids[:9], 9), pieces.forward(ids[9:18], 9)]
        logits += [pieces.forward([token], 1) for token in ids[18:]]
    # The forward is that of an architecture nobody has tried: what it does with our arguments and our cache is unknown,
    # and so is the error that it raises where they do not fit. generate() knows what it takes.
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        LOG.warning("%s decodes by generate(), which is slower: ours failed (%s)", type(model).__name__, what)
        return False
    return bool((torch.cat(logits).float() - whole).abs().max() <= tolerance * whole.abs().max())


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    """All that ends a turn: what the configurations say, and what the template puts behind an assistant's words."""
    found = {tokenizer.eos_token_id}
    for config in (model.generation_config, model.config):
        ids = getattr(config, "eos_token_id", None)
        found |= set(ids) if isinstance(ids, list | tuple) else {ids}
    said = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "Yes"}]
    text = tokenizer.apply_chat_template(said, tokenize=False)
    end = tokenizer.encode(text.rpartition("Yes")[2].lstrip(), add_special_tokens=False)
    if end and end[0] in tokenizer.added_tokens_decoder:
        found.add(end[0])
    found.discard(None)
    if not found:
        raise ModelError(f"{tokenizer.name_or_path} names no token that ends a reply", "use another model")
    return frozenset(found)


def _from(location: str, load: Callable[[], T]) -> T:
    """What `load` returns. The libraries' errors become ModelError with one sentence."""
    import torch
    from safetensors import SafetensorError

    try:
        return load()
    except (torch.cuda.OutOfMemoryError, MemoryError):
        raise ModelError(
            f"there is not enough memory for {location}", "use a smaller model, or another device"
        ) from None
    except json.JSONDecodeError as error:
        raise ModelError(f"a file of {location} is no valid JSON: {error}", "load the checkpoint again") from None
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and "memory" in str(error):
            raise ModelError(f"there is not enough memory for {location}", "use a smaller model") from None
        first = " ".join(str(error).split()).partition(". ")[0][:200]
        if Path(location).is_dir():
            raise ModelError(f"{location} cannot be loaded: {first}", "check that the checkpoint is whole") from None
        offline = os.environ.get("HF_HUB_OFFLINE") == "1"
        hint = "unset HF_HUB_OFFLINE, or give a folder" if offline else "check the id and the network, or give a folder"
        raise ModelError(f"{location} cannot be loaded from the hub: {first}", hint) from None
