"""Hand-written lines with other words: what answers still answers, and what a label says still holds."""

from __future__ import annotations

import random

import pytest

from memagent.training import vary
from memagent.training.examples import Example, FactLabel, check_labels
from memagent.training.packs import load_packs
from memagent.training.reading import Group, Window
from memagent.training.vary import Variations
from memagent.training.written import load_hops, load_messages, load_readings

NAMES = load_packs().pools["person_name"]


@pytest.fixture
def smooth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without typos."""
    monkeypatch.setattr(vary, "ROUGH", 0.0)


def varied(seed: int) -> Variations:
    return Variations(NAMES, random.Random(seed))


def test_answers_of_varied_groups_are_words_of_their_windows() -> None:
    groups = [*load_readings(), *load_hops()]
    variations = varied(1)
    for group in groups:
        other = variations.group(group, groups)
        assert [w.kind for w in other.windows].count("span") == [w.kind for w in group.windows].count("span")
        for window in other.windows:
            if window.answer is not None:
                words = window.text[window.answer[0] : window.answer[1]]
                assert words and words == words.strip(), (group, other)


@pytest.mark.usefixtures("smooth")
def test_a_word_is_exchanged_alike_in_question_and_windows() -> None:
    group = Group(
        "what does my niece play?", (Window("my niece plays 12 drums", "span", (15, 23)), Window("my aunt sings"))
    )
    seen = set()
    for seed in range(60):
        other = varied(seed).group(group, [group])
        told = next(window for window in other.windows if window.answer is not None)
        relative = told.text.split()[1]
        seen.add(relative)
        assert relative in other.question and "drums" in told.text[slice(*told.answer)], other
    assert len(seen) > 3


@pytest.mark.usefixtures("smooth")
def test_a_relative_that_only_the_question_names_stays() -> None:
    group = Group("who is my sister married to?", (Window("my brother in law is Ivo", "span", (21, 24)),))
    for seed in range(40):
        assert "sister" in varied(seed).group(group, [group]).question


def test_years_stay_and_other_numbers_keep_their_length() -> None:
    group = Group("code?", (Window("since 1998 the code is 0451", "span", (23, 27)),))
    codes = set()
    for seed in range(40):
        text = varied(seed).group(group, [group]).windows[0].text
        assert "1998" in text
        codes.add(text.split()[-1].rstrip("."))
    assert len(codes) > 5 and all(len(code) == 4 and code.isdigit() for code in codes)


def test_varied_messages_keep_their_labels() -> None:
    variations = varied(2)
    messages = load_messages()
    changed = 0
    for message in messages:
        other = variations.message(message)
        check_labels(other)
        changed += other.text != message.text
        assert [fact.slot for fact in other.facts] == [fact.slot for fact in message.facts]
    assert changed > len(messages) / 10


def test_a_relative_stays_where_the_slot_says_which_one_it_is() -> None:
    fact = FactLabel((18, 21), None, "sister", "fact", True)
    message = Example("my sister is named Ana", "state", facts=(fact,))
    for seed in range(40):
        assert varied(seed).message(message).text.startswith("my sister")
