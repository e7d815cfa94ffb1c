"""What a message that tells something is written as; how it was understood is given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memagent.models.drafts import Write, plan_writes
from memagent.models.enumerations import listed
from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import Reference, Understanding, Understood, Value
from tests.models.scripted_reading import fact


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


def told(text: str, *values: str, slots: str = "", single: bool = False, subject: str = "") -> Understood:
    """A statement with these values; `slots` are theirs in order, with commas, "-" for none."""
    names = slots.split(",") if slots else ["-"] * len(values)
    about = (
        Reference(subject, "text", (text.index(subject), text.index(subject) + len(subject)), 0.9) if subject else None
    )
    found = []
    for words, name in zip(values, names, strict=True):
        span = (text.index(words), text.index(words) + len(words))
        slot, sure = (OTHER_SLOT, 0.9) if name == "-" else (name, 0.9)
        found.append(Value(span, words, 0.9, about, slot, sure, "fact", single))
    return Understood(text, "state", 0.99, {"state": 0.99}, "value", tuple(found), None, OTHER_SLOT, 0.0)


def written(understanding: Understanding, understood: Understood) -> list[tuple[str, str, str, bool]]:
    writes: list[Write] = plan_writes(understanding, understood, [], "")
    return [(write.subject, write.attribute, write.value, write.several) for write in writes]


def test_an_enumeration_is_one_list_under_the_words_before_it(understanding: Understanding) -> None:
    said = told(
        "at the top table we have Rosalind, uncle Cuthbert and the Bartons", "Rosalind", "uncle Cuthbert", "Bartons"
    )
    found = written(understanding, said)
    assert [value for _, _, value, _ in found] == ["Rosalind", "uncle Cuthbert", "Bartons"]
    assert {(subject, attribute, several) for subject, attribute, _, several in found} == {
        ("user", "at the top table we have", True)
    }


def test_a_slot_that_is_sure_for_one_holds_for_the_list(understanding: Understanding) -> None:
    said = told(
        "I speak Slovene, Italian & German", "Slovene", "Italian", "German", slots="languages spoken,-,languages spoken"
    )
    assert {attribute for _, attribute, _, _ in written(understanding, said)} == {"languages spoken"}


def test_values_of_other_slots_beside_each_other_are_no_list(understanding: Understanding) -> None:
    said = told("I'm 34, vegan and left-handed", "34", "vegan", "left-handed", slots="age,diet,-", single=True)
    assert all(member.lead is None for member in listed(said))
    attributes = [attribute for _, attribute, _, _ in written(understanding, said)]
    assert attributes[:2] == ["age", "diet"] and len(set(attributes)) == 3


def test_values_with_words_between_them_are_no_list(understanding: Understanding) -> None:
    said = told("the flight is at 14:05 from gate B7, seat 22C", "14:05", "B7", "22C")
    assert all(member.lead is None for member in listed(said))
    assert len({attribute for _, attribute, _, _ in written(understanding, said)}) == 3


def test_a_correction_takes_the_place_of_the_value_that_looks_like_it(understanding: Understanding) -> None:
    flight = "flying to Faro on the 26th, leaves 06:40"
    facts = [fact(flight, "flying to Faro", "26th", id=1), fact(flight, "leaves", "06:40", id=2)]
    text = "our Faro one goes at 09:55 instead"
    (write,) = plan_writes(understanding, replace(told(text, "09:55", single=True), act="correct"), facts, flight)
    assert (write.replaces, write.attribute, write.value) == (2, "leaves", "09:55")


def test_a_list_of_somebody_else_is_theirs(understanding: Understanding) -> None:
    said = told("my husband speaks Croatian and Czech", "Croatian", "Czech", subject="my husband")
    assert {(subject, several) for subject, _, _, several in written(understanding, said)} == {("husband", True)}


def test_what_was_found_as_one_value_of_a_list_is_split_at_its_commas(understanding: Understanding) -> None:
    said = told("countries so far: Albania, Georgia, Armenia", "Albania", "Georgia, Armenia")
    assert [value for _, _, value, _ in written(understanding, said)] == ["Albania", "Georgia", "Armenia"]
    alone = told("we live at 14 Orchard Row, Leith", "14 Orchard Row, Leith")
    assert [value for _, _, value, _ in written(understanding, alone)] == ["14 Orchard Row, Leith"]


def test_whom_a_value_is_about_is_no_value_itself(understanding: Understanding) -> None:
    said = told("a telescope for Malachi", "telescope", "Malachi", subject="Malachi")
    assert [(subject, value) for subject, _, value, _ in written(understanding, said)] == [("Malachi", "telescope")]
