"""Taking the words of a forgotten claim out of texts, and keeping track of where the other words went."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FORGOTTEN = "[forgotten]"

Interval = tuple[int, int]

_CALENDAR = frozenset(word.casefold() for word in (*calendar.day_name, *calendar.month_name) if word)
_DATE_LIKE = re.compile(r"\d{4}(-\d\d){0,2}")
_LINK_LENGTH = 4  # shorter words of a subject or attribute link too much


@dataclass(frozen=True)
class Redaction:
    """A text after redaction. `intervals` are the parts of the old text that went, in order."""

    text: str
    intervals: tuple[Interval, ...]

    @property
    def changed(self) -> bool:
        return bool(self.intervals)

    def moved(self, start: int, end: int) -> Interval:
        """Where a span of the old text is now; what lay inside a redacted part becomes that part's mark."""
        return self._position(start, before=True), self._position(end, before=False)

    def _position(self, position: int, before: bool) -> int:
        shift = 0
        for start, end in self.intervals:
            if position <= start:
                break
            if position < end:
                return start + shift + (0 if before else len(FORGOTTEN))
            shift += len(FORGOTTEN) - (end - start)
        return position + shift


class Redactor:
    """Finds the words of a claim.

    A distinctive value (a name, a number, a code) is taken out wherever it stands. An ordinary one (`blue`) is taken
    out where the text is about the claim: it is a source of it or shares a word with its subject or attribute.
    """

    def __init__(self, values: Iterable[str], sentences: Iterable[str], topics: Iterable[str]) -> None:
        distinct = {value.strip() for value in values if value.strip()}
        strong = {value for value in distinct if is_distinctive(value)}
        named = _pattern(distinct)
        # A sentence may make other claims too: one that holds the value has nothing more to hide.
        whole = {text.strip() for text in sentences if len(text.split()) > 1 and not (named and named.search(text))}
        self.phrases = tuple(sorted(distinct | whole, key=len, reverse=True))
        self._strong = _pattern(strong | whole)
        self._weak = _pattern(distinct - strong)
        words = {word for topic in topics for word in re.findall(r"\w+", topic.casefold())}
        links = sorted(rf"\b{re.escape(word[:-1])}" for word in words if len(word) >= _LINK_LENGTH)
        self._links = re.compile("|".join(links), re.IGNORECASE) if links else None

    def is_about(self, text: str) -> bool:
        """Whether a text shares a word with the claim's subject or attribute."""
        return self._links is not None and self._links.search(text) is not None

    def mentions(self, text: str) -> bool:
        """Whether an ordinary value stands in the text."""
        return self._weak is not None and self._weak.search(text) is not None

    def redact(self, text: str, *, about: bool | None = None, spans: Sequence[Interval] = ()) -> Redaction:
        """The text without `spans` and without the claim's words; `about` overrides what `is_about` says."""
        intervals = [span for span in spans if span[1] > span[0]]
        patterns = [self._strong]
        if self._weak is not None and (self.is_about(text) if about is None else about):
            patterns.append(self._weak)
        for pattern in patterns:
            if pattern is not None:
                intervals += [match.span() for match in pattern.finditer(text)]
        merged = _merged(intervals)
        pieces, last = [], 0
        for start, end in merged:
            pieces += [text[last:start], FORGOTTEN]
            last = end
        return Redaction("".join(pieces) + text[last:], tuple(merged))

    def redact_json(self, value: Any, *, about: bool | None = None) -> Any:
        """A JSON value with every string in it redacted; the same object when nothing was found."""
        if isinstance(value, str):
            redaction = self.redact(value, about=about)
            return redaction.text if redaction.changed else value
        if isinstance(value, list):
            items = [self.redact_json(item, about=about) for item in value]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        if isinstance(value, dict):
            pairs = {key: self.redact_json(item, about=about) for key, item in value.items()}
            return pairs if any(pairs[key] is not value[key] for key in value) else value
        return value


def is_distinctive(value: str) -> bool:
    """Whether a value is unlikely to stand in a text that has nothing to do with the claim."""
    if value.casefold() in _CALENDAR or _DATE_LIKE.fullmatch(value):
        return False
    if any(character.isdigit() for character in value):
        return len(value) >= 5
    return len(value) >= 3 and any(character.isupper() for character in value)


def search_fragments(phrase: str) -> tuple[str, str]:
    """Two LIKE patterns (escape `!`, for a LIKE that ignores the case of ASCII letters and of no others).

    The first finds at least all that the redactor finds. The second finds at least what it finds in texts of ASCII
    letters alone; it is far narrower for a short name with one of the letters that have a relative outside ASCII.
    """
    words = phrase.split()
    wide, narrow = ("%".join("".join(_searched(c, odd) for c in word) for word in words) for odd in ("iks", ""))
    return f"%{wide}%", f"%{narrow}%"


def _searched(character: str, odd: str) -> str:
    if character in "!%_":
        return f"!{character}"
    if character in '"\\' or ord(character) < 32:
        return "%"  # JSON writes it in another way
    # Case is ignored by one letter for one letter; i, k and s are also found as dotless i, Kelvin sign and long s.
    return "_" if character > "~" or character.lower() in odd else character.lower()


def _pattern(phrases: Iterable[str]) -> re.Pattern[str] | None:
    parts = [r"\s+".join(map(re.escape, phrase.split())) for phrase in sorted(phrases, key=len, reverse=True)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE) if parts else None


def _merged(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
