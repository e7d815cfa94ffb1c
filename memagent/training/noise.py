"""How people really type: typos, dropped apostrophes and full stops, abbreviations. Protected spans stay."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence

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


class _Edits:
    """Replacements of parts of a text that neither overlap nor touch what is protected."""

    def __init__(self, text: str, protected: Sequence[Span]) -> None:
        self.text = text
        self._protected = protected
        self._made: list[tuple[int, int, str]] = []

    def replace(self, start: int, end: int, new: str) -> None:
        """Replace text[start:end], where that is allowed."""
        taken = [*self._protected, *((low, high) for low, high, _ in self._made)]
        if all(end <= low or start >= high for low, high in taken):
            self._made.append((start, end, new))

    def replace_all(self, pattern: str, new: str) -> None:
        for match in re.finditer(pattern, self.text):
            self.replace(match.start(), match.end(), new)

    def apply(self) -> tuple[str, Callable[[Span], Span]]:
        """The new text, and a function that moves spans of the old text into it."""
        made = sorted(self._made)
        rough, last = "", 0
        for start, end, new in made:
            rough += self.text[last:start] + new
            last = end

        def shift(position: int) -> int:
            return sum(len(new) - (end - start) for start, end, new in made if end <= position)

        return rough + self.text[last:], lambda span: (span[0] + shift(span[0]), span[1] + shift(span[1]))


def replaced(text: str, other: Mapping[str, str]) -> tuple[str, Callable[[Span], Span]]:
    """The text with words exchanged, by their lower case and in the case that they had; and spans moved into it."""
    edits = _Edits(text, ())
    for match in re.finditer(r"[^\W\d_]+|\d+", text):
        old = match.group()
        new = other.get(old.casefold())
        if new is not None:
            cased = new.upper() if old.isupper() and len(old) > 1 else new.title() if old[0].isupper() else new.lower()
            edits.replace(match.start(), match.end(), cased)
    return edits.apply()


def roughen(text: str, protected: Sequence[Span], rng: random.Random) -> tuple[str, Callable[[Span], Span]]:
    """A rougher text and a function that moves spans of the old text (protected ones exactly) into it."""
    edits = _Edits(text, protected)
    if rng.random() < 0.25:
        edits.replace_all("'", "")
    if rng.random() < 0.35 and re.search(r".[.!?]$", text):
        edits.replace(len(text) - 1, len(text), "")
    if rng.random() < 0.12:
        for word, short in SHORT.items():
            edits.replace_all(rf"\b{re.escape(word)}\b", short)
    for british, american in SPELLINGS:
        if rng.random() < 0.3:
            edits.replace_all(british, american)
    if rng.random() < 0.22:
        _mistype(edits, rng)
    if rng.random() < 0.06:
        edits.replace_all(",", "")
    return edits.apply()


def _mistype(edits: _Edits, rng: random.Random) -> None:
    """One or two slips of the finger: letters swapped, dropped or doubled."""
    text = edits.text
    words = list(re.finditer(r"[a-z]{4,}", text))
    for match in rng.sample(words, min(len(words), rng.choice((1, 1, 2)))):
        at = rng.randrange(match.start(), match.end() - 1)
        typo = rng.choice((text[at + 1] + text[at], text[at], text[at] * 2 + text[at + 1], text[at + 1]))
        edits.replace(at, at + 2, typo)
