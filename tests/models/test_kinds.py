"""What was told of one thing of a kind says nothing about another."""

from __future__ import annotations

import time

import pytest

from memagent.models.kinds import KINDS, load_kinds, of_another_relative, of_another_thing
from memagent.training.written import load_readings


@pytest.mark.parametrize(
    ("question", "told", "another"),
    [
        ("what does my brother do for a living?", "my sister Marisol works as a glazier", True),
        ("what does my sis do for a living?", "my sister Marisol works as a glazier", False),
        ("what does my brother do?", "my brother drives, my sister paints", False),
        ("who repaired our boiler?", "Grantham and Sons repaired our roof last autumn", True),
        ("who repaired our boiler?", "Grantham and Sons were here last autumn", False),
        ("what's our bass player called?", "our drummer is called Zephyrine", True),
        ("what's our bassist called?", "our bass player is called Zephyrine", False),
        ("what make is my telescope?", "my new binoculars are 8x42 Nikons", True),
        ("what time does Maya's school start?", "Maya's school finishes at quarter past three", True),
        ("who are my brothers?", "my brother is Tom", False),
        ("what's my niece called?", "my sister's girl is called Tilda", False),
        ("is it my brother or my sister who paints?", "my sister paints", False),
        ("what's growing in the left bed?", "the right bed is potatoes only", True),
        ("who takes the thursday class?", "monday's class is with Ferreira", True),
        ("who takes the monday class?", "monday's class is with Ferreira", False),
        ("what's on?", "", False),
    ],
)
def test_another_thing_of_the_kind_is_told_from_the_one_asked_about(question: str, told: str, another: bool) -> None:
    assert of_another_thing(question, told) is another


def test_a_relative_is_told_from_other_things() -> None:
    assert of_another_relative("when is my father's birthday?", "My mother's birthday is on 8 November")
    assert not of_another_relative("who repaired our boiler?", "Grantham and Sons repaired our roof")


def test_every_kind_has_members_and_no_member_is_in_it_twice() -> None:
    for line in KINDS.read_text(encoding="utf-8").splitlines():
        names = [name.strip().casefold() for member in line.split("|") for name in member.split("/")]
        assert line.count("|") and all(names) and len(set(names)) == len(names), line
    assert len(load_kinds()) > 5000


def test_few_answers_of_hand_written_lines_are_of_another_thing() -> None:
    """Eight times as many of the questions that nothing answers have a message about another thing."""
    wrong = answered = right = silent = 0
    for group in load_readings():
        told = [window for window in group.windows if window.answer is not None]
        answered += len(told)
        wrong += sum(of_another_thing(group.question, window.text) for window in told)
        if not told:
            silent += 1
            right += any(of_another_thing(group.question, window.text) for window in group.windows)
    assert wrong / answered < 0.01 and right / silent > 0.06


def test_long_hostile_text_takes_no_time() -> None:
    started = time.monotonic()
    of_another_thing("my " * 20_000, "left " * 20_000 + "bass " * 20_000)
    assert time.monotonic() - started < 2
