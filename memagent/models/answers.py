"""From a question and evidence to what can be said: which hits answer, with which words, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from memagent.models.arithmetic import amount
from memagent.models.asked_about import alias_names, subject_of, with_names
from memagent.models.asked_times import as_when, asked_time, of_that_time
from memagent.models.bridging import links, of_slot, pairs, read_pairs
from memagent.models.candidates import PAST, candidates, renamed
from memagent.models.evidence import USER, Evidence
from memagent.models.judging import (
    MOST_ODDS,
    OWN,
    READ,
    SAME_SLOT,
    SAME_SUBJECT,
    WAS_READ,
    Question,
    features,
    judge,
    overlap,
)
from memagent.models.reader import Reader
from memagent.models.rivals import (
    LEVEL,
    Candidate,
    before_now,
    in_force,
    names_replaced,
    replaced_by,
    replaced_by_reply,
    rivals,
)
from memagent.models.sentences import split_sentences
from memagent.models.several import (
    asks_for_several,
    distinct,
    each_told,
    hold_side_by_side,
    of_what_is_named,
    wants_all,
    whole_list,
)
from memagent.models.understanding import SURE_SLOT, Understanding, Understood

SURE = 0.5
SURE_IN_LIST = 0.35  # enough for a member of a list that was asked for
SURE_OF_SLOT = 0.2  # enough for what is in the very slot whose members were asked for
STATES = 0.4  # a message counts as telling something from this probability on
CLEARLY_ASKED = 0.8  # before the source of the last reply is told
MOST_READ = 12
MORE_SURELY = 0.5  # log odds by which two messages must answer more surely than one that seems to
FORGOTTEN = "[forgotten]"  # what the store leaves where words were erased
CURRENT = re.compile(r"^(?!.*\b(?:before|previous|was|were|did|had)\b).*\b(?:current|present)\b", re.I | re.S)
COMPARED = re.compile(
    r"\b(?:more|less|fewer|differ\w*|gap|apart|left|remain\w*|change|lost|lose|gain\w*|missing|put on|spare|extra|short"
    r"|sav\w+|over|under|up|down|than|between|compared|since|drop\w*|r[io]se|increase\w*|cheaper|dearer|(?:old|young|tall|long|short|big|small|heav"
    r"|light|high|low|fast|slow|hott|cold|warm|wid|narrow)i?er)\b",
    re.I,
)

SEVERAL = frozenset({"list", "count", "sum", "difference"})  # modes of asking that want more than one value
Kind = Literal["nothing", "value", "values", "count", "sum", "difference", "yes", "no", "when", "previous", "why"]


@dataclass(frozen=True)
class Found:
    """What the evidence says. `follow` is a second question worth searching for, where the first found only a link.

    `rival` says otherwise than the best candidate, is as likely, and was told on the same day: neither is newer.
    """

    kind: Kind
    candidates: tuple[Candidate, ...] = ()
    follow: str | None = None
    asked: str = ""
    near: tuple[Evidence, ...] = field(default=())
    rival: Candidate | None = None
    judged: tuple[Candidate, ...] = field(default=(), repr=False)

    @property
    def best(self) -> Candidate:
        return self.candidates[0]

    @property
    def chance(self) -> float:
        """That the answer is right: of several values the least sure one's; with no answer, the likeliest hit's.

        What held before is as sure as what holds now.
        """
        if not self.candidates or self.kind == "previous":
            return max((candidate.score for candidate in self.judged), default=0.0)
        each = self.candidates if self.kind in ("values", "count", "sum", "difference") else self.candidates[:1]
        return min(candidate.score for candidate in each)


def answer(
    reader: Reader,
    understanding: Understanding,
    question: str,
    understood: Understood,
    evidence: Sequence[Evidence],
    before: str = "",
    replied: str = "",
    times: Sequence[Mapping[str, Any]] = (),
) -> Found:
    """Read every hit against the question and decide. Never raises for want of evidence: `nothing` is an answer.

    `before` is the question before, where this one leans on it, and `replied` what was said to that; `times` are those
    that the search found in the question.
    """
    question, understood = _by_its_form(question, understood)
    time = asked_time(question, times) if understood.mode != "previous" else None
    evidence = of_that_time(evidence, time)
    asked = subject_of(understood)
    asked = asked if asked == USER else with_names(asked, evidence)
    evidence, tells = telling(understanding, understood, evidence)
    if not evidence:
        return Found("nothing", asked=asked)
    if understood.mode == "why" and understood.act_probability >= CLEARLY_ASKED:
        return _why(evidence)
    if understood.mode == "previous":
        on_record = tuple(replaced_by(evidence, question) or replaced_by_reply(evidence, question, replied))
        if on_record:
            return Found("previous", on_record, asked=asked, judged=on_record)
    aliases = alias_names(understood, evidence)
    in_names = replace(understood, text=with_names(understood.text, evidence))
    wanted = Question(in_names, asked, aliases, understanding.known_slots, before, time)
    judged = tuple(candidates(reader, question, wanted, evidence, tells))
    ranked = _ranked(judged, understood)
    sure = [candidate for candidate in ranked if candidate.score >= _least(candidate, understood)]
    if understood.mode not in SEVERAL or len(sure) < 2:
        sure = _over_two(reader, question, wanted, evidence, sure) or sure
    if not sure:
        follow = _follow(question, wanted, evidence)
        return Found("nothing", follow=follow, asked=asked, near=tuple(evidence[:1]), judged=judged)
    kind, given, rival = _given(understanding, question, understood, sure, ranked, judged, replied)
    return Found(kind, tuple(given), asked=asked, judged=judged, rival=rival)


def _given(
    understanding: Understanding,
    question: str,
    understood: Understood,
    sure: Sequence[Candidate],
    ranked: Sequence[Candidate],
    judged: Sequence[Candidate],
    replied: str,
) -> tuple[Kind, Sequence[Candidate], Candidate | None]:
    """The kind of answer, of what is sure what belongs to it, and what says otherwise."""
    kind = _kind(understood, sure)
    if kind == "value" and wants_all(question, sure, judged):
        kind = "values"
    if kind in ("values", "count"):
        current = [candidate for candidate in judged if candidate.evidence.current]
        members = distinct(whole_list(question, sure, current))
        return "value" if kind == "values" and len(members) == 1 else kind, members, None
    if kind in ("sum", "difference"):
        named = of_what_is_named(question, sure)
        return kind, each_told(named) if kind == "sum" else distinct(named), None
    if kind == "previous":
        past = before_now(sure, judged, replied)
        return ("previous", past, None) if past else ("value", sure, None)
    if kind in ("value", "when"):
        sure = in_force(understanding, _not_said(sure, replied), ranked)
    others = rivals(understanding, sure) if kind == "value" else []
    if len(others) > 1:
        return "values", distinct([sure[0], *others]), None
    return kind, sure, others[0] if others else None


def _least(candidate: Candidate, understood: Understood) -> float:
    """The score from which a candidate is given."""
    if understood.mode not in {*SEVERAL, "previous"}:
        return SURE
    features, one = candidate.features, candidate.evidence
    own = features[OWN] or features[SAME_SUBJECT]
    in_slot = understood.mode == "list" and not one.single and features[SAME_SLOT] >= SURE_SLOT and own
    return SURE_OF_SLOT if in_slot else SURE_IN_LIST


def _by_its_form(question: str, understood: Understood) -> tuple[str, Understood]:
    """As it is to be read: "what's the date of" as "when is", plurals as a list, "current" as what holds."""
    dated, mode = as_when(question), understood.mode
    if dated is not None and mode not in ("previous", "yesno"):
        mode = "when"
    elif mode == "difference" and not COMPARED.search(question):
        mode = "value"  # "how many milligrams must he give her?"
    elif mode == "previous" and CURRENT.search(question):
        mode = "value"
    if mode == "value" and asks_for_several(question):
        mode = "list"
    return dated or question, replace(understood, mode=mode)


def _not_said(sure: Sequence[Candidate], replied: str) -> Sequence[Candidate]:
    """Without what the question before was answered with, where something else answers: "and who leads it?"."""
    return [candidate for candidate in sure if not overlap(candidate.words, replied)] or sure


def telling(
    understanding: Understanding, understood: Understood, evidence: Sequence[Evidence]
) -> tuple[list[Evidence], dict[str, float]]:
    """Hits that tell something: facts, and messages of the person that state something not already among the facts.

    With them, by text, the chance that a message tells something. Without the past being asked for, messages go whose
    facts have been superseded.
    """
    best_first = sorted(evidence, key=lambda item: item.score, reverse=True)
    whole = [item for item in best_first if FORGOTTEN not in (item.value if item.is_fact else item.text)]
    known = {item.text.casefold() for item in whole if item.is_fact}
    past = understood.mode == "previous"
    offered = [
        item
        for item in whole
        if item.is_fact or (item.told and item.text.casefold() not in known and (past or not item.outdated))
    ]
    kept: list[Evidence] = []
    tells: dict[str, float] = {}
    while offered and len(kept) < MOST_READ:
        some, offered = offered[: MOST_READ - len(kept)], offered[MOST_READ - len(kept) :]
        tells |= _telling_chances(understanding, [item.text for item in some if not item.is_fact])
        kept += [item for item in some if item.is_fact or tells[item.text] >= STATES]
    return kept, tells


def _telling_chances(understanding: Understanding, texts: Sequence[str]) -> dict[str, float]:
    """By text, that of its likeliest sentence; 0 where one of them wants something forgotten: that is no evidence."""
    parts = {text: split_sentences(text) for text in texts}
    acts = iter(understanding.acts([sentence for sentences in parts.values() for sentence in sentences]))
    chances = {}
    for text, sentences in parts.items():
        read = [next(acts) for _ in sentences]
        erasing = any(act["forget"] >= SURE for act in read)
        chances[text] = 0.0 if erasing else max(act["state"] + act["correct"] for act in read)
    return chances


def _ranked(found: Sequence[Candidate], understood: Understood) -> list[Candidate]:
    """Best first; among nearly equal ones the newest first. Only lists take several values of one sentence."""
    found = [candidate for candidate in found if understood.mode in PAST or candidate.evidence.current]
    if understood.mode not in SEVERAL:
        found = _once_a_sentence(found)
    ranked = sorted(found, key=lambda candidate: candidate.score, reverse=True)
    if ranked:
        best = ranked[0].score
        level = [candidate for candidate in ranked if best - candidate.score <= LEVEL]
        level.sort(key=lambda candidate: candidate.evidence.said_at, reverse=True)
        ranked[: len(level)] = level
    return ranked


def _once_a_sentence(found: Sequence[Candidate]) -> list[Candidate]:
    """The best of each sentence; of its facts the one whose value was read, unless another is of the slot asked for."""
    of_sentence: dict[tuple[str, bool], list[Candidate]] = {}
    for candidate in found:
        of_sentence.setdefault((candidate.evidence.text, candidate.evidence.current), []).append(candidate)
    chosen = []
    for told in of_sentence.values():
        best = max(told, key=lambda candidate: candidate.score)
        read = [candidate for candidate in told if candidate.features[WAS_READ]]
        if read and not best.features[WAS_READ] and best.features[SAME_SLOT] < SURE_SLOT:
            best = replace(max(read, key=lambda candidate: candidate.score), score=best.score)
        chosen.append(best)
    return chosen


def _over_two(
    reader: Reader, question: str, asked: Question, evidence: Sequence[Evidence], sure: Sequence[Candidate]
) -> list[Candidate]:
    """The likeliest answer that takes two messages, if one is sure.

    Where one message seems to answer, it may be that it only says who is meant ("my sister is Ana"): what is said of
    that one is taken where the reader finds the answer more surely in both together.
    """
    told = of_slot(asked.understood, sure[0].evidence, sure[0].words, evidence) if sure else None
    if told is not None:
        return [replace(sure[0], evidence=told, words=told.value)]
    least = sure[0].features[READ] + MORE_SURELY if sure else -MOST_ODDS
    if least > MOST_ODDS:
        return []
    found = []
    known = [sure[0].evidence] if sure else links(question, asked.about, evidence)
    for item, reading in read_pairs(reader, question, pairs(question, known, evidence)):
        judged = features(asked, item, reading, 1.0, 0, linked=True)
        offset = len(item.window) - len(item.text)
        words = reading.words or item.value
        place = reading.start - offset, reading.end - offset
        candidate = Candidate(item, words, judge(judged), reading.kinds, *place, judged)
        found += [candidate] if asked.understood.mode in PAST or not names_replaced(candidate) else []
    found.sort(key=lambda candidate: candidate.score, reverse=True)
    return [candidate for candidate in found if candidate.score >= SURE and candidate.features[READ] >= least][:1]


def _follow(question: str, asked: Question, evidence: Sequence[Evidence]) -> str | None:
    """What to search for next: the question by the other name of its subject, or with who that may be."""
    other = renamed(question, asked.understood, asked.aliases)
    if other is not None:
        return other
    known = links(question, asked.about, evidence)
    return f"{question} {known[0].text}" if known else None


def _kind(understood: Understood, sure: Sequence[Candidate]) -> Kind:
    best = sure[0]
    if understood.mode == "yesno" and best.kinds["yes"] + best.kinds["no"] >= best.kinds["span"]:
        return "yes" if best.kinds["yes"] >= best.kinds["no"] else "no"
    if understood.mode == "list":
        return "values"
    if understood.mode == "sum" and len(sure) > 1:
        return "sum"
    if understood.mode == "difference":
        return "difference"
    if understood.mode == "count" and not _number_told(best):
        return "count"
    if understood.mode == "previous":
        return "previous"
    if hold_side_by_side(sure):
        return "values"
    return "when" if understood.mode == "when" else "value"


def _number_told(best: Candidate) -> bool:
    """Whether the number itself was told ("seven rooms to go"), and is no member of a list ("two pints of milk")."""
    first = best.words.partition(" ")[0]
    return amount(first) is not None and (not best.evidence.is_fact or best.evidence.single)


def _why(evidence: Sequence[Evidence]) -> Found:
    facts = [item for item in evidence if item.is_fact] or list(evidence)
    best = facts[0]
    return Found("why", (Candidate(best, best.value or best.text, best.score, {}, 0, 0),))
