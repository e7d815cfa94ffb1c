"""A message is understood sentence by sentence; nothing of it is lost in the cutting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.models.sentences import FEWEST_WORDS, MOST_SENTENCES, split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the boiler is old", ["the boiler is old"]),
        ("The boiler is old. Who looks after it?", ["The boiler is old.", "Who looks after it?"]),
        ("No. The boiler is fine now.", ["No. The boiler is fine now."]),
        ("The boiler is fine now. Thanks!", ["The boiler is fine now. Thanks!"]),
        ("My dentist is Dr. Soto on Elm St. near the park.", ["My dentist is Dr. Soto on Elm St. near the park."]),
        ("I work with J. Smith every day. He is kind to me.", ["I work with J. Smith every day.", "He is kind to me."]),
        ("one two three\nfour five six\n\nseven eight nine", ["one two three", "four five six", "seven eight nine"]),
        ('She said "call me Bea." I always do that.', ['She said "call me Bea."', "I always do that."]),
        ("it costs 12.50 at the shop. that is cheap", ["it costs 12.50 at the shop.", "that is cheap"]),
        ("hi", ["hi"]),
        ("ok. hm. so. yes", ["ok. hm. so. yes"]),
    ],
)
def test_where_a_message_is_cut(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


@given(st.text(st.sampled_from("abI .!?\n\"'()é"), min_size=1, max_size=300).filter(lambda text: bool(text.strip())))
def test_no_word_is_lost_added_or_moved(text: str) -> None:
    sentences = split_sentences(text)
    assert " ".join(sentences).split() == text.split()
    assert 1 <= len(sentences) <= MOST_SENTENCES
    assert all(sentence == sentence.strip() and sentence for sentence in sentences)


@given(st.text(max_size=200).filter(lambda text: bool(text.strip())))
def test_any_text_keeps_its_words(text: str) -> None:
    assert " ".join(split_sentences(text)).split() == text.split()


def test_a_long_message_ends_in_one_long_piece() -> None:
    text = " ".join(f"This is sentence {number}." for number in range(40))
    sentences = split_sentences(text)
    assert len(sentences) == MOST_SENTENCES
    assert sentences[0] == "This is sentence 0." and sentences[-1].endswith("This is sentence 39.")


def test_every_piece_of_several_has_enough_words() -> None:
    text = "Well. I moved to Porto. Oh! And I have a cat now. Yes. Her name is Mina."
    sentences = split_sentences(text)
    assert len(sentences) == 3 and all(len(sentence.split()) >= FEWEST_WORDS for sentence in sentences)
