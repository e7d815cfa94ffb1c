"""Where two messages answer the same question: which of them holds now, which held before, and whether both may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memagent.models.evidence import Evidence, content_words
from memagent.models.judging import overlap
from memagent.models.understanding import Claim, Understanding

CLOSE = 0.2  # candidates this near to the best one count as nearly as good
LEVEL = 0.05  # candidates this near to the best one count as equally good, and the newer wins
CORRECTING = 0.2  # a message counts as correcting another from this probability on
POSSIBLE = 0.2  # what was told later may hold instead of the best candidate from this score on
REPLACES = 0.7  # where it does, by what the two say
MAY_REPLACE = 0.4  # enough where it is nearly as good an answer
MOST_LATER = 2
_ASKING = """and so but or what which who whom whose where when then was were is are be been did do does had has have
use used it that this one they he she we you i in on at with to of for from by before previously earlier prior first"""
ASKING = content_words(_ASKING)  # a question of these alone asks about what was just said
ON_RECORD = 0.9  # how sure is what the store itself has replaced


@dataclass(frozen=True)
class Candidate:
    """One hit that may answer: the words that do, and how sure that is."""

    evidence: Evidence
    words: str
    score: float
    kinds: Mapping[str, float]
    start: int
    end: int
    features: tuple[float, ...] = ()


def in_force(understanding: Understanding, sure: Sequence[Candidate], ranked: Sequence[Candidate]) -> list[Candidate]:
    """`sure` with what was told later in front, where that takes the place of the best candidate.

    "We collect at the Orchard Lane side from now" is a poorer answer to "which gate?" than "pick up's at the Vine
    Street gate" was, but it is the one that holds.
    """
    best = sure[0]
    later = [
        other
        for other in ranked
        if other.score >= POSSIBLE
        and other.evidence.said_at > best.evidence.said_at
        and not _told_together(other.evidence, best.evidence)
        and other.words
        and not content_words(other.words) & content_words(best.words)
    ][:MOST_LATER]
    relations = understanding.compare([(_claim(other), _claim(best)) for other in later])
    replacing = [
        other
        for other, relation in zip(later, relations, strict=True)
        if relation["replaces"] >= (MAY_REPLACE if best.score - other.score <= CLOSE else REPLACES)
    ]
    if not replacing:
        return list(sure)
    newest = max(replacing, key=lambda other: (other.evidence.said_at, other.score))
    return [newest, *(other for other in sure if other is not newest)]


def rivals(understanding: Understanding, sure: Sequence[Candidate]) -> list[Candidate]:
    """What stands against the best candidate, each answer once; nothing does where that was told as a correction, and
    nothing in whose place it was told ("Life list 289" after "Life list is now 288").
    """
    best, day = sure[0], len("2026-01-01")
    level: list[Candidate] = []
    for other in sure[1:]:
        if (
            abs(best.score - other.score) <= CLOSE
            and not _told_together(other.evidence, best.evidence)
            and not content_words(best.words) <= content_words(other.evidence.text)  # "no more X, he's on Y now"
            and other.evidence.said_at[:day] == best.evidence.said_at[:day]
            and not any(content_words(other.words) & content_words(known.words) for known in (best, *level))
        ):
            level.append(other)
    if not level or understanding.acts([best.evidence.text])[0]["correct"] >= CORRECTING:
        return []
    relations = understanding.compare([(_claim(best), _claim(other)) for other in level])
    return [
        other
        for other, relation in zip(level, relations, strict=True)
        if relation["replaces"] < REPLACES or other.evidence.said_at >= best.evidence.said_at
    ]


def names_replaced(candidate: Candidate) -> bool:
    """Whether its words are of a value in whose place another was told, in this message or of this sentence."""
    words, item = content_words(candidate.words), candidate.evidence
    return bool(words) and any(words <= content_words(value) for value in item.replaced if value != item.value)


def replaced_by(evidence: Sequence[Evidence], words: str) -> list[Candidate]:
    """What was in the place of a value that is named, newest first: before Forno Blu it was Da Renzo.

    That is on record, however the question reads.
    """
    facts = {item.number: item for item in evidence if item.is_fact}.values()
    said = content_words(words)
    named = [fact for fact in facts if (value := content_words(fact.value)) and value <= said]
    found = [
        fact
        for fact in facts
        if any(_slot(fact) == _slot(later) and _gone(fact) and _gone(fact) <= _came(later) for later in named)
    ]
    found.sort(key=_gone, reverse=True)
    return [Candidate(fact, fact.value, ON_RECORD, {}, 0, 0) for fact in found]


def replaced_by_reply(evidence: Sequence[Evidence], question: str, replied: str) -> list[Candidate]:
    """What was in the place of what was just replied, where the question names nothing else: "and who before that?"."""
    asked = content_words(question) - ASKING
    found = replaced_by(evidence, replied)
    return [fact for fact in found if asked <= content_words(f"{fact.evidence.subject} {fact.evidence.text}")]


def _slot(fact: Evidence) -> tuple[str, str]:
    return fact.subject, fact.attribute


def _gone(fact: Evidence) -> str:
    """When it was replaced or ended; empty for what holds."""
    return str(fact.hit.get("retired_at") or "")


def _came(fact: Evidence) -> str:
    return str(fact.hit.get("recorded_at") or "")


def before_now(sure: Sequence[Candidate], judged: Sequence[Candidate], replied: str) -> list[Candidate]:
    """What held before, newest first: what was retired from the slot of the best candidate, or else of those that are
    sure; where nothing was retired, what was told earlier. After `replied` ("and before that?") what held before that.
    """
    facts = [candidate for candidate in judged if candidate.evidence.is_fact]
    slots = {
        _slot(fact.evidence)
        for fact in facts
        if fact.evidence == sure[0].evidence or overlap(fact.evidence.value, sure[0].words)
    }
    retired = [fact for fact in facts if not fact.evidence.current]
    of_slot = [fact for fact in retired if _slot(fact.evidence) in slots]
    retired = of_slot or [fact for fact in retired if fact in sure]
    retired.sort(key=lambda candidate: _gone(candidate.evidence), reverse=True)
    if retired:
        said = [at for at, candidate in enumerate(retired) if overlap(candidate.evidence.value, replied)]
        return (retired[said[-1] + 1 :] or retired) if said else retired
    newest_first = sorted(sure, key=lambda candidate: candidate.evidence.said_at, reverse=True)
    return [candidate for candidate in newest_first if not overlap(candidate.words, newest_first[0].words)]


def _told_together(one: Evidence, other: Evidence) -> bool:
    """Whether one is the other, or a sentence of it."""
    return one.text in other.text or other.text in one.text


def _claim(candidate: Candidate) -> Claim:
    """What was told, with the words that answer marked."""
    text = candidate.evidence.text
    start = text.casefold().find(candidate.words.casefold())
    return Claim(text, (start, start + len(candidate.words)) if start >= 0 else (0, len(text)))
