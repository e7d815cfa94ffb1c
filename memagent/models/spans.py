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


def _within(text: str, at: int) -> bool:
    """Whether a place is inside of a word or of a number: neither "2" nor "20" is the price of 2.20."""
    before, behind = text[at - 1], text[at]
    if before.isalnum() and behind.isalnum():
        return True
    point, digits = (
        (before, text[max(0, at - 2)] + behind) if before in ".:" else (behind, before + text[at + 1 : at + 2])
    )
    return point in ".:" and len(digits) == 2 and digits.isdigit() and (before != point or at >= 2)


def whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Grow a span to whole words and trim what cannot end a value."""
    while 0 < start < len(text) and _within(text, start):
        start -= 1
    while 0 < end < len(text) and _within(text, end):
        end += 1
    if text[start - 1 : start + 2] in ("'s ", "’s ") and start + 2 < end:
        start += 2  # "Nora's wedding" is a wedding, not "s wedding"
    while start < end and text[start] in " ,.;:!?\"'(":
        start += 1
    while end > start and text[end - 1] in " ,.;:!?\"'(":
        end -= 1
    name = NAME_BEHIND.match(text, end) if TITLE.search(text, start, end) else None
    return start, name.end() if name else end  # "Mr" alone names nobody
