"""Templates become sentences whose spans are exactly the words that were put in."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.errors import InputError
from memagent.training.compose import USER, Sentence, Subject, compose, draw_subject
from memagent.training.packs import PLACEHOLDER, check_template, load_packs, placeholders

ANA = Subject("third", "my sister Ana", ("she", "her", "her"))
THEY = Subject("third", "our tenant", ("they", "their", "them"))
FILLINGS = st.text(st.sampled_from("abcXYZ é0-9'"), min_size=1, max_size=12)


def part(sentence: Sentence, name: str) -> str | None:
    span = getattr(sentence, name)
    return None if span is None else sentence.text[span[0] : span[1]]


@pytest.mark.parametrize(
    ("template", "subject", "pronoun", "text"),
    [
        ("[S] [live|lives] in [V]", USER, False, "I live in Porto"),
        ("[S] [live|lives] in [V]", ANA, False, "my sister Ana lives in Porto"),
        ("[S] [live|lives] in [V]", ANA, True, "she lives in Porto"),
        ("[S] [live|lives] in [V]", THEY, True, "they live in Porto"),
        ("[S] [am|is] in [V]", THEY, True, "they are in Porto"),
        ("[S] [am|is] in [V]", USER, False, "I am in Porto"),
        ("[S's] home is [V]", USER, False, "my home is Porto"),
        ("[S's] home is [V]", ANA, False, "my sister Ana's home is Porto"),
        ("put [SO] down for [V]", ANA, True, "put her down for Porto"),
        ("not [OLD], [V] since [W]", USER, False, "not Leeds, Porto since May"),
    ],
)
def test_what_a_template_becomes(template: str, subject: Subject, pronoun: bool, text: str) -> None:
    sentence = compose(template, subject, value="Porto", old="Leeds", when="May", pronoun=pronoun)
    assert sentence.text == text
    assert part(sentence, "value") == "Porto"
    named = None if subject.is_user or pronoun or "[S" not in template else subject.words
    assert part(sentence, "subject") == named


@given(FILLINGS, FILLINGS, FILLINGS, st.integers(0, 10_000))
def test_spans_are_exactly_the_words_put_in(value: str, old: str, when: str, seed: int) -> None:
    rng = random.Random(seed)
    packs = load_packs()
    slot = rng.choice(packs.slots)
    template = rng.choice(slot.states + slot.asks + slot.changes + slot.befores + slot.forgets)
    subject = draw_subject(rng, packs.pools["person_name"])
    sentence = compose(template, subject, value=value, old=old, when=when, pronoun=rng.random() < 0.3)
    for name, words in (("value", value), ("old", old), ("when", when), ("subject", subject.words)):
        assert part(sentence, name) in (None, words)
    inner = placeholders(template)
    assert (sentence.value is None) == ("V" not in inner) and (sentence.old is None) == ("OLD" not in inner)
    assert PLACEHOLDER.search(compose(template, USER, value="v", old="o", when="w").text) is None


def test_a_sentence_moves_with_its_spans() -> None:
    sentence = compose("[S] [live|lives] in [V]", ANA, value="Porto")
    moved = sentence.shifted(4)
    assert moved.value == (sentence.value[0] + 4, sentence.value[1] + 4) if sentence.value else False
    assert moved.old is None and ("so: " + sentence.text)[slice(*moved.value or ())] == "Porto"


def test_subjects_are_drawn_the_same_from_the_same_seed() -> None:
    names = ("Ana", "Ben")
    first = [draw_subject(random.Random(seed), names) for seed in range(50)]
    assert first == [draw_subject(random.Random(seed), names) for seed in range(50)]
    assert len({subject.words for subject in first}) > 20 and not any(subject.is_user for subject in first)


def test_every_template_of_the_packs_uses_known_placeholders_and_holds_what_it_must() -> None:
    packs = load_packs()
    assert len(packs.slots) > 100
    for slot in packs.slots:
        assert slot.states and slot.asks, slot.name
        for template in slot.states:
            assert "V" in placeholders(template), (slot.name, template)
        for template in slot.states + slot.asks + slot.changes + slot.lists + slot.whens:
            check_template(template, slot.name)
    with pytest.raises(InputError, match=r"unknown placeholder \[X\]"):
        check_template("[X] is here", "here")
