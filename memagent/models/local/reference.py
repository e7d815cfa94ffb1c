"""`generate()` of transformers: what our decoding is compared with, and how models run that ours cannot be trusted on.

Nothing is kept between two replies here, and no draft is tried.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from memagent.models.chat_model import ChatRequest
from memagent.models.local.checkpoint import Checkpoint
from memagent.models.local.decoding import TEMPERATURE, TOP_P, Constraint


def reference(checkpoint: Checkpoint, ids: list[int], limit: int) -> list[int]:
    """`ids` and what greedy `generate()` continues them with, at most `limit` tokens."""
    import torch

    given = torch.tensor([ids], device=checkpoint.model.device)
    with torch.inference_mode():
        made = checkpoint.model.generate(
            input_ids=given,
            attention_mask=torch.ones_like(given),
            generation_config=_plain(checkpoint),
            max_new_tokens=limit,
            do_sample=False,
        )
    tokens: list[int] = made[0].tolist()
    return tokens


def generate(
    checkpoint: Checkpoint, ids: list[int], limit: int, request: ChatRequest, constraint: Constraint | None
) -> Iterator[list[int]]:
    """Continue `ids`, which is appended to, with the tokens of `generate()` one by one as they come.

    It runs in a thread of its own; closing the generator, and `request.cancel`, stop it at the next token. Whatever it
    raises is raised here.
    """
    tokens: queue.Queue[int | BaseException | None] = queue.Queue()
    left = threading.Event()
    thread = threading.Thread(
        target=_run, args=(checkpoint, list(ids), limit, request, constraint, tokens, left), daemon=True
    )
    thread.start()
    try:
        while (token := tokens.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            ids.append(token)
            yield [token]
    finally:
        left.set()
        thread.join()


def _run(
    checkpoint: Checkpoint,
    ids: list[int],
    limit: int,
    request: ChatRequest,
    constraint: Constraint | None,
    tokens: queue.Queue[int | BaseException | None],
    left: threading.Event,
) -> None:
    import torch

    prompt = len(ids)
    seen = prompt

    def hold(given: Any, logits: Any) -> Any:
        nonlocal seen
        assert constraint is not None
        constraint.take(given[0, seen:].tolist())
        seen = given.shape[1]
        allowed = constraint.allowed().to(logits.device)
        size = min(logits.shape[-1], len(allowed))
        logits[:, size:] = float("-inf")
        logits[:, :size] = logits[:, :size].masked_fill(~allowed[:size], float("-inf"))
        return logits

    def stop(given: Any, _: Any, **__: Any) -> Any:
        tokens.put(int(given[0, -1]))
        return torch.full((1,), left.is_set() or request.cancel.is_set(), device=given.device)

    sampling = (
        {"do_sample": True, "temperature": TEMPERATURE, "top_p": TOP_P} if request.attempt else {"do_sample": False}
    )
    try:
        given = torch.tensor([ids], device=checkpoint.model.device)
        torch.manual_seed(request.attempt)
        with torch.inference_mode():
            checkpoint.model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                generation_config=_plain(checkpoint),
                max_new_tokens=limit,
                logits_processor=[hold] if constraint is not None else None,
                stopping_criteria=[stop],
                **sampling,
            )
        tokens.put(None)
    except BaseException as error:  # it is raised by the thread that reads the queue
        tokens.put(error)


def _plain(checkpoint: Checkpoint) -> Any:
    """No sampling or penalties of the checkpoint's own, and our tokens that end a reply."""
    from transformers import GenerationConfig

    return GenerationConfig(eos_token_id=sorted(checkpoint.stops), pad_token_id=min(checkpoint.stops))
