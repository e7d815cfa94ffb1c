"""Labelled examples for *understanding*, composed from the packs by one seeded generator: one function an act."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from memagent.models.labels import ACTS, MODES
from memagent.training.compose import USER, Sentence, Span, Subject, compose, draw_subject
from memagent.training.noise import roughen
from memagent.training.packs import Packs, Slot, placeholders

BESIDE_FIRST = ("also ", "and also ", "oh also, ", "plus ", "and ", "another one: ", "on top of that ", "and then ")
BESIDE_LAST = (
    " as well",
    " too",
    " also",
    " as well, by the way",
    ", as well as the other",
    " on top",
    ", too",
    " either",
)


@dataclass(frozen=True)
class FactLabel:
    """One fact of a message: the value's span, whom it is about (0 text, 1 context; None the user), and its slot."""

    value: Span
    subject: tuple[int, Span] | None
    slot: str | None  # None: not labelled
    kind: str
    single: bool


@dataclass(frozen=True)
class Example:
    """A message with its labels. `slot`/`subject` are what a question, or a request to forget, is about."""

    text: str
    act: str
    context: str = ""
    mode: str = "value"
    facts: tuple[FactLabel, ...] = ()
    slot: str | None = None
    subject: tuple[int, Span] | None = None
    value: Span | None = None  # the value named in a question ("is my dentist Dr Soto?")
    subject_known: bool = True  # False: whom a question is about is not labelled


class Composer:
    """Draws examples. The same seed gives the same sequence."""

    def __init__(self, packs: Packs, seed: int) -> None:
        self.packs = packs
        self.rng = random.Random(seed)
        self.changing = [slot for slot in packs.slots if slot.changes]
        self.acts: tuple[tuple[float, Callable[[], Example]], ...] = (
            (0.42, self.statement),
            (0.23, self.question),
            (0.09, self.correction),
            (0.08, self.forgetting),
            (0.04, self.calculation),
            (0.14, self.talk),
        )

    def draw(self) -> Example:
        """One example of a random act, with noise and, at times, an unrelated context."""
        make = self.rng.choices([act for _, act in self.acts], [weight for weight, _ in self.acts])[0]
        return self.noisy(self.led(make()))

    def led(self, example: Example) -> Example:
        """The example, at times with an unrelated message before it where there is none."""
        if example.context or self.rng.random() >= 0.35:
            return example
        return replace(example, context=self.unrelated())

    # --- parts ------------------------------------------------------------------------------------------------------

    def slot(self) -> Slot:
        return self.rng.choice(self.packs.slots)

    def subject_for(self, slot: Slot, *, third: float = 0.5) -> Subject:
        if slot.subjects == ("user",):
            return USER
        if slot.subjects == ("person",):
            names = self.packs.pools["person_name"]
            return draw_subject(self.rng, names) if self.rng.random() < third else USER
        return Subject("third", self.rng.choice(slot.subjects), ("it", "its", "it"))

    def fill(
        self, template: str, slot: Slot, subject: Subject, *, value: str | None = None, pronoun: bool = False
    ) -> Sentence:
        value = self.packs.value(slot, self.rng) if value is None else value
        old = self.packs.value(slot, self.rng)
        when = self.rng.choice(self.packs.pools["when"])
        return compose(template, subject, value=value, old=old, when=when, pronoun=pronoun)

    def state_sentence(
        self, slot: Slot, subject: Subject, *, pronoun: bool = False, value: str | None = None
    ) -> Sentence:
        return self.fill(self.rng.choice(slot.states), slot, subject, value=value, pronoun=pronoun)

    def unrelated(self) -> str:
        """A message that was said before and has nothing to do with this one."""
        if self.rng.random() < 0.4:
            return self.rng.choice(self.packs.acts["talk"])
        slot = self.slot()
        subject = self.subject_for(slot)
        if self.rng.random() < 0.5:
            return self.state_sentence(slot, subject).text
        return self.fill(self.rng.choice(slot.asks), slot, subject).text

    def wrap(self, text: str, prefixes: str, chance: float) -> tuple[str, int]:
        """A lead-in and a trailing aside, at times; and how far the text moved."""
        moved = 0
        if self.rng.random() < chance:
            prefix = self.rng.choice(self.packs.acts[prefixes]).strip()
            joint = "" if prefix.endswith((",", ":", "-", "...")) or self.rng.random() < 0.6 else ","
            text, moved = f"{prefix}{joint} {text}", len(prefix) + len(joint) + 1
        if self.rng.random() < chance * 0.6:
            joint = self.rng.choice([" ", ", ", ". ", " - "])
            text = text.rstrip(".") + joint + self.rng.choice(self.packs.acts["suffixes"]).strip()
        return text, moved

    def label(self, slot: Slot, sentence: Sentence, subject: Subject, given: tuple[int, Span] | None) -> FactLabel:
        about = given
        if sentence.subject is not None:
            about = (0, sentence.subject)
        assert sentence.value is not None, slot.name
        return FactLabel(sentence.value, None if subject.is_user else about, slot.name, slot.kind, slot.single)

    def beside(self, sentence: Sentence) -> Sentence:
        """The sentence as one more of its kind: "also ...", "... as well"."""
        if self.rng.random() < 0.55:
            end = sentence.value[1] if sentence.value is not None else len(sentence.text)
            text = sentence.text[:end] + sentence.text[end:].rstrip(".!")
            return replace(sentence, text=text + self.rng.choice(BESIDE_LAST))
        lead = self.rng.choice(BESIDE_FIRST)
        return replace(sentence, text=lead + sentence.text).shifted(len(lead))

    # --- acts -------------------------------------------------------------------------------------------------------

    def statement(self) -> Example:
        rng = self.rng
        first = self.slot()
        subject = self.subject_for(first)
        context, given = "", None
        pronoun = not subject.is_user and first.subjects == ("person",) and rng.random() < 0.12
        if pronoun:
            earlier_slot = self.personal_slot()
            earlier = self.state_sentence(earlier_slot, subject)
            pronoun = earlier.subject is not None
            if earlier.subject is not None:
                context, given = earlier.text, (1, earlier.subject)
        sentence = self.state_sentence(first, subject, pronoun=pronoun)
        if rng.random() < 0.06:
            sentence = self.beside(sentence)
        text, facts = sentence.text, [self.label(first, sentence, subject, given)]
        for _ in range(rng.choices((0, 1, 2), (0.54, 0.31, 0.15))[0]):
            text, facts = self.join(text, facts, first, subject, given or facts[0].subject)
        text, moved = self.wrap(text, "prefixes_state", 0.35)
        return Example(text, "state", context, facts=tuple(_shift(fact, moved) for fact in facts))

    def personal_slot(self) -> Slot:
        while True:
            slot = self.slot()
            if slot.subjects == ("person",):
                return slot

    def join(
        self, text: str, facts: list[FactLabel], first: Slot, subject: Subject, given: tuple[int, Span] | None
    ) -> tuple[str, list[FactLabel]]:
        """Append one more statement: about the same subject by pronoun, or about another."""
        rng = self.rng
        same = first.subjects == ("person",) and rng.random() < 0.4
        slot = self.personal_slot() if same else self.slot()
        about = subject if same else self.subject_for(slot)
        pronoun = same and not subject.is_user and given is not None and rng.random() < 0.75
        sentence = self.state_sentence(slot, about, pronoun=pronoun)
        connector = rng.choice(self.packs.acts["connectors"])
        start = text.rstrip(".!") + (connector if connector.startswith((",", ";", ".", " ")) else f" {connector}")
        start = start if start.endswith(" ") else f"{start} "
        fact = _shift(self.label(slot, sentence, about, given if pronoun else None), len(start), text_only=not pronoun)
        if pronoun and given is not None:
            fact = replace(fact, subject=given)
        return start + sentence.text, [*facts, fact]

    def question(self) -> Example:
        rng = self.rng
        slot = self.slot()
        subject = self.subject_for(slot)
        kinds = [("value", slot.asks, 0.5), ("previous", slot.befores, 0.14), ("yesno", slot.yesnos, 0.12)]
        kinds += [("when", slot.whens, 0.14), ("list", slot.lists, 0.25)]
        kinds = [kind for kind in kinds if kind[1]]
        roll = rng.random()
        if roll < 0.07:
            return Example(rng.choice(self.packs.acts["why"]), "ask", self.unrelated(), mode="why")
        if roll < 0.16:
            return self.generic_question()
        mode, templates, _ = rng.choices(kinds, [weight for _, _, weight in kinds])[0]
        template = rng.choice(templates)
        if mode == "list" and any(word in template for word in ("how many", "number of", "count")):
            mode = "count"
        if mode == "value" and template.lower().startswith("when "):
            mode = "when"
        if roll < 0.24 and not subject.is_user and slot.subjects == ("person",):
            return self.follow_up(slot, subject)
        sentence = self.fill(template, slot, subject)
        text, moved = self.wrap(sentence.text, "prefixes_ask", 0.25)
        sentence = sentence.shifted(moved)
        about = None if subject.is_user or sentence.subject is None else (0, sentence.subject)
        return Example(text, "ask", mode=mode, slot=slot.name, subject=about, value=sentence.value)

    def follow_up(self, slot: Slot, subject: Subject) -> Example:
        """ "and my brother?" after a question about somebody else."""
        template = self.rng.choice(
            [
                "what about [S]?",
                "and [S]?",
                "how about [S's]?",
                "and [S's]?",
                "what about [S's]?",
                "same for [S]?",
                "[S]?",
            ]
            + ["and for [S]?", "ok and [S]", "what of [S]?", "and what about [S]"]
        )
        other = self.subject_for(slot)
        context = self.fill(self.rng.choice(slot.asks), slot, other).text
        sentence = compose(template, subject)
        about = (0, sentence.subject) if sentence.subject else None
        return Example(sentence.text, "ask", context, slot=slot.name, subject=about)

    def generic_question(self) -> Example:
        template = self.rng.choice(self.packs.acts["ask_generic"])
        slot = self.personal_slot()
        subject = self.subject_for(slot, third=0.85)
        sentence = self.fill(template, slot, subject)
        about = (0, sentence.subject) if sentence.subject else None
        return Example(sentence.text, "ask", mode="list", subject=about, value=sentence.value)

    def correction(self) -> Example:
        rng = self.rng
        slot = rng.choice(self.changing)
        subject = self.subject_for(slot)
        if rng.random() < 0.5:
            sentence = self.fill(rng.choice(slot.changes), slot, subject)
            if sentence.value is None:
                return self.correction()
            fact = self.label(slot, sentence, subject, None)
            text, moved = self.wrap(sentence.text, "prefixes_state", 0.2)
            return Example(text, "correct", facts=(_shift(fact, moved),))
        asked = rng.random() < 0.25
        earlier = self.fill(rng.choice(slot.asks if asked else slot.states), slot, subject)
        given = None if subject.is_user or earlier.subject is None else (1, earlier.subject)
        sentence = self.fill(rng.choice(self.packs.acts["correct_generic"]), slot, subject, pronoun=True)
        if sentence.value is None:
            return self.correction()
        return Example(sentence.text, "correct", earlier.text, facts=(self.label(slot, sentence, subject, given),))

    def forgetting(self) -> Example:
        rng = self.rng
        slot = self.slot()
        subject = self.subject_for(slot)
        if slot.forgets and rng.random() < 0.65:
            sentence = self.fill(rng.choice(slot.forgets), slot, subject)
            about = None if subject.is_user or sentence.subject is None else (0, sentence.subject)
            return Example(sentence.text, "forget", slot=slot.name, subject=about, value=sentence.value)
        template = rng.choice(self.packs.acts["forget_generic"])
        sentence = self.fill(template, slot, subject)
        about = None if subject.is_user or sentence.subject is None else (0, sentence.subject)
        bare = not placeholders(template)
        context = self.state_sentence(slot, subject).text if bare and rng.random() < 0.8 else ""
        mode = forget_mode(template)
        return Example(sentence.text, "forget", context, mode=mode, subject=about, value=sentence.value)

    def calculation(self) -> Example:
        return Example(self.rng.choice(self.packs.acts["calculate"]), "calculate")

    def talk(self) -> Example:
        text = self.rng.choice(self.packs.acts["talk"])
        if self.rng.random() < 0.15:
            text = f"{text} {self.rng.choice(self.packs.acts['suffixes'])}"
        return Example(text, "talk")

    # --- noise ------------------------------------------------------------------------------------------------------

    def noisy(self, example: Example) -> Example:
        """Typos, dropped punctuation and abbreviations, outside of values and subjects; spans follow."""
        protected = [fact.value for fact in example.facts]
        protected += [
            about[1] for about in (example.subject, *(f.subject for f in example.facts)) if about and about[0] == 0
        ]
        protected += [example.value] if example.value else []
        text, move = roughen(example.text, protected, self.rng)

        def moved(about: tuple[int, Span] | None) -> tuple[int, Span] | None:
            return (0, move(about[1])) if about and about[0] == 0 else about

        facts = tuple(replace(f, value=move(f.value), subject=moved(f.subject)) for f in example.facts)
        value = move(example.value) if example.value else None
        return replace(example, text=text, facts=facts, subject=moved(example.subject), value=value)


def forget_mode(text: str) -> str:
    """`list` for a request to forget all there is about somebody, `value` for one thing."""
    return "list" if re.search(r"everything|\ball\b|anything", text) else "value"


def _shift(fact: FactLabel, by: int, *, text_only: bool = True) -> FactLabel:
    start, end = fact.value
    subject = fact.subject
    if text_only and subject is not None and subject[0] == 0:
        subject = (0, (subject[1][0] + by, subject[1][1] + by))
    return replace(fact, value=(start + by, end + by), subject=subject)


def check_labels(example: Example) -> None:
    """Raises AssertionError when a label is outside its vocabulary or its span outside its text."""
    assert example.act in ACTS and example.mode in MODES, example
    for fact in example.facts:
        assert 0 <= fact.value[0] < fact.value[1] <= len(example.text), example
