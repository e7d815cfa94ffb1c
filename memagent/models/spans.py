"""Small numeric and textual helpers that the heads share."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

TITLE = re.compile(r"\b(?:mr|mrs|ms|miss|dr|prof)$", re.IGNORECASE)
NAME_BEHIND = re.compile(r"\.?\s+[^\W\d_a-zß-ÿ][\w’'-]*")


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis."""
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: NDArray[np.float32] = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Grow a span to whole words and trim what cannot end a value."""
    while 0 < start < len(text) and text[start - 1].isalnum() and text[start].isalnum():
        start -= 1
    while 0 < end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        end += 1
    if text[start - 1 : start + 2] in ("'s ", "’s ") and start + 2 < end:
        start += 2  # "Nora's wedding" is a wedding, not "s wedding"
    while start < end and text[start] in " ,.;:!?\"'(":
        start += 1
    while end > start and text[end - 1] in " ,.;:!?\"'(":
        end -= 1
    name = NAME_BEHIND.match(text, end) if TITLE.search(text, start, end) else None
    return start, name.end() if name else end  # "Mr" alone names nobody
