"""From examples to tensors: tokenising, aligning spans with tokens, padding, and batches of similar length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from tokenizers import Encoding
from torch import Tensor

from memagent.models.encoder import pad, sequences, tokenizer
from memagent.training.compose import Span

T = TypeVar("T")


@dataclass
class Inputs:
    ids: Tensor
    segments: Tensor
    mask: Tensor


def inputs(encodings: Sequence[Encoding]) -> Inputs:
    ids, segments, mask = pad(encodings)
    return Inputs(torch.from_numpy(ids), torch.from_numpy(segments), torch.from_numpy(mask).long())


def encode(text: str, context: str, limit: int) -> Encoding:
    """One text, or a pair when there is a context; cut to `limit` tokens."""
    encoding = tokenizer().encode(text, context) if context else tokenizer().encode(text)
    encoding.truncate(limit)
    return encoding


def token_span(encoding: Encoding, segment: int, span: Span) -> tuple[int, int] | None:
    """First and last token of a character span of one segment, or None when it was cut off."""
    covered = [
        index
        for index, (sequence, (start, end)) in enumerate(zip(sequences(encoding), encoding.offsets, strict=True))
        if sequence == segment and start < span[1] and end > span[0]
    ]
    return (covered[0], covered[-1]) if covered else None


def by_length(examples: Iterable[tuple[int, T]], size: int, pool: int) -> Iterator[list[T]]:
    """Batches of `size` from a stream of (length, example), sorted by length within pools so that padding is rare."""
    waiting: list[tuple[int, T]] = []
    for item in examples:
        waiting.append(item)
        if len(waiting) == pool:
            yield from _cut(waiting, size)
            waiting = []


def _cut(waiting: list[tuple[int, Any]], size: int) -> Iterator[list[Any]]:
    import random

    waiting.sort(key=lambda item: item[0])
    batches = [[example for _, example in waiting[at : at + size]] for at in range(0, len(waiting), size)]
    random.Random(len(waiting) + waiting[0][0]).shuffle(batches)
    yield from batches
