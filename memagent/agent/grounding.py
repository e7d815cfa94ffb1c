"""Check before speaking: names, numbers and dates of a reply must occur in what was recalled or said.

A cheap lexical check, on purpose: it cannot be argued with. It looks at the kinds of words that small models invent
and that do harm when wrong; ordinary words are free.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

NUMBER = re.compile(r"\d[\d.,:/-]*\d|\d")
WORD = re.compile(r"[^\W\d_][\w'’-]*")
SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|\n\s*|[\"“(]\s*)$")
FREE = frozenset({"I", "I'm", "I've", "I'll", "I'd", "OK", "Ok", "SQL"})


def plain(text: str) -> str:
    """Lower case, without accents, with straight quotes."""
    decomposed = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def unsupported(reply: str, evidence: Iterable[str]) -> list[str]:
    """Names and numbers of `reply` that occur nowhere in `evidence`, in order of appearance."""
    told = "\n".join(evidence)
    words = {bare(plain(word)) for word in WORD.findall(told)}
    numbers = {digits(number) for number in NUMBER.findall(told)}
    missing = []
    for found in named(reply):
        known = digits(found) in numbers if found[0].isdigit() else bare(plain(found)) in words
        if not known:
            missing.append(found)
    return missing


def named(reply: str) -> list[str]:
    """The numbers, then the names of a reply, each kind in order of appearance."""
    names = [
        match.group()
        for match in WORD.finditer(reply)
        if match.group()[0].isupper()
        and match.group() not in FREE
        and not SENTENCE_START.search(reply[: match.start()])
    ]
    return [*NUMBER.findall(reply), *names]


def bare(word: str) -> str:
    """A plain word without its possessive ending and closing quotes."""
    return word.rstrip("'-").removesuffix("'s")


def digits(number: str) -> str:
    """A number without grouping and trailing punctuation."""
    return number.strip(".,:/-").replace(",", "")
