"""Questions that lean on what was said before become whole, and those that are whole stay as they are."""

from __future__ import annotations

import pytest

from memagent.models.follow_ups import FollowUps
from memagent.models.understanding import Understanding

CAT = "what's my cat's name?"


@pytest.fixture(scope="module")
def understanding() -> Understanding:
    return Understanding()


@pytest.fixture(scope="module")
def follow_ups(understanding: Understanding) -> FollowUps:
    return FollowUps(understanding.read)


@pytest.mark.parametrize(
    ("said", "before", "meant"),
    [
        ("where did she live?", ["where does my sister work?"], "where did my sister live?"),
        ("and what's her name?", ["how old is my sister?"], "and what's my sister's name?"),
        ("how old is he?", ["what breed is he?", CAT], "how old is my cat?"),
        ("how old is he?", [], "how old is he?"),
        ("how old is my cat?", [CAT], "how old is my cat?"),
        ("he is eleven", [CAT], "he is eleven"),
        (
            "forget what the wife wants for her birthday",
            ["my daughter wants driving lessons for hers"],
            "forget what the wife wants for her birthday",
        ),
        ("what day was it we buried Bertil?", ["I'm writing to his sister."], "what day was it we buried Bertil?"),
        ("who was it among the altos?", ["when is the concert?"], "who was it among the altos?"),
        ("and how much was it?", ["when is the concert?"], "and how much was the concert?"),
    ],
)
def test_a_pronoun_is_put_back(follow_ups: FollowUps, said: str, before: list[str], meant: str) -> None:
    assert follow_ups.named(said, before) == meant


def test_whom_a_pronoun_means_is_not_looked_for_behind_a_change_of_topic(follow_ups: FollowUps) -> None:
    assert follow_ups.named("how old is he?", ["what a day", CAT]) == "how old is he?"


@pytest.mark.parametrize(
    ("said", "whole"),
    [("and Felix?", "what does Felix play?"), ("what about Felix?", "what does Felix play?")],
)
def test_a_bare_subject_takes_the_place_of_the_one_before(
    follow_ups: FollowUps, understanding: Understanding, said: str, whole: str
) -> None:
    before = "what does Mabel play?"
    assert follow_ups.whole(said, understanding.read(said, before), before) == whole


@pytest.mark.parametrize("said", ["where does Felix live?", "who's captain now?", "and Felix's birthday?"])
def test_a_question_that_asks_for_something_itself_stays(
    follow_ups: FollowUps, understanding: Understanding, said: str
) -> None:
    before = "what does Mabel play?"
    assert follow_ups.whole(said, understanding.read(said, before), before) == said


def test_a_question_that_names_nothing_leans_on_the_one_before(follow_ups: FollowUps) -> None:
    assert follow_ups.leans("and before that?", "what was my rent last year?")
    assert not follow_ups.leans("and before that?", "")
    assert not follow_ups.leans("where does Felix live these days?", "what was my rent last year?")


TODAY = "what have I got on today?"


@pytest.mark.parametrize(
    ("said", "before", "times", "meant"),
    [
        ("and tomorrow?", TODAY, ["tomorrow", "today"], "what have I got on tomorrow?"),
        ("and on sunday?", "what is planned?", ["on sunday"], "what is planned on sunday?"),
        ("anything on the 18th?", TODAY, ["the 18th", "today"], "what have I got on the 18th?"),
        ("is Ana coming tomorrow?", TODAY, ["tomorrow", "today"], None),
        ("and Ana?", TODAY, ["today"], None),
        ("and tomorrow?", "", ["tomorrow"], None),
        ("and tomorrow?", "I was at the dentist today", ["tomorrow", "today"], None),
    ],
)
def test_a_bare_time_takes_the_place_of_the_one_before(
    follow_ups: FollowUps, said: str, before: str, times: list[str], meant: str | None
) -> None:
    assert follow_ups.at_another_time(said, before, times) == meant
