"""Turns a template into a sentence with known spans: which characters are the value, the subject, the time phrase."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from memagent.training.packs import PLACEHOLDER

Person = Literal["user", "third"]
Span = tuple[int, int]

RELATIONS = [
    "sister",
    "brother",
    "mum",
    "mother",
    "dad",
    "father",
    "wife",
    "husband",
    "partner",
    "girlfriend",
    "boyfriend",
    "son",
    "daughter",
    "aunt",
    "uncle",
    "cousin",
    "niece",
    "nephew",
    "grandma",
    "grandfather",
    "grandson",
    "granddaughter",
    "boss",
    "manager",
    "colleague",
    "neighbour",
    "neighbor",
    "flatmate",
    "roommate",
    "landlord",
    "friend",
    "best",
    "friend",
    "ex",
    "stepmother",
    "stepson",
    "sister-in-law",
    "brother-in-law",
    "mother-in-law",
    "godson",
    "goddaughter",
    "twin",
    "teacher",
    "trainer",
    "coach",
    "therapist",
    "mate",
    "buddy",
    "gran",
    "nan",
    "grandpa",
    "fiance",
    "fiancee",
    "mentor",
    "tenant",
    "client",
    "intern",
    "assistant",
    "babysitter",
]
SHE = {"sister", "mum", "mother", "wife", "girlfriend", "daughter", "aunt", "niece", "grandma", "gran", "nan"}
HE = {
    "brother",
    "dad",
    "father",
    "husband",
    "boyfriend",
    "son",
    "uncle",
    "nephew",
    "grandfather",
    "grandson",
    "grandpa",
}


@dataclass(frozen=True)
class Subject:
    """Who or what a sentence is about. `words` is the noun phrase; empty for the user."""

    person: Person
    words: str = ""
    pronouns: tuple[str, str, str] = ("they", "their", "them")

    @property
    def is_user(self) -> bool:
        return self.person == "user"


USER = Subject("user")


@dataclass(frozen=True)
class Sentence:
    """A composed text; spans are character offsets, None where the part does not occur."""

    text: str
    value: Span | None = None
    subject: Span | None = None
    old: Span | None = None
    when: Span | None = None

    def shifted(self, by: int) -> Sentence:
        def move(span: Span | None) -> Span | None:
            return None if span is None else (span[0] + by, span[1] + by)

        return Sentence(self.text, move(self.value), move(self.subject), move(self.old), move(self.when))


def draw_subject(rng: random.Random, names: tuple[str, ...]) -> Subject:
    """A third person: a name, a relation, or both."""
    relation = rng.choice(RELATIONS)
    if relation in SHE:
        pronouns = ("she", "her", "her")
    elif relation in HE:
        pronouns = ("he", "his", "him")
    else:
        pronouns = rng.choice([("she", "her", "her"), ("he", "his", "him"), ("they", "their", "them")])
    name = rng.choice(names)
    owner = rng.choice(["my"] * 8 + ["our", "our", "the"])
    form = rng.random()
    if form < 0.42:
        words = f"{owner} {relation}"
    elif form < 0.62:
        words = f"{owner} {relation} {name}"
    elif form < 0.67:
        words = f"{rng.choice(names)}'s {relation}"
    elif form < 0.72:
        words = f"{rng.choice(['mr', 'mrs', 'ms', 'dr', 'old', 'auntie', 'uncle'])} {name}"
    else:
        words = name
    return Subject("third", words, pronouns)


def compose(
    template: str,
    subject: Subject,
    *,
    value: str = "",
    old: str = "",
    when: str = "",
    pronoun: bool = False,
) -> Sentence:
    """Fill a template. With `pronoun` a third person is referred to by pronoun and has no subject span."""
    text = ""
    spans: dict[str, Span] = {}
    last = 0
    for match in PLACEHOLDER.finditer(template):
        text += template[last : match.start()]
        last = match.end()
        inner = match.group(1)
        words, label, labelled = _fill(inner, subject, value=value, old=old, when=when, pronoun=pronoun)
        if label and label not in spans and labelled:
            spans[label] = (len(text), len(text) + labelled)
        text += words
    text += template[last:]
    return Sentence(text, spans.get("value"), spans.get("subject"), spans.get("old"), spans.get("when"))


def _fill(inner: str, subject: Subject, *, value: str, old: str, when: str, pronoun: bool) -> tuple[str, str, int]:
    """The words for one placeholder, the label they carry, and how many characters of them carry it."""
    if inner in ("V", "OLD", "W"):
        words, label = {"V": (value, "value"), "OLD": (old, "old"), "W": (when, "when")}[inner]
        return words, label, len(words)
    if inner in ("S", "S's", "SO"):
        which = ("S", "S's", "SO").index(inner)
        if subject.is_user:
            return ("I", "my", "me")[which], "", 0
        if pronoun:
            return subject.pronouns[which], "", 0
        words = f"{subject.words}'s" if which == 1 else subject.words
        return words, "subject", len(subject.words)
    first, third = inner.split("|")
    if not subject.is_user and pronoun and subject.pronouns[0] == "they":
        return first.replace("am", "are") if first == "am" else first, "", 0
    return (first if subject.is_user else third), "", 0
