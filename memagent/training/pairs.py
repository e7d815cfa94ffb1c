"""Pairs of claims for *match*: does the newer one replace the older, repeat it, or have nothing to do with it?"""

from __future__ import annotations

from dataclasses import dataclass

from memagent.training.compose import Sentence, Span, Subject
from memagent.training.examples import Composer
from memagent.training.noise import roughen
from memagent.training.packs import Slot


@dataclass(frozen=True)
class Pair:
    """Two claims with the character spans of their values, newer first."""

    new: str
    new_value: Span
    old: str
    old_value: Span
    label: str


def draw_pair(composer: Composer) -> Pair:
    """One labelled pair; about half of them unrelated, most of those near misses.

    A value that is told as one more ("as well", "also") replaces nothing, whatever the slot.
    """
    rng = composer.rng
    slot = composer.slot()
    subject = composer.subject_for(slot)
    old_value = composer.packs.value(slot, rng)
    old = composer.state_sentence(slot, subject, value=old_value)
    roll = rng.random()
    if roll < 0.30:
        value = composer.packs.value(slot, rng)
        templates = slot.states + slot.changes * 3
        new = composer.fill(rng.choice(templates), slot, subject, value=value)
        label = "same" if value == old_value else "replaces" if slot.single else "unrelated"
        if label == "replaces" and rng.random() < 0.35:
            new, label = composer.beside(composer.state_sentence(slot, subject, value=value)), "unrelated"
    elif roll < 0.45:
        new, label = composer.state_sentence(slot, subject, value=old_value), "same"
    elif roll < 0.70:
        new, label = _other_subject(composer, slot, subject), "unrelated"
    else:
        new, label = _other_slot(composer, slot, subject), "unrelated"
    if new.value is None or old.value is None:
        return draw_pair(composer)
    return _rough(composer, new, old, label)


def _other_subject(composer: Composer, slot: Slot, subject: Subject) -> Sentence:
    for _ in range(20):
        other = composer.subject_for(slot)
        if other.words != subject.words:
            templates = slot.states + slot.changes
            return composer.fill(composer.rng.choice(templates), slot, other)
    return _other_slot(composer, slot, subject)


def _other_slot(composer: Composer, slot: Slot, subject: Subject) -> Sentence:
    """Another slot of the same subject where one fits, preferably with values of the same kind."""
    rng = composer.rng
    fitting = [other for other in composer.packs.slots if other is not slot and other.subjects == slot.subjects]
    alike = [other for other in fitting if other.values == slot.values] or fitting
    choices = alike if rng.random() < 0.5 and alike else composer.packs.slots
    other = rng.choice([candidate for candidate in choices if candidate is not slot])
    about = subject if other.subjects == slot.subjects else composer.subject_for(other)
    return composer.state_sentence(other, about)


def _rough(composer: Composer, new: Sentence, old: Sentence, label: str) -> Pair:
    assert new.value is not None and old.value is not None
    return noisy_pair(composer, Pair(new.text, new.value, old.text, old.value, label))


def noisy_pair(composer: Composer, pair: Pair) -> Pair:
    """Typos and dropped punctuation outside of the values."""
    new, move_new = roughen(pair.new, [pair.new_value], composer.rng)
    old, move_old = roughen(pair.old, [pair.old_value], composer.rng)
    return Pair(new, move_new(pair.new_value), old, move_old(pair.old_value), pair.label)
