"""Question and window pairs for *read*: composed from the packs, with near misses, and from public sets where they are given."""

from __future__ import annotations

import random
from dataclasses import dataclass

from memagent.training.compose import Sentence, Span, Subject
from memagent.training.examples import Composer
from memagent.training.noise import roughen
from memagent.training.packs import Slot


@dataclass(frozen=True)
class Reading:
    """A question and one earlier message. `answer` is the span in `window`; None when it does not say (`kind` none)."""

    question: str
    window: str
    kind: str
    answer: Span | None = None


def draw_reading(composer: Composer) -> Reading:
    """One pair; a bit over half cannot be answered, nearly all of those being near misses."""
    rng = composer.rng
    slot = composer.slot()
    subject = composer.subject_for(slot)
    value = composer.packs.value(slot, rng)
    question, kind, wanted = _question(composer, slot, subject, value)
    roll = rng.random()
    if roll < 0.46:
        templates = slot.states + (slot.changes if rng.random() < 0.4 else ())
        statement = _stated(composer, rng.choice(templates), slot, subject, wanted)
        if wanted_time(question, slot) and statement.when is not None:
            return _finish(composer, question, statement, "span", statement.when)
        return _finish(composer, question, statement, kind, statement.value)
    if roll < 0.66:
        statement = _of_other_subject(composer, slot, subject)
    elif roll < 0.92:
        statement = _of_other_slot(composer, slot, subject)
    else:
        return _finish(composer, question, Sentence(composer.unrelated()), "none", None)
    return _finish(composer, question, statement, "none", None)


def _stated(composer: Composer, template: str, slot: Slot, subject: Subject, value: str) -> Sentence:
    """A statement; at times by pronoun, with the subject in front as the program shows facts whose words do not name it."""
    if subject.is_user or slot.subjects != ("person",) or composer.rng.random() > 0.2:
        return composer.fill(template, slot, subject, value=value)
    sentence = composer.fill(template, slot, subject, value=value, pronoun=True)
    lead = f"{subject.words}: "
    moved = sentence.shifted(len(lead))
    return Sentence(lead + sentence.text, moved.value, None, moved.old, moved.when)


def wanted_time(question: str, slot: Slot) -> bool:
    return bool(slot.whens) and question.lower().startswith(("when", "what day", "which day", "what date"))


def _question(composer: Composer, slot: Slot, subject: Subject, value: str) -> tuple[str, str, str]:
    """A question, the kind of its answer, and the value its evidence must have."""
    rng = composer.rng
    sources = [
        ("span", slot.asks, 6.0),
        ("span", slot.whens, 1.5),
        ("span", slot.lists, 2.0),
        ("span", slot.befores, 1.0),
    ]
    sources += [("yesno", slot.yesnos, 2.0), ("span", slot.forgets, 1.0)]
    sources = [source for source in sources if source[1]]
    kind, templates, _ = rng.choices(sources, [weight for _, _, weight in sources])[0]
    sentence = composer.fill(rng.choice(templates), slot, subject, value=value)
    text, _ = composer.wrap(sentence.text, "prefixes_ask", 0.2)
    if kind == "yesno":
        other = composer.packs.value(slot, rng)
        if rng.random() < 0.5 and other != value and slot.single:
            return text, "no", other
        return text, "yes", value
    return text, kind, value


def _of_other_subject(composer: Composer, slot: Slot, subject: Subject) -> Sentence:
    for _ in range(20):
        other = composer.subject_for(slot, third=0.7)
        if other.words != subject.words or other.is_user != subject.is_user:
            return composer.state_sentence(slot, other)
    return _of_other_slot(composer, slot, subject)


def _of_other_slot(composer: Composer, slot: Slot, subject: Subject) -> Sentence:
    rng = composer.rng
    fitting = [other for other in composer.packs.slots if other is not slot and other.subjects == slot.subjects]
    alike = [other for other in fitting if other.values == slot.values] or fitting
    pool = alike if alike and rng.random() < 0.5 else composer.packs.slots
    other = rng.choice([candidate for candidate in pool if candidate is not slot])
    about = subject if other.subjects == slot.subjects else composer.subject_for(other)
    return composer.state_sentence(other, about)


def _finish(composer: Composer, question: str, window: Sentence, kind: str, answer: Span | None) -> Reading:
    """Noise on both sides, and at times more statements around the one that counts."""
    rng = composer.rng
    text, protected = window.text, [answer] if answer else []
    if kind != "none" and answer is None:
        return draw_reading(composer)
    if rng.random() < 0.3:
        extra_slot = composer.slot()
        extra = composer.state_sentence(extra_slot, composer.subject_for(extra_slot)).text
        joint = rng.choice([". ", ", ", " and ", "; ", ". oh and "])
        if rng.random() < 0.5 or answer is None:
            text = f"{text.rstrip('.')}{joint}{extra}"
        else:
            before = f"{extra.rstrip('.')}{joint}"
            text = before + text
            protected = [(answer[0] + len(before), answer[1] + len(before))]
    if rng.random() < 0.25:
        prefix = rng.choice(composer.packs.acts["prefixes_state"]).strip() + " "
        text = prefix + text
        protected = [(start + len(prefix), end + len(prefix)) for start, end in protected]
    window_text, move = roughen(text, protected, rng)
    asked, _ = roughen(question, [], rng)
    return Reading(asked, window_text, kind, move(protected[0]) if protected else None)


class Mixture:
    """Readings from the packs and, with the given share, from public sets."""

    def __init__(self, composer: Composer, public: list[Reading], share: float) -> None:
        self.composer = composer
        self.public = public
        self.share = share if public else 0.0
        self.rng = random.Random(composer.rng.random())

    def draw(self) -> Reading:
        if self.rng.random() < self.share:
            return self.rng.choice(self.public)
        return draw_reading(self.composer)
