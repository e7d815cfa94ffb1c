"""Small talk is long enough, varied, repeatable, and says nothing that a scenario could ask for."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from memagent.evals.filler import exchanges, small_talk


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize("tokens", [1, 500, 6000])
def test_it_has_as_many_tokens_as_asked_for_and_hardly_more(tokens: int) -> None:
    talk = small_talk(7, tokens, words)
    sizes = [words(exchange.said) + words(exchange.reply) for exchange in talk]
    assert tokens <= sum(sizes) < tokens + sizes[-1] + 1


def test_the_same_seed_gives_the_same_talk() -> None:
    assert small_talk(7, 2000, words) == small_talk(7, 2000, words)
    assert small_talk(7, 2000, words) != small_talk(8, 2000, words)


def test_nobody_says_the_same_thing_twice_in_a_few_hundred_turns() -> None:
    said = [exchange.said for exchange in islice(exchanges(7), 500)]
    assert len(set(said)) >= 495


def test_there_is_nothing_in_it_to_be_asked_for() -> None:
    for exchange in islice(exchanges(7), 2000):
        for text in (exchange.said, exchange.reply):
            assert not re.search(r"\d|[{}]", text)
            assert not re.search(r"(?<![.!?:] )(?<!^)\b(?!I\b)[A-Z]", text), text
            assert not re.search(r"\b[Mm]y name|\bis called\b|\b(sister|brother|mother|father|husband|wife)\b", text)
