"""What is told in one breath is one list, whole: its members, and none that is no member."""

from __future__ import annotations

import time

import pytest

from memagent.models.enumerations import listed
from memagent.models.labels import OTHER_SLOT
from memagent.models.understanding import Understood, Value


def members(text: str, *values: str, single: bool = False) -> list[str]:
    """The members of the list that is found in a text of which these words were found as values."""
    found, at = [], 0
    for words in values:
        at = text.index(words, at)
        found.append(Value((at, at + len(words)), words, 0.9, None, OTHER_SLOT, 0.9, "fact", single))
    said = Understood(text, "state", 0.99, {"state": 0.99}, "value", tuple(found), None, OTHER_SLOT, 0.0)
    return [one.value.words for one in listed(said) if one.lead is not None]


@pytest.mark.parametrize(
    ("text", "values", "found"),
    [
        ("the shortlist is Ulysses, Emma and The Trial", ["Ulysses", "The Trial"], ["Ulysses", "Emma", "The Trial"]),
        ("I sell wax candles, felt hats and prints", ["wax candles", "hats", "prints"], None),
        ("with us sit Gran, Otto and Rosa", ["Otto", "Rosa"], ["Gran", "Otto", "Rosa"]),
        ("to fix: worn tyre, fog light, clutch", ["fog light", "clutch"], ["worn tyre", "fog light", "clutch"]),
        ("we sing the Requiem and two Tallis anthems", ["Requiem", "two Tallis", "anthems"], None),
        ("no milk for Ebba, Kofi and Jan", ["no milk for Ebba", "Kofi", "Jan"], ["Ebba", "Kofi", "Jan"]),
        ("shepherds: Tobiah, Wilf", ["Tobiah, Wilf"], ["Tobiah", "Wilf"]),
    ],
)
def test_what_was_missed_of_an_enumeration_is_found(text: str, values: list[str], found: list[str] | None) -> None:
    whole = {"hats": "felt hats", "two Tallis": "two Tallis anthems", "anthems": ""}
    wanted = found or [words for value in values if (words := whole.get(value, value))]
    assert members(text, *values) == wanted


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("I speak Slovene, my wife German", ["Slovene", "German"]),
        ("she plays cello, collects stamps", ["cello", "stamps"]),
        ("I'm second violin, Xiomara is on the cello", ["second violin", "cello"]),
        ("it takes 100 micrograms, every morning", ["100 micrograms", "every morning"]),
        ("the dentist Tuesday", ["dentist", "Tuesday"]),
    ],
)
def test_two_facts_beside_each_other_are_no_list(text: str, values: list[str]) -> None:
    assert members(text, *values) == []


def test_a_number_in_front_of_which_another_word_stands_is_no_member() -> None:
    assert members("my height is 178, weight 84 kilos", "178", "84 kilos", single=True) == []


def test_one_value_with_a_comma_stays_one_where_only_one_can_hold() -> None:
    assert members("the address is 12 Elm Row, Leeds", "12 Elm Row, Leeds", single=True) == []


@pytest.mark.parametrize("filling", [" " * 50_000, "A" * 50_000 + ")", "Ab " * 20_000, ", " * 20_000, "and " * 15_000])
def test_long_hostile_text_takes_no_time(filling: str) -> None:
    started = time.perf_counter()
    members(f"with us sit {filling}, Otto and Rosa, {filling} and Wilf", "Otto", "Rosa", "Wilf")
    assert time.perf_counter() - started < 1.0
