"""Whom a question is about, by which other names, and which names an answer must know."""

from __future__ import annotations

import pytest

from memagent.models.asked_about import alias_names, of_another, of_somebody_else, subject_of, with_names
from memagent.models.evidence import USER
from memagent.models.judging import Question
from tests.models.scripted_reading import fact, message, understood


@pytest.mark.parametrize(
    ("question", "subject", "slot", "about"),
    [
        ("which bank am I with?", "", "bank", USER),
        ("the previous bank, which one was that?", "the previous bank", "bank", USER),
        ("what was my old job?", "my old job", "job", USER),
        ("what does my old boss do?", "my old boss", "job", "old boss"),
        ("where does Ana bank?", "Ana", "bank", "Ana"),
        ("what does the bank charge?", "the bank", "bank", "bank"),
    ],
)
def test_what_only_names_the_slot_at_another_time_is_the_persons(
    question: str, subject: str, slot: str, about: str
) -> None:
    assert subject_of(understood(question, subject=subject, slot=slot)) == about


def asked(question: str, about: str = USER, **aliases: str) -> Question:
    return Question(understood(question), about, aliases, frozenset())


@pytest.mark.parametrize(
    ("question", "about", "told", "other"),
    [
        ("What can't Beatriz and Howard eat?", "Beatriz and Howard", "Beatriz can't eat shellfish", False),
        ("What can't Beatriz and Howard eat?", "Beatriz and Howard", "Horace can't eat shellfish", True),
        ("What was my time in Lisbon?", USER, "I ran Bremen in 1 hour 52", True),
        ("What was my time in Bremen?", USER, "I ran Bremen in 1 hour 52", False),
        ("what was my time in lisbon?", USER, "I ran Bremen in 1 hour 52", False),
        ("When am I on duty in March?", USER, "I'm on duty on the 3rd", False),
        ("What's the Wi-Fi password?", USER, "the wifi password is marmalade", False),
        ("What did Jess and Callum call the baby?", "baby", "the baby's called Isolde", False),
        ("how old is she?", "Thea", "Theo is nine", True),
        ("Where Does My Sister Live?", "My Sister", "she lives in Porto", False),
    ],
)
def test_a_hit_must_know_the_name_that_is_asked_about(question: str, about: str, told: str, other: bool) -> None:
    assert of_another(asked(question, about), message(told)) is other


def test_another_name_of_the_same_one_will_do() -> None:
    told = message("my sister is a nurse")
    assert of_another(asked("what does Ana do?", "Ana"), told)
    assert not of_another(asked("what does Ana do?", "Ana", ana="sister"), told)


def test_what_was_told_together_says_whose_it_is() -> None:
    text = "she lives on Tallow Lane and her boiler is a Vaillant"
    boiler, lane = fact(text, "make", "Vaillant", "boiler"), fact(text, "street", "Tallow Lane", "Mrs Dunmore")
    question = asked("what make is Mrs Dunmore's boiler?", "Mrs Dunmore")
    assert of_another(question, boiler) and not of_another(question, boiler, [boiler, lane])


def test_other_names_go_both_ways_and_come_from_current_facts() -> None:
    sister = fact("my sister is Ana", "sister", "Ana")
    gone = fact("my sister is Ana", "sister", "Ana", current=False)
    hers = understood("where does my sister live?", subject="my sister")
    porto = fact("I live in Porto", "home city", "Porto")
    assert alias_names(hers, [porto, sister]) == {"sister": "Ana"}
    assert alias_names(understood("where does Ana live?", subject="Ana"), [porto, sister]) == {"ana": "sister"}
    assert alias_names(hers, [gone, message("my sister is Ana")]) == {}
    assert alias_names(understood("where do I live?", slot="home city"), [sister]) == {}


@pytest.mark.parametrize(
    ("question", "told", "another"),
    [
        ("what car does my wife drive?", "I drive a Toyota Yaris", True),
        ("what colour is my brother's car?", "my car is turquoise", True),
        ("what car do I drive?", "I drive a Toyota Yaris", False),
        ("what car does my wife drive?", "my wife drives a Yaris", False),
        ("what car does my wife drive?", "she drives a Yaris", False),
        ("what car does my wife drive?", "we drive a Yaris", False),
        ("what's my brother's name?", "Tom is his name", False),
        ("what car does my wife drive?", "Ana drives a Yaris", False),
    ],
)
def test_what_the_person_told_of_themselves_is_not_about_a_relative(question: str, told: str, another: bool) -> None:
    about = "wife" if "wife" in question else ""
    hit = fact(told, "car", told.split()[-1])
    assert of_somebody_else(asked(question, about, wife="Ana"), hit) is another


def test_a_word_that_is_only_known_as_a_name_is_one() -> None:
    told = [message("i have a cousin too, Maisie, shes alright"), message("we bought a new may tree, May did")]
    assert with_names("how old is maisie in may?", told) == "how old is Maisie in may?"
    assert with_names("how old is maisie?", []) == "how old is maisie?"
