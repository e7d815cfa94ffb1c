"""Near misses and rewordings: what answers still answers, and nothing answers what is asked of something else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.training import alike
from memagent.training.alike import Likes, NearMisses, load_bank
from memagent.training.read import families_of
from memagent.training.reading import Group, Window
from memagent.training.written import load_readings

VET = Group("who is our vet?", (Window("a vet called Simone took him on", "span", (13, 19)),))
BANK = {"vet": Likes(("groomer", "undertaker"), ("animal doctor",))}


def drawn(group: Group, bank: dict[str, Likes] = BANK, seeds: int = 80) -> list[list[Group]]:
    return [NearMisses(bank, random.Random(seed)).family([group]) for seed in range(seeds)]


def said(group: Group) -> list[str]:
    return [w.text[slice(*w.answer)] for w in group.windows if w.answer is not None]


def test_the_question_of_another_thing_of_the_kind_is_answered_by_nothing() -> None:
    near = [missed for family in drawn(VET) for missed in family[1:]]
    assert {missed.question for missed in near} >= {"who is our groomer?", "who is our undertaker?"}
    assert not any(said(missed) for missed in near)


def test_a_word_exchanged_everywhere_or_for_one_that_means_the_same_leaves_the_answer() -> None:
    kept = [family[0] for family in drawn(VET)]
    assert all(said(group) == ["Simone"] for group in kept)
    texts = {(group.question, group.windows[0].text) for group in kept}
    assert ("who is our undertaker?", "an undertaker called Simone took him on") in texts
    assert ("who is our animal doctor?", "a vet called Simone took him on") in texts
    assert ("who is our vet?", "an animal doctor called Simone took him on") in texts


def test_no_near_miss_asks_for_what_is_told_by_another_name() -> None:
    bank = {**BANK, "groomer": Likes((), ("dog salon",))}
    group = Group(VET.question, (*VET.windows, Window("the dog salon is Tess")))
    near = {missed.question for family in drawn(group, bank) for missed in family[1:]}
    assert near == {"who is our undertaker?"}


def test_what_is_asked_of_me_was_not_told_of_somebody_else_and_the_other_way_round() -> None:
    mine = Group("what colour is my car?", (Window("my car is teal", "span", (10, 14)),))
    near = {missed.question for family in drawn(mine, {}, 400) for missed in family[1:]}
    assert len(near) > 5 and all(
        question.startswith("what colour is my ") and "'s car?" in question for question in near
    )
    his = Group("what colour is my brother's car?", mine.windows)
    assert {m.question for family in drawn(his, {}, 400) for m in family[1:]} == {"what colour is my car?"}


def test_what_nothing_answers_has_no_near_miss() -> None:
    silent = Group(VET.question, (Window(VET.windows[0].text),))
    assert all(len(family) == 1 for family in drawn(silent))


def test_answers_stay_words_of_their_windows_in_all_hand_written_groups() -> None:
    near = NearMisses(load_bank(), random.Random(3))
    missed = answered = 0
    for family in families_of(load_readings()):
        found = near.family(family)
        for before, after in zip(family, found, strict=False):
            assert len(said(after)) == len(said(before))
            assert all(words and words == words.strip() for words in said(after)), after
            answered += bool(said(after))
        assert not any(said(group) for group in found[len(family) :])
        missed += len(found) - len(family)
    assert 0.2 * answered < missed < alike.MISSED * answered


def test_a_line_of_another_form_says_which_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "alike.jsonl"
    file.write_text('{"word": "vet", "other": ["groomer"], "same": []}\n{"word": "cat"}\n', encoding="utf-8")
    monkeypatch.setattr(alike, "BANK", file)
    load_bank.cache_clear()
    try:
        with pytest.raises(InputError, match=r"alike.jsonl, line 2"):
            load_bank()
    finally:
        load_bank.cache_clear()
