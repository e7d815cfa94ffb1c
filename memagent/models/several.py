"""Answers of several values: lists, what holds side by side, and amounts to be reckoned with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from memagent.models.bridging import LONG_WORD
from memagent.models.evidence import USER, Evidence, content_words, same_subject
from memagent.models.judging import SAME_SLOT, overlap
from memagent.models.labels import LIST_SLOT
from memagent.models.rivals import CLOSE, Candidate
from memagent.models.understanding import SURE_SLOT

ALIKE = 0.6  # of the words of two sentences that were one before a value in it was replaced
_SEVERAL_THINGS = re.compile(
    r"\b(?:what|which)(?: (?!size|colour|color|time|day|date|kind|sort|type|make|brand|price)[\w'’-]+)?"
    r" ((?!does|was|has|is|this|goes|as|us|bus|gas|tennis|chess|series)[a-z]{2,}[^\Wsu]s)"
    r" (?:do|did|have|has|had|are|were|am|can|could|should|must|need|i|we|they)\b"
    r"|\bwho(?:['’]re| are| were| all)\b|\bwhat are (?:all )?(?:my|our|the) [\w'’ -]{0,40}[a-z][^\Wsu]s\b",
    re.I,
)
# "Which one", "which bell do I ring?"; of stuff there may be several.
_ONE_OF = re.compile(
    r"\b(?:which|what) (?!(?:food|music|stuff|gear|kit|equipment|fruit|veg|furniture|work|else)\b)[a-z]*[^\Ws]"
    r" (?:is|was|am|are|do|does|did|has|have|had|should|can|could|will|would|shall)\b"
    r"|\b(?:which|name|first|last|oldest|eldest|youngest|newest|latest) (?:one|of)\b",
    re.I,
)


def asks_for_several(question: str) -> bool:
    """Whether the form of a question says that it may have several answers: "what documents do I need?"."""
    return _SEVERAL_THINGS.search(question) is not None


def hold_side_by_side(sure: Sequence[Candidate]) -> bool:
    """Whether the best answer is one of several values that hold side by side, or several have the value asked for."""
    having = {
        (c.evidence.attribute, c.evidence.value.casefold(), c.evidence.subject)
        for c in sure
        if c.evidence.is_fact and overlap(c.evidence.subject, c.words)
    }
    if len(having) > len({(attribute, value) for attribute, value, _ in having}):
        return True
    best = sure[0].evidence
    if not best.is_fact:
        return False
    rest = [other.evidence for other in sure[1:] if other.evidence.is_fact and other.evidence.current]
    rest = [other for other in rest if same_subject(other.subject, best.subject)]
    return any(other.attribute == best.attribute or not (best.single or other.single) for other in rest)


def whole_list(question: str, sure: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """With all other members of the list that is asked for: what is on it is there, however it reads.

    A question that names neither its slot nor its attribute picks from it: "who is allergic to eggs?" of two children;
    but nobody picks from what was told in one breath, nor from what is called a list ("what do I need at the
    shop?"), and that is one list, whosever it is.
    What the question names itself is no member: "who is in the book club?" is not answered by "book club". Where it
    names the value, the list is of all that have it: what Valdemar borrowed.
    """
    best, asked = sure[0].evidence, content_words(question)
    for candidate in sure:
        one = candidate.evidence
        if one.is_fact and overlap(one.subject, candidate.words) and content_words(one.value) <= asked:
            return _all_that_have(one, sure, ranked)
    attribute = {word for word in content_words(best.attribute) & asked if len(word) >= LONG_WORD}
    called_list = best.attribute.endswith(LIST_SLOT)
    wanted = attribute or called_list or sure[0].features[SAME_SLOT] >= SURE_SLOT
    members = [
        other
        for other in ranked
        if other.evidence.is_fact
        and not other.evidence.single
        and (
            (wanted and _of_one_list(best, other.evidence, called_list))
            or any(told_as_one(candidate.evidence, other.evidence) for candidate in sure)
        )
    ]
    rest = [candidate for candidate in sure if candidate not in members and not _has_ended(candidate, members)]
    members = [replace(member, score=max(member.score, sure[0].score)) for member in members]  # as sure as the list
    named = [content_words(member.evidence.value) <= asked for member in members]
    return [m if own else replace(m, words=m.evidence.value) for m, own in zip(members, named, strict=True)] + rest


def told_as_one(one: Evidence, other: Evidence) -> bool:
    """Whether two facts are members of one enumeration: "chickpeas, peas and a spoon of tamarind". Where one of them
    has been replaced, the words of the other are still the old ones.
    """
    if not (one.is_fact and other.is_fact) or one.single or other.single or one.number == other.number:
        return False
    words, others = content_words(one.text), content_words(other.text)
    alike = len(words & others) >= ALIKE * len(words | others)
    return alike and (one.subject, one.attribute) == (other.subject, other.attribute)


def wants_all(question: str, sure: Sequence[Candidate], found: Sequence[Candidate]) -> bool:
    """Whether a question that names one thing is answered by a list all the same: "what do I need at the shop?"."""
    best = sure[0]
    on_list = best.evidence.is_fact and not best.evidence.single and best.evidence.attribute.endswith(LIST_SLOT)
    if on_list and best.features[SAME_SLOT] >= SURE_SLOT:
        return True
    level = [
        candidate for candidate in sure if best.score - candidate.score <= CLOSE and is_enumerated(candidate, found)
    ]
    counted = any(character.isdigit() for candidate in level for character in candidate.evidence.value)
    return bool(level) and not counted and (best in level or not _ONE_OF.search(question))


def is_enumerated(best: Candidate, found: Sequence[Candidate]) -> bool:
    """Whether the value of the best answer was told in one breath with others that still hold."""
    return any(told_as_one(best.evidence, other.evidence) and other.evidence.current for other in found)


def _of_one_list(best: Evidence, other: Evidence, called_list: bool) -> bool:
    same = other.attribute == best.attribute and (called_list or other.subject == best.subject)
    return best.is_fact and not best.single and same


def _has_ended(candidate: Candidate, members: Sequence[Candidate]) -> bool:
    """Whether it only names what was on the list of the members and is no more."""
    words, item = content_words(candidate.words), candidate.evidence
    gone = [content_words(value) for member in members for value in member.evidence.replaced]
    told_anew = item.is_fact and overlap(item.value, candidate.words)
    return not told_anew and any(words <= value for value in gone)


def _all_that_have(known: Evidence, sure: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """With what else has this value, as sure as the best answer."""
    value = content_words(known.value)
    having = [
        replace(other, words=other.evidence.subject, score=sure[0].score)
        for other in ranked
        if other.evidence.is_fact
        and other.evidence.attribute == known.attribute
        and content_words(other.evidence.value) == value
        and other.evidence.subject != USER
    ]
    return [*sure, *having]


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each value once, in the order in which they were told."""
    seen: dict[frozenset[str], Candidate] = {}
    for candidate in candidates:
        key = content_words(candidate.words)
        if not any(key <= known or known <= key for known in seen):
            seen[key] = candidate
    return sorted(seen.values(), key=lambda candidate: candidate.evidence.said_at)


def of_what_is_named(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without amounts of other things, where the question names things that amounts are known of."""
    asked = content_words(question)
    things = [content_words(c.evidence.subject) if c.evidence.subject != USER else frozenset() for c in candidates]
    if not any(thing & asked for thing in things):
        return list(candidates)
    return [c for c, thing in zip(candidates, things, strict=True) if not thing or thing & asked]


def each_told(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Amounts, equal ones too, in the order in which they were told; a message with a fact's amount is that fact."""
    facts = {content_words(candidate.words) for candidate in candidates if candidate.evidence.is_fact}
    kept = [c for c in candidates if c.evidence.is_fact or content_words(c.words) not in facts]
    told = {(candidate.evidence.text, candidate.words): candidate for candidate in reversed(kept)}
    return sorted(told.values(), key=lambda candidate: candidate.evidence.said_at)
