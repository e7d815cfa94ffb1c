"""What each hit may answer with, and how likely that is: the words of a fact's value, or what was read in a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from memagent.models.asked_about import of_another, of_somebody_else
from memagent.models.asked_times import read_at
from memagent.models.evidence import USER, Evidence, content_words
from memagent.models.forms import fits
from memagent.models.judging import MOST_ODDS, SAME_SLOT, Question, features, judge, log_odds, overlap
from memagent.models.kinds import of_another_relative, of_another_thing
from memagent.models.reader import Answer, Reader, repeats
from memagent.models.rivals import Candidate, names_replaced
from memagent.models.understanding import SURE_SLOT, Understood

SURE_SPAN = 0.6  # from here on the reader's longer span is taken instead of the stored value
NOT_ASKED_FOR = 0.3  # what is left of the chance of a hit about somebody else, or of words of another form
ERASED = re.compile(r"\[forgotten|forgotten\]")  # a span may end inside of the brackets
PAST = frozenset({"previous", "difference"})  # modes that also want what no longer holds: "how much have I lost?"


def candidates(
    reader: Reader, question: str, asked: Question, evidence: Sequence[Evidence], tells: Mapping[str, float]
) -> list[Candidate]:
    """Every fact with its value, every message with what was read in it, and how likely each is to answer.

    `tells` has by text the chance that a message tells something.
    """
    windows = [item.window for item in evidence]
    readings = read_at(reader, question, asked.time, evidence)
    other = renamed(question, asked.understood, asked.aliases)
    if other is not None:
        again = reader.read(other, windows)
        readings = [max(pair, key=lambda one: one.probability) for pair in zip(readings, again, strict=True)]
    if asked.before:  # the question before says what it is about, this one which words of that are wanted
        both = reader.read(f"{asked.before.rstrip('?')}? {question}", windows)
        readings = [
            replace(own, kinds=max(own, led, key=lambda one: one.probability).kinds)
            for own, led in zip(readings, both, strict=True)
        ]
    told: dict[str, list[Evidence]] = {}
    for item in evidence:
        if item.is_fact and item.current:
            told.setdefault(item.text, []).append(item)
    found = [
        _candidate(asked, item, reading, tells.get(item.text, 1.0), told.get(item.text, []))
        for item, reading in zip(evidence, readings, strict=True)
    ]
    found += _in_no_fact(asked, evidence, readings, told)
    past = asked.understood.mode in PAST
    found = [c if past else _still_there(c) for c in found]
    found = [c for c in found if not _is_erased(c) and (past or not names_replaced(c))]
    return [c for c in found if c.words or asked.understood.mode == "yesno"]


def _is_erased(candidate: Candidate) -> bool:
    """Whether what was read is the mark of what was forgotten."""
    text, start, end = candidate.evidence.text, candidate.start, candidate.end
    around = text[max(0, start - 1) : end + 1] if text[max(0, start) : end] == candidate.words else candidate.words
    return ERASED.search(around) is not None


def _still_there(candidate: Candidate) -> Candidate:
    """With the value of its fact, where what was read in its sentence is another member that has gone since."""
    item = candidate.evidence
    if item.is_fact and not item.single and names_replaced(candidate):
        return replace(candidate, words=item.value)
    return candidate


def _in_no_fact(
    asked: Question, evidence: Sequence[Evidence], readings: Sequence[Answer], told: Mapping[str, Sequence[Evidence]]
) -> Iterator[Candidate]:
    """What is surely read in a sentence of which facts are known, but not that one; once a sentence, as in a message.

    What is read less surely is mostly no answer: "What is Solveig's profession?" of the orchestra she plays in.
    """
    for text, facts in told.items():
        of_text = [at for at, item in enumerate(evidence) if item.text == text and item.current]
        at = max(of_text, key=lambda at: readings[at].probability)
        surely = log_odds(readings[at].probability) >= MOST_ODDS and evidence[at].window == text
        if surely and not any(overlap(fact.value, readings[at].words) for fact in facts):
            found = _candidate(asked, Evidence({**evidence[at].hit, "kind": "message"}), readings[at], 1.0, ())
            of_it = [fact for fact in facts if overlap(fact.subject, found.words)]
            yield replace(found, evidence=of_it[0]) if of_it else found


def _candidate(
    asked: Question, item: Evidence, reading: Answer, tells: float, together: Sequence[Evidence]
) -> Candidate:
    """A hit and what was read in it; `together` are the facts of its sentence."""
    others = [fact.value for fact in together if fact.value.casefold() != item.value.casefold()]
    covered = sum(overlap(value, reading.words) for value in others)
    words = reading.words
    told = " ".join([item.window, *(fact.subject for fact in together)])
    another = of_another_thing(asked.understood.text, told) or of_somebody_else(asked, item)
    judged = features(asked, _turned(asked, item, words), reading, tells, covered, another=another)
    start = item.window.find(item.value) if item.is_fact else -1
    if start >= 0 and not covered and start < reading.end and reading.start < start + len(item.value):
        words = item.window[min(start, reading.start) : max(start + len(item.value), reading.end)]
    mode = asked.understood.mode
    question = content_words(asked.understood.text)
    repeated = repeats(item.value, question) and mode != "yesno"
    slotted = judged[SAME_SLOT] >= SURE_SLOT
    confirms = mode == "yesno" and bool(words)
    about_value = covered or slotted or not words or overlap(words, item.value)
    if item.is_fact and about_value and not repeated and not confirms:
        whole = not covered and item.value.casefold() in words.casefold() and reading.span_probability >= SURE_SPAN
        words = words if whole else item.value
    offset = len(item.window) - len(item.text)
    formless = mode in ("yesno", "count") or (mode == "when" and bool(item.hit.get("times")))
    if not formless and repeats(words, question):
        words = ""
    of_others = of_another(asked, item, together) or of_another_relative(asked.understood.text, told)
    other = of_others or not (formless or fits(asked.understood.text, words))
    score = judge(judged) * (NOT_ASKED_FOR if other else 1.0)
    return Candidate(item, words, score, reading.kinds, reading.start - offset, reading.end - offset, judged)


def _turned(asked: Question, item: Evidence, words: str) -> Evidence:
    """A fact whose subject was read as one with that value: what is lent, of "the drill: borrowed by Philippa"."""
    if not item.is_fact or overlap(words, item.value) or not overlap(words, item.subject):
        return item
    named = content_words(item.subject) <= content_words(asked.understood.text)
    return item if named or item.subject == USER else Evidence({**item.hit, "value": item.subject})


def renamed(question: str, understood: Understood, aliases: Mapping[str, str]) -> str | None:
    """The question with its subject called by the other name."""
    if understood.subject is None or understood.subject.source != "text" or not aliases:
        return None
    start = question.find(understood.subject.words)  # a follow-up is read as part of the question before it
    if start < 0:
        return None
    return question[:start] + next(iter(aliases.values())) + question[start + len(understood.subject.words) :]
