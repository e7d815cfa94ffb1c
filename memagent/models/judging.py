"""How likely a hit is to answer a question: what the reader, the slots, the subjects and the search say, weighed.

The weights of the logistic model are learned by `memagent.training.judge` from hand-written questions whose messages
went through the whole program, and moved by `memagent.training.judge_turns` towards whole conversations, so a score is
the chance that the words are right, not a rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from memagent.models.asked_times import AskedTime
from memagent.models.evidence import USER, Evidence, content_words, same_subject
from memagent.models.labels import OTHER_SLOT
from memagent.models.reader import Answer
from memagent.models.understanding import Understood

# In the order of `features`; what each one means is said there.
LEARNED: Mapping[str, float] = {
    "bias": -7.133,
    "reader": 0.485,
    "span": 0.385,
    "value": 0.066,
    "fact": -0.147,
    "tells": 3.701,
    "search": 2.833,
    "read": 1.570,
    "covers": -2.113,
    "same slot": 0.585,
    "other slot": -0.719,
    "no slot": -0.141,
    "same subject": -0.064,
    "own": 0.587,
    "other subject": 1.574,
    "asked, not named": 0.149,
    "named, not asked": 0.598,
    "mentioned": 0.159,
    "times": 0.552,
    "another thing": -3.456,
}
FEATURES = tuple(LEARNED)
READ, WAS_READ, SAME_SLOT = (FEATURES.index(name) for name in ("reader", "read", "same slot"))
SAME_SUBJECT, OWN = (FEATURES.index(name) for name in ("same subject", "own"))
LEAST_LIKELY = 1e-3  # of a span
MOST_ODDS = 6.0


@dataclass(frozen=True)
class Question:
    """What is asked: `about` is the plain subject, or USER; other names of that subject by its words.

    `before` is the question before, where this one leans on it, and `time` the one that it names.
    """

    understood: Understood
    about: str
    aliases: Mapping[str, str]
    known_slots: frozenset[str]
    before: str = ""
    time: AskedTime | None = None


def features(
    question: Question,
    item: Evidence,
    reading: Answer,
    tells: float,
    siblings: int,
    *,
    linked: bool = False,
    another: bool = False,
) -> tuple[float, ...]:
    """The values of FEATURES for one hit and what was read in its window.

    `tells` is the chance that the message tells something, 1 for a fact; `siblings` counts the values of other facts
    of the sentence that the span covers; `linked`: another message says that it is about whom the question means;
    `another`: it is about another thing of the kind than the question, or about the person instead of a relative.
    """
    understood, about = question.understood, question.about
    asked_slot = understood.slot_probability if understood.slot != OTHER_SLOT else 0.0
    slotted = item.is_fact and item.attribute in question.known_slots
    same = item.is_fact and (linked or same_subject(about, item.subject, question.aliases))
    words = content_words(about)
    mentioned = about != USER and (linked or bool(words & content_words(item.window)))
    named, stored_user = about != USER, item.is_fact and item.subject == USER
    start = item.window.casefold().find(item.value.casefold()) if item.is_fact else -1
    value = reading.likelihood(start, start + len(item.value)) if start >= 0 else reading.span_probability
    return (
        1.0,
        log_odds(reading.probability),
        math.log(max(reading.span_probability, LEAST_LIKELY)),
        math.log(max(value, LEAST_LIKELY)),
        float(item.is_fact),
        tells,
        item.score,
        float(not item.is_fact or overlap(reading.words, item.value)),
        float(siblings > 0 and not (named and same)),  # of whom is asked only what is told of them is left
        asked_slot if slotted and same and item.attribute == understood.slot else 0.0,
        asked_slot if slotted and item.attribute != understood.slot else 0.0,
        asked_slot if item.is_fact and not slotted else 0.0,
        float(named and same),
        float(not named and stored_user),
        float(named and item.is_fact and not stored_user and not same and not mentioned),
        float(named and stored_user and not mentioned),
        float(not named and item.is_fact and not stored_user),
        float(mentioned),
        float(understood.mode == "when" and bool(item.hit.get("times"))),
        float(another),
    )


def judge(values: tuple[float, ...]) -> float:
    """The chance that a hit with these features answers."""
    odds = sum(weight * value for weight, value in zip(LEARNED.values(), values, strict=True))
    return 1.0 / (1.0 + math.exp(-odds))


def log_odds(probability: float, bound: float = MOST_ODDS) -> float:
    """Bounded on both sides."""
    inside = min(max(probability, 1e-9), 1.0 - 1e-9)
    return max(-bound, min(bound, math.log(inside / (1.0 - inside))))


def overlap(words: str, value: str) -> bool:
    """Whether one contains the other; nothing contains nothing."""
    ours, theirs = words.casefold(), value.casefold()
    return bool(ours) and bool(theirs) and (ours in theirs or theirs in ours)
