"""Cuts a message into the sentences that are understood one by one."""

from __future__ import annotations

import re

END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=\S)|\n+")
ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|st|no|vs|etc|e\.g|i\.e|jr|sr|approx)|\b[A-Za-z])\.$", re.IGNORECASE
)
FEWEST_WORDS = 3
MOST_SENTENCES = 12


def split_sentences(text: str) -> list[str]:
    """Sentences in order, none empty; short ones ("No.", "Oh!") stay with the next. After MOST_SENTENCES, one rest."""
    pieces: list[str] = []
    last = 0
    for match in END.finditer(text):
        if ABBREVIATION.search(text[last : match.start()]):
            continue
        pieces.append(text[last : match.end()])
        last = match.end()
    pieces.append(text[last:])
    merged: list[str] = []
    carried = ""
    for piece in pieces:
        carried += piece
        if len(carried.split()) >= FEWEST_WORDS and len(merged) < MOST_SENTENCES - 1:
            merged.append(carried.strip())
            carried = ""
    if carried.strip():
        if merged and len(carried.split()) < FEWEST_WORDS:
            merged[-1] += f" {carried.strip()}"
        else:
            merged.append(carried.strip())
    return merged or [text.strip()]


def bare(sentence: str) -> str:
    """A sentence to compare with others: without its end and the case of its letters."""
    return sentence.strip(" .,;!?").casefold()
