"""A short answer to a question from passages that a search found: a span, several joined, a date, a number, yes or no.

Pure: what the passages say, who said it, and what their times mean comes in; the answer with its sources goes out. The
reader judges every window; its odds are mixed with the place that the search gave the passage, with who said it, and
with what kind of answer was asked for. The answer is always the likeliest one; `sure` says whether to give it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from memagent.models.evidence import content_words
from memagent.models.reader import Answer as Reading
from memagent.models.spans import whole_words

MOST_READ = 10
SURE = 0.85  # confidence from which an answer is worth giving; 0.5 answered 65 of 100 near misses of LoCoMo, this 47

_DURATION_ASKED = re.compile(r"\bhow (?:long|often)\b|\bhow many (?:\w+ )?(?:year|month|week|day|hour|minute)s\b", re.I)
_DATE_ASKED = re.compile(r"\bwhen\b|\b(?:what|which) (?:day|date|week|month|year|time of year)\b", re.I)
_COUNT_ASKED = re.compile(r"\bhow many\b", re.I)
# The present perfect asks about all of the past: "where has she been?" wants every place, "where was she?" one.
_ALL_ASKED = re.compile(
    r"(?!.*\b(?:just|recently)\b)(?:what|which|where|who)\b.*\b(?:has|have)\b(?! to\b)", re.I | re.DOTALL
)
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBER_WORDS = (
    rf"(?:\d+(?:[.,]\d+)*|{'|'.join(_NUMBERS)}|fifteen|twenty|thirty|forty|fifty|a dozen|several|a couple|a few)"
)
_NUMBER = re.compile(rf"\b(?:{_NUMBER_WORDS}|once|twice)\b", re.I)
_DURATION = re.compile(
    rf"\b(?:about |around |almost |nearly |over |under |more than |less than |just )*(?:{_NUMBER_WORDS}|an?|half an?)"
    rf"(?: (?:and a half|or {_NUMBER_WORDS}|of))?[ -](?:year|month|week|day|hour|minute|decade)s?\b"
    r"(?: and a half)?(?: ago)?"
    r"|\bsince (?:\w+ )?\d{4}\b|\bsince (?:I|we) (?:was|were) \w+\b|\b(?:every|once an?|twice an?) \w+\b",
    re.I,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")

SOON = timedelta(days=14)  # what was said so soon after a time may be about it
NOTHING = 8.0  # log odds against an answer by somebody who said nothing that was found
CALLING = frozenset("hey hi hello thanks thank you wow yeah yep yes no oh so cool awesome great".split())  # noqa: SIM905
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

Asked = Literal["value", "values", "when", "duration", "count", "yesno"]
Span = tuple[datetime, datetime]


class SpanReader(Protocol):
    """What reads: `memagent.models.reader.Reader`, or a better one."""

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """One reading a window, in order."""
        ...


@dataclass(frozen=True)
class NamedTime:
    """A time that a passage names at the characters `start:end` of its text: half-open, and in words."""

    start: int
    end: int
    since: datetime
    until: datetime
    means: str


@dataclass(frozen=True)
class Passage:
    """What a search found, best first; `speaker` is a name, or empty for the person.

    `score` is the search's own, from 0 on any scale; it is compared with those of the other passages only.
    """

    text: str
    score: float
    said_at: datetime
    said: str  # the day of `said_at` in words
    speaker: str = ""
    times: tuple[NamedTime, ...] = ()


@dataclass(frozen=True)
class Source:
    """Characters `start:end` of the text of the passage with this index."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """The likeliest answer, the kind of question it was found for, how sure it is (0..1), and where it stands."""

    text: str
    asked: Asked
    confidence: float
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Weights:
    """How the parts of a candidate's log odds are mixed; set on the conversations written for training, no benchmark.

    `place`: the fall with the logarithm of the rank; `relevance`: the gap to the best score of the search, as a share
    of it; `speaker`: for what was said by whom the question names, against for what was said by another;
    `kind`: for a passage that holds the kind of thing asked for; `time`: for one of the time that the question names;
    `echo`: against a span that repeats the question or calls a name; `asking`: against a passage that itself asks.
    """

    reader: float = 0.6
    span: float = 0.25
    place: float = 0.25
    relevance: float = 6.0
    speaker: float = 0.75
    kind: float = 1.0
    time: float = 1.0
    echo: float = 2.0
    asking: float = 0.5
    member: float = 2.5  # log odds below the best from which a member of a list is no longer taken
    members: int = 6
    own: float = 0.3  # of the odds of what the person asked about said, in how sure an answer is


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True)
class _Candidate:
    """A span of a passage with its log odds; `speaker` of them are for who said it."""

    passage: int
    start: int
    end: int
    words: str
    odds: float
    speaker: float
    reading: Reading


def asked_for(question: str, mode: str) -> Asked:
    """What kind of answer a question wants; `mode` is what *understanding* says (`labels.MODES`)."""
    if _DURATION_ASKED.search(question):
        return "duration"
    if _COUNT_ASKED.search(question):
        return "count"
    if mode == "when" or _DATE_ASKED.match(question.strip()):
        return "when"
    if mode == "yesno":
        return "yesno"
    return "values" if mode == "list" or _ALL_ASKED.match(question.strip()) else "value"


def window(passage: Passage) -> tuple[str, int]:
    """What the reader reads, and where the passage's own text begins in it.

    What was said just before is left out: the reader was trained on single turns, and with it LoCoMo's F1 fell from
    41.0 to 39.4.
    """
    lead = f"{passage.speaker}: " if passage.speaker else ""
    return lead + passage.text, len(lead)


def answer_question(
    reader: SpanReader,
    question: str,
    mode: str,
    passages: Sequence[Passage],
    *,
    times: Sequence[Span] = (),
    weights: Weights = DEFAULT_WEIGHTS,
    most: int = MOST_READ,
) -> Answer | None:
    """The likeliest answer to a question; None without passages. Reads at most `most` of them, best first.

    `times` are those that the question names, half-open.
    """
    passages = passages[:most]
    asked = asked_for(question, mode)
    named = {name for name in {passage.speaker for passage in passages} if _names(question, name)}
    prior = _prior(passages, named if len(named) == 1 else set(), times, weights)
    candidates = _candidates(reader, question, asked, passages, prior, weights)
    if not candidates:
        return None
    confidence = _confidence(candidates, passages, named, weights)
    best = candidates[0]
    if asked == "when":
        text, source = _date(question, best, passages[best.passage])
    elif asked == "yesno":
        text, source = "Yes" if best.reading.kinds["yes"] >= best.reading.kinds["no"] else "No", _source(best)
    elif asked == "duration":
        text, source = _nearest(best, passages[best.passage].text, _DURATION)
        if re.search(r"\bhow long ago\b", question, re.I) and not text.endswith("ago"):
            text += " ago"
    elif asked == "count" and _NUMBER.search(passages[best.passage].text):
        text, source = _nearest(best, passages[best.passage].text, _NUMBER)
    elif asked in ("values", "count"):
        members = _members(candidates, weights)
        text = ", ".join(member.words for member in members) if asked == "values" else _counted(question, len(members))
        return Answer(text, asked, confidence, tuple(_source(member) for member in members))
    else:
        text, source = best.words, _source(best)
    return Answer(text, asked, confidence, (source,))


def _names(question: str, speaker: str) -> bool:
    return bool(speaker) and re.search(rf"\b{re.escape(speaker)}\b", question, re.I) is not None


@dataclass(frozen=True)
class _Prior:
    """Log odds of a passage before it is read; `speaker` for who said it, the rest in `place`."""

    place: float
    speaker: float


def _prior(passages: Sequence[Passage], named: set[str], times: Sequence[Span], weights: Weights) -> list[_Prior]:
    high = max((passage.score for passage in passages), default=0.0)
    odds = []
    for rank, passage in enumerate(passages, 1):
        place = -weights.place * math.log(rank)
        place -= weights.relevance * (1 - passage.score / high) if high > 0 else 0.0
        place -= weights.asking * passage.text.rstrip().endswith("?")
        if times:
            place += weights.time * _of_the_time(passage, times)
        who = 0.0 if not named or not passage.speaker else 1.0 if passage.speaker in named else -1.0
        odds.append(_Prior(place, weights.speaker * who))
    return odds


def _of_the_time(passage: Passage, times: Sequence[Span]) -> float:
    """1 for a passage that names a time within those of the question, or was said then; half where said soon after."""
    named = [(time.since, time.until) for time in passage.times]
    if any(since < end and begin < until for since, until in named for begin, end in times):
        return 1.0
    if any(begin <= passage.said_at < end for begin, end in times):
        return 1.0
    return 0.5 * any(end <= passage.said_at < end + SOON for _, end in times)


def _candidates(
    reader: SpanReader,
    question: str,
    asked: Asked,
    passages: Sequence[Passage],
    prior: Sequence[_Prior],
    weights: Weights,
) -> list[_Candidate]:
    """One a passage, best first."""
    windows = [window(passage) for passage in passages]
    readings = reader.read(question, [text for text, _ in windows])
    known = content_words(" ".join([question, *(passage.speaker for passage in passages)])) | CALLING
    found = []
    for index, (passage, (text, lead), reading) in enumerate(zip(passages, windows, readings, strict=True)):
        start, end = _within_a_sentence(text, max(reading.start, lead), max(reading.end, lead), known)
        words = text[start:end]
        odds = prior[index].place + prior[index].speaker + weights.reader * _log_odds(reading.probability)
        odds += weights.span * math.log(max(reading.span_probability, 1e-6))
        odds += weights.kind * _holds(asked, passage)
        if asked not in ("when", "yesno"):
            odds -= weights.echo * (content_words(words) <= known)
        if words or asked in ("when", "yesno"):
            found.append(_Candidate(index, start - lead, end - lead, words, odds, prior[index].speaker, reading))
    return sorted(found, key=lambda candidate: candidate.odds, reverse=True)


def _within_a_sentence(text: str, start: int, end: int, known: frozenset[str]) -> tuple[int, int]:
    """Of a span over several sentences the part that says most beyond what is known."""
    cuts = [start, *(match.end() for match in _SENTENCE_END.finditer(text, start, end)), end]
    parts = list(zip(cuts, cuts[1:], strict=False))
    if len(parts) < 2:
        return start, end
    best = max(parts, key=lambda part: len(content_words(text[part[0] : part[1]]) - known))
    return whole_words(text, *best)


def _holds(asked: Asked, passage: Passage) -> bool:
    """Whether a passage holds the kind of thing that is asked for, where code can tell."""
    if asked == "when":
        return bool(passage.times)
    if asked == "duration":
        return _DURATION.search(passage.text) is not None
    return asked == "count" and _NUMBER.search(passage.text) is not None


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def _confidence(
    candidates: Sequence[_Candidate], passages: Sequence[Passage], named: set[str], weights: Weights
) -> float:
    """How sure the best answer is.

    Where the question is about one of the speakers, what they said is compared with what the others said: a question
    about the wrong person is answered best by somebody else's words.
    """
    if len(named) != 1:
        margin = candidates[0].odds
    else:
        own, other = -NOTHING, -NOTHING
        for candidate in candidates:
            odds = candidate.odds - candidate.speaker
            if passages[candidate.passage].speaker in named:
                own = max(own, odds)
            else:
                other = max(other, odds)
        margin = own - other + weights.own * own
    return 1 / (1 + math.exp(-min(max(margin, -30.0), 30.0)))


def _source(candidate: _Candidate) -> Source:
    return Source(candidate.passage, candidate.start, candidate.end)


def _date(question: str, best: _Candidate, passage: Passage) -> tuple[str, Source]:
    """The time that the passage names nearest to the span that was read; else the day it was said."""
    time = min(passage.times, key=lambda time: _gap(time.start, time.end, best), default=None)
    since = time.since if time else passage.said_at
    source = Source(best.passage, time.start, time.end) if time else _source(best)
    if re.search(r"\b(?:what|which) year\b", question, re.I):
        return str(since.year), source
    if re.search(r"\b(?:what|which) month\b", question, re.I):
        return f"{MONTHS[since.month - 1]} {since.year}", source
    return time.means if time else passage.said, source


def _gap(start: int, end: int, candidate: _Candidate) -> int:
    """Characters between a place and the span of a candidate, 0 where they overlap."""
    return max(start - candidate.end, candidate.start - end, 0)


def _nearest(best: _Candidate, text: str, pattern: re.Pattern[str]) -> tuple[str, Source]:
    """What the pattern finds nearest to the span that was read; else the span."""
    matches = list(pattern.finditer(text))
    if not matches:
        return best.words, _source(best)
    match = min(matches, key=lambda match: _gap(match.start(), match.end(), best))
    return match.group(), Source(best.passage, match.start(), match.end())


def _counted(question: str, number: int) -> str:
    """ "twice", "three times", "four"."""
    words = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    if not re.search(r"\bhow many times\b", question, re.I):
        return words
    return {1: "once", 2: "twice"}.get(number, f"{words} times")


def _members(candidates: Sequence[_Candidate], weights: Weights) -> list[_Candidate]:
    """The candidates near enough to the best one, each value once."""
    members: list[_Candidate] = []
    for candidate in candidates:
        if candidates[0].odds - candidate.odds > weights.member or len(members) == weights.members:
            break
        words = content_words(candidate.words)
        if not any(words <= content_words(known.words) or content_words(known.words) <= words for known in members):
            members.append(candidate)
    return members
