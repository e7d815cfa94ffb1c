"""What a call may name and quote: numbers of hits that were shown, words that were said, words of pinned notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from memagent.models.chat_model import ChatRequest
from memagent.models.prompt import this_turn

MOST_CHARACTERS = 6000  # of all that can be quoted; a grammar is compiled from it for every step
# A closing s is a piece of its own: people leave the apostrophe out ("Hannas phone").
PIECE = re.compile(r"\w{2,}?(?=s\b)|\w+|[^\S\n]|[^\w\s]|\n")


@dataclass(frozen=True)
class Quotes:
    """Texts are in the order of their worth; the last ones are left out where there is too much."""

    said: str  # by the person, in this turn
    texts: tuple[str, ...]  # all that a value may be taken from, `said` first
    subjects: tuple[str, ...]  # of the facts that were shown
    facts: tuple[int, ...]  # numbers of the facts that were shown
    pinned: tuple[str, ...]


def quotes_of(request: ChatRequest) -> Quotes:
    """What stands in a request: the message, hits recalled and found in this turn, then what was said before."""
    at = this_turn(request.messages)
    said = request.messages[at].content
    hits = [*request.recalled, *_found(request, at)]
    before = [message.content for message in reversed(request.messages[:at]) if message.role == "user"]
    texts: list[str] = []
    room = MOST_CHARACTERS
    for text in dict.fromkeys([said, *(text for hit in hits for text in _words_of(hit)), *before]):
        if text and room > 0:
            texts.append(text[:room])
            room -= len(text)
    return Quotes(
        said[:MOST_CHARACTERS],
        tuple(texts),
        tuple(dict.fromkeys(str(hit["subject"]) for hit in hits if hit.get("subject"))),
        tuple(dict.fromkeys(int(hit["id"]) for hit in hits if hit.get("kind") == "fact")),
        tuple(content for content in request.core.values() if content),
    )


def _found(request: ChatRequest, at: int) -> Iterator[Mapping[str, Any]]:
    for message in request.messages[at:]:
        if message.tool_result is not None:
            yield from message.tool_result.content.get("hits", ())


def _words_of(hit: Mapping[str, Any]) -> Iterator[str]:
    yield str(hit["text"])
    if hit.get("value"):
        yield str(hit["value"])


def pieces(text: str) -> list[str]:
    """A text in words, marks and spaces; a quotation begins and ends between two of them, within one line."""
    return PIECE.findall(re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text))
