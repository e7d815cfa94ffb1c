"""When two names may mean the same, and what the reader gets to read of a hit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.models.evidence import USER, Evidence, content_words, plain_subject, same_subject, told_elsewhere


def fact(**fields: Any) -> Evidence:
    data = {"id": 3, "kind": "fact", "text": "she moved to Porto", "subject": "sister Ana", "attribute": "home city"}
    data |= {"value": "Porto", "score": 0.7, "said_at": "2026-03-02T09:00:00+00:00", "date": "2 March 2026"}
    return Evidence(data | fields)


@pytest.mark.parametrize(
    ("words", "stored"),
    [
        ("my sister Ana", "sister Ana"),
        ("Ana", "Ana"),
        ("our the boiler", "boiler"),
        ("My Mum", "Mum"),
        ("my", USER),
        ("", USER),
        ("the  big   dog", "big dog"),
    ],
)
def test_a_subject_is_stored_without_its_determiners(words: str, stored: str) -> None:
    assert plain_subject(words) == stored


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("user", "user", True),
        ("Lubos", "Lubo", True),
        ("my exs", "ex", True),
        ("Chris", "Chri", False),
        ("the bus", "bu", False),
        ("user", "sister Ana", False),
        ("sister Ana", "user", False),
        ("sister", "sister Ana", True),
        ("Ana", "my sister ana", True),
        ("Ana's", "Ana", True),
        ("brother", "sister", False),
        ("the", "the", False),
    ],
)
def test_subjects_that_share_a_naming_word_may_be_the_same(left: str, right: str, same: bool) -> None:
    assert same_subject(left, right) is same


def test_an_alias_joins_two_names() -> None:
    aliases = {"sister": "Ana"}
    assert same_subject("my sister", "Ana", aliases)
    assert not same_subject("my brother", "Ana", aliases)
    assert not same_subject("my sister", "user", aliases)


@given(st.text(max_size=30), st.text(max_size=30))
def test_sharing_a_name_goes_both_ways(left: str, right: str) -> None:
    assert same_subject(left, right) == same_subject(right, left)
    assert same_subject(left, left) == (left == USER or bool(content_words(left)))
    assert plain_subject(plain_subject(left)) == plain_subject(left)


def test_a_fact_names_its_subject_to_the_reader_where_its_words_do_not() -> None:
    assert fact().window == "sister Ana: she moved to Porto"
    assert fact(text="my sister Ana moved to Porto").window == "my sister Ana moved to Porto"
    assert fact(subject="user", text="I moved to Porto").window == "I moved to Porto"
    assert fact(kind="message").window == "she moved to Porto"


def test_what_a_message_hit_lacks_is_empty() -> None:
    said = Evidence({"id": "2", "kind": "message", "text": "hi", "score": 1, "said_at": "x", "date": "today"})
    assert (said.number, said.is_fact, said.current) == (2, False, True)
    assert (said.subject, said.attribute, said.value) == ("", "", "")
    assert not fact(current=False).current


def test_only_a_message_s_own_sentences_are_told_by_it() -> None:
    tea, club = fact(text="I like tea"), fact(text="heading out to book club!")
    text = "Heading out to book club! Whose place is it, and did I say that I like tea?"
    assert told_elsewhere([tea, club], text) == [tea]
    assert told_elsewhere([club], text) == [club]
