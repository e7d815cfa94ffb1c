"""Which remembered facts a request to forget is about. What is forgotten is gone for good, so in doubt fewer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from memagent.models.evidence import USER, Evidence, content_words, plain_subject, same_subject
from memagent.models.follow_ups import PRONOUN
from memagent.models.judging import overlap
from memagent.models.labels import OTHER_SLOT
from memagent.models.reader import Answer, Reader
from memagent.models.understanding import Understood

SURE = 0.5
CLOSE = 0.2  # of the surest: facts of one sentence that are nearly as sure go together
LEVEL = 0.1  # of the surest: of another sentence as sure the search says which is meant
NAMED = 0.9  # the request repeats the value
JUST_SAID = 0.6  # a bare "forget that", after the message that told it
OTHER_SUBJECT = 0.1
OTHER_VALUE = 0.4  # told in the same sentence as what the request means
WHAT_WAS_SAID = re.compile(
    r"\b(?:what|all|everything|anything|whatever) (?:that )?i(?:['’]ve| have)? (?:said|told|mentioned|wrote|typed)\b"
    r"|\bthat (?:thing|bit|stuff|business|message) about\b",
    re.IGNORECASE,
)


def rank_for_erasure(
    reader: Reader, understood: Understood, requests: Sequence[str], context: str, evidence: Sequence[Evidence]
) -> list[Evidence]:
    """The facts that a request to forget is about, surest first; empty where none is clearly meant.

    `requests` are the sentence and what of it is a request by itself: a fact counts by the one that means it most.
    One thing is one sentence's, with whatever fills the same slot; "everything about" somebody takes all of theirs.
    Where some of them are named by their value ("take the lentils off"), it is only those; "what I said about the cuts"
    is all that the sentence told of the same one.
    """
    facts = [item for item in evidence if item.is_fact]
    if not facts:
        return []
    windows = [fact.window for fact in facts]
    readings = zip(*(reader.read(request, windows) for request in requests), strict=True)
    scored = [
        (max(_score(understood, context, item, reading, facts) for reading in several), item)
        for item, several in zip(facts, readings, strict=True)
    ]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    best = scored[0][0]
    level = [item for score, item in scored if score >= max(SURE, best - LEVEL)]
    first = max(level, key=lambda item: item.score, default=scored[0][1])  # of those that are as sure the best found
    if understood.mode == "list":
        about = _about_subject(understood, facts)
        return about or _named(requests[0], [item for score, item in scored if score >= SURE])
    if best >= SURE and first.subject != USER and WHAT_WAS_SAID.search(requests[0]):
        return [item for _, item in scored if item.text == first.text and item.subject == first.subject]
    meant = [
        item
        for score, item in scored
        if score >= max(SURE, best - CLOSE) and (item.text == first.text or _same_slot(item, first))
    ]
    return _named(requests[0], meant)


def _named(request: str, items: list[Evidence]) -> list[Evidence]:
    """Those whose value the request repeats; all where it repeats none."""
    said = content_words(request)
    return [item for item in items if content_words(item.value) and content_words(item.value) <= said] or items


def _score(understood: Understood, context: str, item: Evidence, reading: Answer, facts: Sequence[Evidence]) -> float:
    asked = plain_subject(understood.subject.words) if understood.subject is not None else USER
    slotted = item.attribute == understood.slot and understood.slot != OTHER_SLOT
    score = reading.probability
    if not overlap(reading.words, item.value) and any(
        other.text == item.text and overlap(reading.words, other.value) for other in facts
    ):
        score *= OTHER_VALUE  # what the request means is another fact of the sentence
    if slotted and same_subject(asked, item.subject):
        score = max(score, 0.5 + understood.slot_probability / 2)
    if any(overlap(value.words, item.value) for value in understood.values):
        score = max(score, NAMED)
    bare = not understood.values and understood.subject is None and not _names_a_slot(understood)
    if bare and context and item.text.casefold() in context.casefold():
        score = max(score, JUST_SAID)
    elsewhere = not same_subject(asked, item.subject) and not content_words(asked) & content_words(item.text)
    somebody = asked != USER and not PRONOUN.fullmatch(asked)  # "what I'm buying him" may be about anybody
    return score * OTHER_SUBJECT if somebody and elsewhere else score


def _same_slot(one: Evidence, other: Evidence) -> bool:
    return one.attribute == other.attribute and one.subject == other.subject


def _names_a_slot(understood: Understood) -> bool:
    return understood.slot != OTHER_SLOT and understood.slot_probability >= SURE


def _about_subject(understood: Understood, facts: Sequence[Evidence]) -> list[Evidence]:
    """Where "everything about Ana" names a subject: all its facts."""
    if understood.subject is None:
        return []
    wanted = plain_subject(understood.subject.words)
    return [fact for fact in facts if same_subject(wanted, fact.subject)]
