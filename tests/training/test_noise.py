"""Noise roughens a text and leaves what is labelled as it is."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from memagent.training.noise import SHORT, SPELLINGS, roughen

WORDS = [
    *SHORT,
    *(british for british, _ in SPELLINGS),
    "Ana's",
    "Hartnell,",
    "boiler",
    "7-1-9-4",
    "it's,",
    "é'à",
    "ok?",
]


@st.composite
def protected_texts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    words = draw(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), min_size=1, max_size=14))
    text = " ".join(words) + draw(st.sampled_from(["", ".", "!", "?"]))
    bounds = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
    return text, [(low, high) for low, high in zip(bounds[::2], bounds[1::2], strict=False)]


@given(protected_texts(), st.integers(0, 2**32))
def test_protected_spans_survive_exactly(given_text: tuple[str, list[tuple[int, int]]], seed: int) -> None:
    text, protected = given_text
    rough, move = roughen(text, protected, random.Random(seed))
    moved = [move(span) for span in protected]
    for (low, high), (start, end) in zip(protected, moved, strict=True):
        assert rough[start:end] == text[low:high]
    assert moved == sorted(moved)


@given(protected_texts(), st.integers(0, 2**32))
def test_a_text_that_is_all_protected_does_not_change(given_text: tuple[str, object], seed: int) -> None:
    text = given_text[0]
    rough, move = roughen(text, [(0, len(text))], random.Random(seed))
    assert rough == text and move((0, len(text))) == (0, len(text))


def test_the_same_seed_gives_the_same_noise_and_seeds_differ() -> None:
    text = "please remember that my neighbour's favourite colour is green, and don't forget about it."
    rough = [roughen(text, [], random.Random(seed))[0] for seed in range(60)]
    assert rough == [roughen(text, [], random.Random(seed))[0] for seed in range(60)]
    assert len(set(rough)) > 20 and text in rough
