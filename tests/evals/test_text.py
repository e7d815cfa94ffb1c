"""Expectations are met by whole words, codes and numbers, whatever the case, accents and punctuation around them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.evals.text import folded, occurs


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("São Paulo!", "sao paulo"),
        ("“Hartnell”, they said", "hartnell they said"),
        ("It’s 7-1-9-4.", "it's 7-1-9-4"),
        ("half-past  NINE", "half past nine"),
        ("£12.50 (about)", "£12.50 about"),
        ("9:30?", "9:30"),
        ("10–12 people", "10-12 people"),
        ("e.g. AT&T", "e g at t"),
        ("it was −5", "it was -5"),
        ("...", ""),
    ],
)
def test_comparison_ignores_case_accents_and_outer_punctuation(left: str, right: str) -> None:
    assert folded(left) == folded(right) == right


@pytest.mark.parametrize(
    ("left", "right"),
    [("7-1-9-4", "7194"), ("12.50", "1250"), ("Ana", "Bea"), ("10%", "10"), ("31,400", "31400"), ("-5", "5")],
)
def test_what_stands_inside_codes_and_numbers_counts(left: str, right: str) -> None:
    assert folded(left) != folded(right)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once) == once and once == once.strip() and "  " not in once


@given(st.text(max_size=30), st.text(alphabet="ab c1.,-'£", max_size=30), st.text(max_size=30))
def test_a_text_occurs_between_spaces_in_another_wherever_it_has_words(left: str, words: str, right: str) -> None:
    assert occurs(words, f"{left} {words} {right}") == bool(folded(words))


@pytest.mark.parametrize(
    ("wanted", "reply"),
    [
        ("40", "40 people"),
        ("40", "It is 40."),
        ("40", "the 40th"),
        ("40", "£40, I think"),
        ("25", "25mg"),
        ("7", "at 7pm"),
        ("783", "WF-783"),
        ("9", "a 9-year-old"),
        ("5", "5%"),
        ("-5", "it was -5 C"),
        ("12 March", "Thursday 12 March 2026"),
        ("Hartnell", "Hartnell's"),
        ("weld", "Welder; you told me"),
        ("skateboard", "skateboarding"),
        ("fig roll", "Fig rolls (you told me)"),
        ("half past nine", "half-past nine"),
        ("flat white", "a flat\nwhite"),
        ("são", "SAO"),
        ("trampolin", "trampolines"),
        ("16 Feb", "16 February 2026"),
        ("Sept", "in September"),
        ("Thursday", "on Thu."),
        ("N 1/2", "N ½"),
    ],
)
def test_whole_tokens_are_found(wanted: str, reply: str) -> None:
    assert occurs(wanted, reply)


@pytest.mark.parametrize(
    ("wanted", "reply"),
    [
        ("40", "4"),
        ("40", "140"),
        ("40", "400"),
        ("40", "40.5"),
        ("40", "3.40"),
        ("40", "10:40"),
        ("40", "1,400"),
        ("40", "40k"),
        ("40", "WF40"),
        ("4", "7-1-9-4"),
        ("7194", "7-1-9-4"),
        ("12", "2026-03-12"),
        ("5", "-5 degrees"),
        ("0862", "862"),
        ("9", "9B"),
        ("Ted", "I started"),
        ("Ana", "banana"),
        ("Ben", "Bentley"),
        ("Pete", "Peter"),
        ("eight", "eighteen"),
        ("yes", "yesterday"),
        ("Mark", "in March"),
        ("seven", "seventy"),
        ("Sun", "sunk"),
        ("flat white", "a flat, and white walls"),
        ("?", "what?"),
        ("", "anything"),
    ],
)
def test_parts_of_words_codes_and_numbers_are_not(wanted: str, reply: str) -> None:
    assert not occurs(wanted, reply)
