"""How people really type: typos, dropped apostrophes and full stops, abbreviations. Protected spans stay as they are."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from memagent.training.compose import Span

SHORT = {
    "you": "u",
    "your": "ur",
    "are": "r",
    "please": "pls",
    "because": "cos",
    "about": "abt",
    "tomorrow": "tmrw",
    "and": "&",
    "with": "w/",
    "want to": "wanna",
    "going to": "gonna",
    "don't know": "dunno",
    "remember": "rmbr",
    "birthday": "bday",
    "favourite": "fav",
    "favorite": "fave",
    "for": "4",
}
SPELLINGS = (
    ("colour", "color"),
    ("favourite", "favorite"),
    ("mum", "mom"),
    ("neighbour", "neighbor"),
    ("organis", "organiz"),
)


def roughen(text: str, protected: Sequence[Span], rng: random.Random) -> tuple[str, Callable[[Span], Span]]:
    """A rougher text and a function that moves spans of the old text (protected ones exactly) into it."""
    edits: list[tuple[int, int, str]] = []  # non-overlapping replacements of text[start:end]

    def free(start: int, end: int) -> bool:
        return all(end <= low or start >= high for low, high in protected) and all(
            end <= low or start >= high for low, high, _ in edits
        )

    def replace(start: int, end: int, new: str) -> None:
        if free(start, end):
            edits.append((start, end, new))

    if rng.random() < 0.25:
        for match in re.finditer(r"'", text):
            replace(match.start(), match.end(), "")
    if rng.random() < 0.35 and re.search(r".[.!?]$", text):
        replace(len(text) - 1, len(text), "")
    if rng.random() < 0.12:
        for word, short in SHORT.items():
            for match in re.finditer(rf"\b{re.escape(word)}\b", text):
                replace(match.start(), match.end(), short)
    for british, american in SPELLINGS:
        if rng.random() < 0.3:
            for match in re.finditer(british, text):
                replace(match.start(), match.end(), american)
    if rng.random() < 0.22:
        words = [match for match in re.finditer(r"[a-z]{4,}", text)]
        for match in rng.sample(words, min(len(words), rng.choice((1, 1, 2)))):
            at = rng.randrange(match.start(), match.end() - 1)
            typo = rng.choice((text[at + 1] + text[at], text[at], text[at] * 2 + text[at + 1], text[at + 1]))
            replace(at, at + 2, typo)
    if rng.random() < 0.06:
        for match in re.finditer(r",", text):
            replace(match.start(), match.end(), "")
    edits.sort()
    rough, last = "", 0
    for start, end, new in edits:
        rough += text[last:start] + new
        last = end
    rough += text[last:]

    def move(span: Span) -> Span:
        shift_start = sum(len(new) - (end - start) for start, end, new in edits if end <= span[0])
        shift_end = sum(len(new) - (end - start) for start, end, new in edits if end <= span[1])
        return span[0] + shift_start, span[1] + shift_end

    return rough, move
