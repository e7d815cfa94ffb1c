"""From a question and evidence to what can be said: which hits answer, with which words, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from memagent.models.evidence import USER, Evidence, content_words, plain_subject, same_subject
from memagent.models.labels import OTHER_SLOT
from memagent.models.reader import Answer, Reader
from memagent.models.understanding import Understanding, Understood

SURE = 0.5
SURE_SLOT = 0.5
CLOSE = 0.2  # candidates this near to the best one count as equally good, and the newer wins
OTHER_SUBJECT = 0.1
CERTAIN_SLOT = 0.8
OTHER_SLOT_SCORE = 0.6  # the question is certainly about another slot than the fact fills
POSSIBLY_WHEN = 0.2  # enough where a time is asked for and a fact of that very subject names one
SURE_IN_LIST = 0.35  # enough for a member of a list that was asked for
NO_SUBJECT = 0.75  # the fact names nobody, so it may well be about whom the question names
SURE_SPAN = 0.6  # from here on the reader's longer span is taken instead of the stored value
STATES = 0.4  # a message counts as telling something from this probability on
MOST_READ = 12
FORGOTTEN = "[forgotten]"  # what the store leaves where words were erased

Kind = Literal["nothing", "value", "values", "count", "yes", "no", "when", "previous", "why"]


@dataclass(frozen=True)
class Candidate:
    """One hit that may answer: the words that do, and how sure that is."""

    evidence: Evidence
    words: str
    score: float
    kinds: Mapping[str, float]
    start: int
    end: int


@dataclass(frozen=True)
class Found:
    """What the evidence says. `follow` is a second question worth searching for, where the first found only a link."""

    kind: Kind
    candidates: tuple[Candidate, ...] = ()
    follow: str | None = None
    asked: str = ""
    near: tuple[Evidence, ...] = field(default=())

    @property
    def best(self) -> Candidate:
        return self.candidates[0]


def answer(
    reader: Reader,
    understanding: Understanding,
    question: str,
    understood: Understood,
    evidence: Sequence[Evidence],
) -> Found:
    """Read every hit against the question and decide. Never raises for want of evidence: `nothing` is an answer."""
    asked = plain_subject(understood.subject.words) if understood.subject is not None else USER
    evidence = telling(understanding, understood, evidence)
    if not evidence:
        return Found("nothing", asked=asked)
    if understood.mode == "why":
        return _why(evidence)
    aliases = alias_names(understood, evidence)
    slots = understanding.known_slots
    candidates = _candidates(reader, question, understood, evidence, asked, aliases, slots)
    least = SURE_IN_LIST if understood.mode in ("list", "count") else SURE
    sure = [candidate for candidate in candidates if candidate.score >= least]
    if not sure:
        return Found("nothing", follow=_follow(question, understood, aliases), asked=asked, near=tuple(evidence[:1]))
    kind = _kind(understood, sure)
    if kind in ("values", "count"):
        return Found(kind, tuple(_distinct(sure)), asked=asked)
    if kind == "previous":
        return _previous(sure, asked)
    return Found(kind, tuple(sure), asked=asked)


def telling(understanding: Understanding, understood: Understood, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Hits that tell something: facts, and messages of the person that state something not already among the facts.

    Without the past being asked for, messages go whose facts have been superseded.
    """
    facts = [item for item in evidence if item.is_fact and FORGOTTEN not in item.value]
    known = {item.text.casefold() for item in facts}
    others = [
        item
        for item in evidence
        if not item.is_fact
        and item.told
        and FORGOTTEN not in item.text
        and item.text.casefold() not in known
        and (understood.mode == "previous" or not item.outdated)
    ]
    acts = understanding.acts([item.text for item in others])
    stating = [item for item, act in zip(others, acts, strict=True) if act["state"] + act["correct"] >= STATES]
    return sorted([*facts, *stating], key=lambda item: item.score, reverse=True)[:MOST_READ]


def alias_names(understood: Understood, evidence: Sequence[Evidence]) -> dict[str, str]:
    """Other names of the question's subject by its words: told "my sister is Ana", "sister" is also called "Ana"."""
    aliases: dict[str, str] = {}
    wanted = content_words(understood.subject.words) if understood.subject is not None else frozenset[str]()
    for item in evidence:
        if not item.is_fact or not item.current or item.subject != USER:
            continue
        name = content_words(item.value)
        relation = content_words(item.attribute) | (wanted & content_words(item.text) - name)
        if len(name) <= 3 and wanted & relation:
            for word in wanted & relation:
                aliases.setdefault(word, item.value)
        elif wanted & name and len(content_words(item.attribute)) <= 2:
            for word in wanted & name:
                aliases.setdefault(word, item.attribute)
    return aliases


def _candidates(
    reader: Reader,
    question: str,
    understood: Understood,
    evidence: Sequence[Evidence],
    asked: str,
    aliases: Mapping[str, str],
    known_slots: frozenset[str],
) -> list[Candidate]:
    """Best first; among nearly equal ones the newest first."""
    readings = reader.read(question, [item.window for item in evidence])
    renamed = _renamed(question, understood, aliases)
    if renamed is not None:
        again = reader.read(renamed, [item.window for item in evidence])
        readings = [max(pair, key=lambda one: one.probability) for pair in zip(readings, again, strict=True)]
    found = [
        _candidate(understood, item, reading, asked, aliases, known_slots)
        for item, reading in zip(evidence, readings, strict=True)
        if understood.mode == "previous" or item.current
    ]
    found = _once_a_sentence(found)
    found.sort(key=lambda candidate: candidate.score, reverse=True)
    if found:
        best = found[0].score
        level = [candidate for candidate in found if best - candidate.score <= CLOSE]
        level.sort(key=lambda candidate: candidate.evidence.said_at, reverse=True)
        found[: len(level)] = level
    return found


def _once_a_sentence(found: Sequence[Candidate]) -> list[Candidate]:
    """Of several facts from one sentence the one whose value was read from it; or else the likeliest."""
    best: dict[str, Candidate] = {}
    for candidate in found:
        key = f"{candidate.evidence.text}|{candidate.evidence.current}"
        known = best.get(key)
        if known is None or (_fits(candidate), candidate.score) > (_fits(known), known.score):
            best[key] = candidate
    return list(best.values())


def _fits(candidate: Candidate) -> int:
    item = candidate.evidence
    return int(item.is_fact) * (1 + int(_overlap(candidate.words, item.value)))


def _candidate(
    understood: Understood,
    item: Evidence,
    reading: Answer,
    asked: str,
    aliases: Mapping[str, str],
    known_slots: frozenset[str],
) -> Candidate:
    score = reading.probability
    words = reading.words
    offset = len(item.window) - len(item.text)
    if item.is_fact:
        slotted = item.attribute == understood.slot and understood.slot != OTHER_SLOT
        same = same_subject(asked, item.subject, aliases)
        if same and slotted and understood.slot_probability >= SURE_SLOT:
            words = words if score >= SURE and _overlap(words, item.value) else item.value
            score = max(score, 0.5 + understood.slot_probability / 2)
        elif not same and asked != USER and not content_words(asked) & content_words(item.text):
            score *= NO_SUBJECT if item.subject == USER else OTHER_SUBJECT
        elif not slotted and item.attribute in known_slots and understood.slot_probability >= CERTAIN_SLOT:
            score *= OTHER_SLOT_SCORE
        whole = item.value.casefold() in words.casefold() and reading.span_probability >= SURE_SPAN
        if understood.mode == "when" and same and asked != USER and item.hit.get("times") and score >= POSSIBLY_WHEN:
            score = max(score, SURE)
        if not words or (_overlap(words, item.value) and not whole):
            words = item.value
    return Candidate(item, words, score, reading.kinds, reading.start - offset, reading.end - offset)


def _kind(understood: Understood, sure: Sequence[Candidate]) -> Kind:
    best = sure[0]
    if understood.mode == "yesno":
        return "yes" if best.kinds["yes"] >= best.kinds["no"] else "no"
    if understood.mode == "list" or _several(sure):
        return "values"
    if understood.mode in ("count", "when", "previous"):
        return "count" if understood.mode == "count" else "when" if understood.mode == "when" else "previous"
    return "value"


def _several(sure: Sequence[Candidate]) -> bool:
    """Whether the best answer is one of several values that hold side by side."""
    best = sure[0].evidence
    if not best.is_fact:
        return False
    rest = [other.evidence for other in sure[1:] if other.evidence.is_fact and other.evidence.current]
    rest = [other for other in rest if same_subject(other.subject, best.subject)]
    return any(other.attribute == best.attribute or not (best.single or other.single) for other in rest)


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each value once, in the order in which they were told."""
    seen: dict[str, Candidate] = {}
    for candidate in candidates:
        key = candidate.words.casefold()
        if not any(key in known or known in key for known in seen):
            seen[key] = candidate
    return sorted(seen.values(), key=lambda candidate: candidate.evidence.said_at)


def _previous(sure: Sequence[Candidate], asked: str) -> Found:
    """The value before the current one: the newest retired fact of the best candidate's slot."""
    retired = [c for c in sure if c.evidence.is_fact and not c.evidence.current]
    retired.sort(key=lambda candidate: str(candidate.evidence.hit.get("retired_at") or ""), reverse=True)
    if retired:
        return Found("previous", tuple(retired), asked=asked)
    newest_first = sorted(sure, key=lambda candidate: candidate.evidence.said_at, reverse=True)
    earlier = [c for c in newest_first if not _overlap(c.words, newest_first[0].words)]
    if earlier:
        return Found("previous", tuple(earlier), asked=asked)
    return Found("value", tuple(sure), asked=asked)


def _why(evidence: Sequence[Evidence]) -> Found:
    facts = [item for item in evidence if item.is_fact] or list(evidence)
    best = facts[0]
    return Found("why", (Candidate(best, best.value or best.text, best.score, {}, 0, 0),))


def _renamed(question: str, understood: Understood, aliases: Mapping[str, str]) -> str | None:
    """The question with its subject called by the other name."""
    if understood.subject is None or understood.subject.source != "text" or not aliases:
        return None
    start, end = understood.subject.span
    return question[:start] + next(iter(aliases.values())) + question[end:]


def _follow(question: str, understood: Understood, aliases: Mapping[str, str]) -> str | None:
    return _renamed(question, understood, aliases)


def _overlap(words: str, value: str) -> bool:
    ours, theirs = words.casefold(), value.casefold()
    return bool(ours) and (ours in theirs or theirs in ours)


def rank_for_erasure(
    reader: Reader, understood: Understood, sentence: str, context: str, evidence: Sequence[Evidence]
) -> list[Evidence]:
    """The facts that a request to forget is about, surest first; empty where none is clearly meant."""
    facts = [item for item in evidence if item.is_fact]
    if not facts:
        return []
    asked = plain_subject(understood.subject.words) if understood.subject is not None else USER
    named = {value.words.casefold() for value in understood.values}
    scored: list[tuple[float, Evidence]] = []
    for item, reading in zip(facts, reader.read(sentence, [fact.window for fact in facts]), strict=True):
        score = reading.probability
        slotted = item.attribute == understood.slot and understood.slot != OTHER_SLOT
        if slotted and same_subject(asked, item.subject):
            score = max(score, 0.5 + understood.slot_probability / 2)
        if any(_overlap(words, item.value) for words in named):
            score = max(score, 0.9)
        if not understood.values and not slotted and context and item.text.casefold() in context.casefold():
            score = max(score, 0.6)
        if (
            asked != USER
            and not same_subject(asked, item.subject)
            and not content_words(asked) & content_words(item.text)
        ):
            score *= OTHER_SUBJECT
        scored.append((score, item))
    scored.sort(key=lambda pair: pair[0], reverse=True)
    best = scored[0][0]
    if best < SURE:
        return _about_subject(understood, facts)
    return [item for score, item in scored if score >= max(SURE, best - 2 * CLOSE)]


def _about_subject(understood: Understood, facts: Sequence[Evidence]) -> list[Evidence]:
    """Where a request names a subject: all its facts ("everything about Ana"), or else the nearest one."""
    if understood.subject is None:
        return []
    theirs = [fact for fact in facts if same_subject(plain_subject(understood.subject.words), fact.subject)]
    return theirs if understood.mode == "list" else theirs[:1]
