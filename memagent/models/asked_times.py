"""Questions that name a time: "what have I got on tomorrow?" is answered by what was told of "the 11th".

Which days the words of question and hits mean is worked out by the search. The reader knows no calendar, so it is asked
with the words of the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from memagent.models.evidence import Evidence
from memagent.models.reader import Answer, Reader

CLAUSE = re.compile(r"[,;:]\s+|\s+(?:and|but|then)\s+", re.IGNORECASE)
DATE_ASKED = re.compile(
    r"\b(?:on |by )?(?:what|which|wot)(?P<be>['’]s| is| was)?(?: the)?(?: exact| actual)? date(?: of)?\b", re.IGNORECASE
)
ELAPSED = re.compile(
    r"\bhow (?:long|many (?P<unit>days|weeks|months|years))\b"
    r"(?=.{0,200}\b(?:since|until|till?|ago|left|to go|been|am i|are we)\b)",
    re.IGNORECASE | re.DOTALL,
)
UNTIL = re.compile(r"\b(?:until|till?|to go|left)\b", re.IGNORECASE)
# What stands before the event in such a question.
_COUNTED = re.compile(
    r"\bhow many (?:days|weeks|months|years)\b[\w'’ ]{0,40}?\b(?P<way>since|until|till?|(?:ago|to go) )(?:when )?",
    re.IGNORECASE,
)


def as_when(question: str) -> str | None:
    """A question for a date, or for the time until or since one, as one with "when", which the reader knows better;
    None for any other.

    Of four such as "what's the date of my interview?", about "in three days", it answered one; with "when" all. So
    with "how many days until the exam?": .19 was the chance that "on the 14th of March" answers it, and 1.0 with
    "when is the exam?".
    """
    counted = _COUNTED.search(question)
    if counted is not None:
        event = question[counted.end() :].strip()
        return f"{question[: counted.start()]}when {'' if counted['way'].strip() in ('ago', 'since') else 'is '}{event}"
    found = DATE_ASKED.search(question)
    if found is None:
        return None
    when = f"when{found['be'] or ''}"
    return question[: found.start()] + when + question[found.end() :]


@dataclass(frozen=True)
class AskedTime:
    """Words of a question that mean the time from `since` until before `until` (aware)."""

    text: str
    since: datetime
    until: datetime


def asked_time(question: str, times: Iterable[Mapping[str, Any]]) -> AskedTime | None:
    """The first of the times that a search found in its query whose words stand in the question."""
    for time in times:
        if str(time["text"]) in question:
            return AskedTime(str(time["text"]), *_interval(time))
    return None


def _in_words_of(item: Evidence, question: str, asked: AskedTime | None) -> str:
    """The question with its time in the words that the hit has for it; as it is where the hit names no such time."""
    words = None if asked is None else next((str(time["text"]) for time in _times(item) if _meet(asked, time)), None)
    return question if asked is None or words is None else question.replace(asked.text, words, 1)


def read_at(reader: Reader, question: str, asked: AskedTime | None, evidence: Sequence[Evidence]) -> list[Answer]:
    """What the reader finds in each hit, asked with the words that the hit has for the time of the question."""
    read: dict[int, Answer] = {}
    by_question: dict[str, list[int]] = {}
    for at, item in enumerate(evidence):
        by_question.setdefault(_in_words_of(item, question, asked), []).append(at)
    for wording, places in by_question.items():
        read |= zip(places, reader.read(wording, [evidence[at].window for at in places]), strict=True)
    return [read[at] for at in range(len(evidence))]


def of_that_time(evidence: Sequence[Evidence], asked: AskedTime | None) -> list[Evidence]:
    """Without what was told of other times, where something was told of the one that is asked about."""
    if asked is None or not any(_names(item, asked) for item in evidence):
        return list(evidence)
    return [item for item in evidence if not item.times or _said_then(item, asked) or _names(item, asked)]


def _times(item: Evidence) -> list[Mapping[str, Any]]:
    """Those that a message names; of a fact those in the clause of its value, where that names any."""
    at = item.text.casefold().find(item.value.casefold()) if item.is_fact else -1
    if at < 0:
        return list(item.times)
    cuts = [match.span() for match in CLAUSE.finditer(item.text)]
    since = max((end for _, end in cuts if end <= at), default=0)
    until = min((start for start, _ in cuts if start >= at + len(item.value)), default=len(item.text))
    return [time for time in item.times if since <= time["start"] < until] or list(item.times)


def _names(item: Evidence, asked: AskedTime) -> bool:
    return any(_meet(asked, time) for time in _times(item))


def _said_then(item: Evidence, asked: AskedTime) -> bool:
    return asked.since <= datetime.fromisoformat(item.said_at) < asked.until


def _meet(asked: AskedTime, time: Mapping[str, Any]) -> bool:
    since, until = _interval(time)
    return since < asked.until and asked.since < until


def _interval(time: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(str(time["since"])), datetime.fromisoformat(str(time["until"]))
