"""Questions that need two messages: "where does my sister live" when told that she is Ana, and where Ana lives.

The reader is given both as one window, who somebody is in front of what was said of them, as it was trained; the
answer must stand in the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from memagent.models.evidence import USER, Evidence, bridged, content_words
from memagent.models.labels import OTHER_SLOT
from memagent.models.reader import Answer, Reader
from memagent.models.understanding import SURE_SLOT, Understood

CAPITALISED = re.compile(r"[A-ZÀ-Þ]\w+")
LONG_WORD = 4  # letters; shorter ones of a question say little of what it is about
MOST_LINKS = 3
MOST_PAIRS = 10


def links(question: str, about: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Hits that may say who or what the question means, best first: those with its subject's words, or its own."""
    wanted = content_words(about)
    if about == USER:
        wanted = frozenset(word for word in content_words(question) if len(word) >= LONG_WORD)
    found = {item.text: item for item in reversed(evidence) if wanted & content_words(item.text)}
    return sorted(found.values(), key=lambda item: item.score, reverse=True)[:MOST_LINKS]


def pairs(question: str, known: Sequence[Evidence], evidence: Sequence[Evidence]) -> list[tuple[Evidence, Evidence]]:
    """One of the `known` links and a hit that takes up one of its words, for every such pair; the likeliest first, no
    more than a few.
    """
    asked = content_words(question)
    found = [(link, target) for link in known for target in _taking_up(link, asked, evidence)]
    found.sort(key=lambda pair: pair[0].score + pair[1].score, reverse=True)
    return found[:MOST_PAIRS]


def of_slot(asked: Understood, best: Evidence, words: str, evidence: Sequence[Evidence]) -> Evidence | None:
    """The fact of the slot asked for that is about whom the best answer only names: the car of Callum, where "what car
    does the one who takes over from me have?" is best answered by "the one who takes over from me is Callum".
    """
    named = content_words(words)
    if asked.slot == OTHER_SLOT or asked.slot_probability < SURE_SLOT or best.attribute == asked.slot or not named:
        return None
    told = (item for item in evidence if item.is_fact and item.current and item.attribute == asked.slot)
    return next((item for item in told if content_words(item.subject) == named and item.text != best.text), None)


def _taking_up(link: Evidence, asked: frozenset[str], evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    """What else holds and names something that the link names and the question does not: a value, or a name."""
    values = [item.value for item in evidence if item.text == link.text]
    named = [content_words(words) - asked for words in [*values, *CAPITALISED.findall(link.text)]]
    naming = [words for words in named if words]
    seen = {link.text}
    for item in evidence:
        told = content_words(item.window)
        if item.current and item.text not in seen and any(words <= told for words in naming):
            seen.add(item.text)
            yield item


def read_pairs(
    reader: Reader, question: str, found: Sequence[tuple[Evidence, Evidence]]
) -> Iterator[tuple[Evidence, Answer]]:
    """For each pair whose second message answers, that message and what was read in it.

    It counts as found by the search as surely as the message that says who is meant: "Ignatius keeps bees" is far from
    "what is my boss's hobby?".
    """
    windows = [bridged(link.text, target.window) for link, target in found]
    for (link, target), window, reading in zip(found, windows, reader.read(question, windows), strict=True):
        lead = len(window) - len(target.window)
        if reading.start < lead:
            continue
        tokens = tuple((start - lead, end - lead, first, last) for start, end, first, last in reading.tokens)
        found_by = Evidence({**target.hit, "score": max(link.score, target.score)})
        yield found_by, replace(reading, start=reading.start - lead, end=reading.end - lead, tokens=tokens)
