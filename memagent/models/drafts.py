"""From an understood statement to writes: a new fact, or a remembered one that it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memagent.models.evidence import USER, Evidence, plain_subject, same_subject
from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import Claim, Understanding, Understood, Value

SURE_VALUE = 0.45
SURE_SLOT = 0.5
SURE_PAIR = 0.6
MOST_CANDIDATES = 6
LONGEST_ATTRIBUTE = 6  # words


@dataclass(frozen=True)
class Write:
    """One fact to write; `replaces` is the number of the remembered fact that it supersedes."""

    subject: str
    attribute: str
    value: str
    kind: str
    several: bool
    replaces: int | None = None


def plan_writes(
    understanding: Understanding, understood: Understood, recalled: Sequence[Evidence], context: str
) -> list[Write]:
    """Writes for the values of a statement or correction; none where nothing was found that could be a value."""
    facts = [evidence for evidence in recalled if evidence.is_fact and evidence.current]
    writes: list[Write] = []
    taken: set[int] = set()
    for value in understood.values:
        if value.probability < SURE_VALUE:
            continue
        write = _write(understood, value)
        replaced = _replaced(understanding, understood, value, write, [f for f in facts if f.number not in taken], context)
        if replaced is not None:
            taken.add(replaced.number)
            write = Write(replaced.subject, replaced.attribute, write.value, write.kind, write.several, replaced.number)
        writes.append(write)
    return writes


def attribute_words(understood: Understood, value: Value) -> str:
    """The slot where the model is sure of it, else the person's own words around the value."""
    if value.slot_probability >= SURE_SLOT and value.slot != OTHER_SLOT:
        return value.slot
    start, end = value.span
    text = understood.text
    before = text[:start]
    if value.subject is not None and value.subject.source == "text" and value.subject.span[1] <= start:
        before = text[value.subject.span[1] : start].removeprefix("'s")
    words = before.split()[-LONGEST_ATTRIBUTE:] or text[end:].split()[:LONGEST_ATTRIBUTE]
    return " ".join(words).strip(" ,.;:!?-'\"") or "note"


def _write(understood: Understood, value: Value) -> Write:
    subject = plain_subject(value.subject.words) if value.subject is not None else USER
    return Write(subject, attribute_words(understood, value), value.words, value.kind, not value.single)


def _replaced(
    understanding: Understanding,
    understood: Understood,
    value: Value,
    write: Write,
    facts: Sequence[Evidence],
    context: str,
) -> Evidence | None:
    """The remembered fact whose value this one replaces, if any."""
    others = [fact for fact in facts if fact.value.casefold() != write.value.casefold()]
    if understood.act == "correct":
        leaning = _corrected(understood, value, write, others, context)
        if leaning is not None:
            return leaning
    if write.several:
        return None
    candidates = [fact for fact in others if same_subject(write.subject, fact.subject)][:MOST_CANDIDATES]
    pairs = [(Claim(understood.text, value.span), _claim(fact)) for fact in candidates]
    best, best_probability = None, SURE_PAIR
    for fact, relation in zip(candidates, understanding.compare(pairs), strict=True):
        probability = relation["replaces"]
        if fact.attribute == write.attribute:
            probability = max(probability, value.slot_probability)
        if probability > best_probability:
            best, best_probability = fact, probability
    return best


def _corrected(
    understood: Understood, value: Value, write: Write, facts: Sequence[Evidence], context: str
) -> Evidence | None:
    """What a correction is about: a fact whose value it names, or one of the slot, or of the message just before."""
    rest = (understood.text[: value.span[0]] + " " + understood.text[value.span[1] :]).casefold()
    named = [fact for fact in facts if fact.value.casefold() in rest]
    if named:
        return named[0]
    slotted = [f for f in facts if f.attribute == write.attribute and same_subject(write.subject, f.subject)]
    if slotted and value.slot_probability >= SURE_SLOT:
        return slotted[0]
    leans = value.subject is None or value.subject.source == "context"
    just_said = [fact for fact in facts if context and fact.text.casefold() in context.casefold()]
    if leans and just_said and len(rest.split()) <= 6:
        return just_said[0]
    return None


def _claim(fact: Evidence) -> Claim:
    """A remembered fact as a sentence with its value marked."""
    start = fact.text.casefold().find(fact.value.casefold())
    if start >= 0:
        return Claim(fact.text, (start, start + len(fact.value)))
    lead = f"{fact.subject} {fact.attribute} "
    return Claim(lead + fact.value, (len(lead), len(lead) + len(fact.value)))
