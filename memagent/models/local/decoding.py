"""Decoding over `forward`: the tokens of `generate()`, in fewer forwards.

Tokens that a grammar forces ride along with the next forward, and so do drafts: what followed the newest tokens when
they last occurred. A draft is only kept as far as the model would have said the same, so it changes nothing but the
time. The caller may stop between any two tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from memagent.models.local.kept import KeptCache

PREFILL = 512  # tokens read in one forward, so that a long prompt can be stopped
DRAFT = 8  # tokens at first; doubled when all are right, halved when none is
MOST_DRAFT = 16
LONGEST_MATCH = 6
LEAST_MATCH = 2  # tokens that must have occurred before; single ones guess too often
TEMPERATURE, TOP_P = 0.8, 0.95  # of further attempts


class Constraint(Protocol):
    """What may come next. `allowed` and `forced` are asked after each token that was taken."""

    def allowed(self) -> Any:
        """Booleans over the vocabulary, (tokens,), on the CPU."""
        ...

    def forced(self) -> list[int]:
        """Tokens that must come next; empty where there is a choice."""
        ...

    def admits(self, draft: Sequence[int]) -> int:
        """How many tokens of a draft may come next."""
        ...

    def take(self, ids: Sequence[int]) -> None:
        """These tokens came."""
        ...


@dataclass
class Sampler:
    """Greedy where `seed` is 0, else drawn at TEMPERATURE from the TOP_P most likely, the same for the same seed."""

    seed: int

    def __post_init__(self) -> None:
        import torch

        self._random = torch.Generator().manual_seed(self.seed)

    def choose(self, logits: Any, constraint: Constraint | None) -> int:
        """A token by its logits, (vocabulary,)."""
        import torch

        if constraint is not None:
            allowed = constraint.allowed().to(logits.device)
            size = min(len(logits), len(allowed))
            logits = logits[:size].masked_fill(~allowed[:size], float("-inf"))
        if not self.seed:
            return int(logits.argmax())
        chances = torch.softmax(logits.float().cpu() / TEMPERATURE, -1)
        ranked, order = chances.sort(descending=True)
        ranked[ranked.cumsum(-1) - ranked > TOP_P] = 0.0
        return int(order[torch.multinomial(ranked, 1, generator=self._random)])


def draft_from(ids: Sequence[int], size: int) -> list[int]:
    """What followed the longest end of `ids` when it last occurred before, at most `size` tokens."""
    if size <= 0:
        return []
    for length in range(min(LONGEST_MATCH, len(ids) - 1), LEAST_MATCH - 1, -1):
        end = list(ids[-length:])
        last = end[-1]
        for stop in range(len(ids) - 1, length - 1, -1):
            if ids[stop - 1] == last and ids[stop - length : stop] == end:
                return list(ids[stop : stop + size])
    return []


def read_prompt(cache: KeptCache, ids: Sequence[int], boundaries: Sequence[int], cancel: threading.Event) -> Any:
    """Read what the cache does not hold yet, but for the last token, with snapshots at `boundaries`.

    Returns how many tokens it held already; None where it was cancelled, with the cache as far as it came.
    """
    held = cache.rewind(ids)
    at, end = held, len(ids) - 1
    stops = sorted({boundary for boundary in boundaries if at < boundary <= end} | {end})
    for stop in stops:
        while at < stop:
            if cancel.is_set():
                return None
            size = min(PREFILL, stop - at)
            cache.forward(ids[at : at + size], 1)
            cache.settle()
            at += size
        if stop in boundaries:
            cache.snapshot()
    return held


def decode(
    cache: KeptCache,
    ids: list[int],
    *,
    limit: int,
    stops: frozenset[int],
    sampler: Sampler,
    constraint: Constraint | None = None,
    drafts: bool = True,
    cancel: threading.Event | None = None,
) -> Iterator[list[int]]:
    """Continue `ids`, which is appended to; yields the new tokens as they are certain, at most `limit` in all.

    The cache holds a part of `ids`, as `read_prompt` leaves it. The last token is one of `stops`, unless the limit
    came first. Closing the generator leaves the cache usable.
    """
    made, size = 0, DRAFT
    while made < limit and not (cancel is not None and cancel.is_set()):
        while constraint is not None and (forced := constraint.forced()[: limit - made]):
            constraint.take(forced)
            ids += forced
            made += len(forced)
            yield forced
        if made >= limit:
            return
        pending = ids[len(cache.ids) :]
        draft = draft_from(ids, min(size, limit - made - 1)) if drafts else []
        if draft and constraint is not None:
            draft = draft[: constraint.admits(draft)]
        if draft and not (cache.ids and cache.record()):
            draft = []
        logits = cache.forward([*pending, *draft], len(draft) + 1)
        taken = _accepted(logits, draft, sampler, constraint, stops)
        right = len(taken) - 1  # of the draft; the last token is the model's own
        cache.settle(len(draft) - right)
        if draft:
            size = min(2 * size, MOST_DRAFT) if right == len(draft) else max(size // 2, 2) if not right else size
        ids += taken
        made += len(taken)
        yield taken
        if taken[-1] in stops:
            return


def _accepted(
    logits: Any, draft: Sequence[int], sampler: Sampler, constraint: Constraint | None, stops: frozenset[int]
) -> list[int]:
    """The tokens that the model says, as long as they follow the draft, and the first that does not."""
    taken = []
    for row, guess in zip(logits, [*draft, None], strict=True):
        token = sampler.choose(row, constraint)
        taken.append(token)
        if constraint is not None and token not in stops:
            constraint.take([token])
        if token != guess or token in stops:
            break
    return taken
