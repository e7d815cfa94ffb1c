"""The reader finds the words that answer, and does no work twice."""

from __future__ import annotations

import pytest

from memagent.models.encoder import Array, Encoder
from memagent.models.reader import Reader

QUESTION = "what is Ana's favourite colour?"
WINDOWS = ["Ana's favourite colour is green", "the boiler is serviced by Hartnell", "Ana's favourite colour is green"]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def test_the_words_that_answer_are_found_and_where_there_are_none_it_says_so(reader: Reader) -> None:
    told, other, again = reader.read(QUESTION, WINDOWS)
    assert told.words == "green" and WINDOWS[0][told.start : told.end] == "green"
    assert told.probability > 0.5 > other.probability
    assert again == told
    assert reader.read(QUESTION, []) == []


def test_a_window_that_was_read_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    run = Encoder.run

    def noted(encoder: Encoder, ids: Array, *rest: Array) -> Array:
        read.append(len(ids))
        return run(encoder, ids, *rest)

    monkeypatch.setattr(Encoder, "run", noted)
    reader = Reader()
    first = reader.read("who services the boiler?", WINDOWS[:2])
    second = reader.read("who services the boiler?", [*WINDOWS[1::-1], "the boiler is old"])
    assert read == [2, 1]
    assert second[:2] == first[::-1]
    reader.read("is the boiler old?", WINDOWS[:1])
    assert read == [2, 1, 1], "another question is another reading"


def test_words_that_only_repeat_the_question_are_no_answer(reader: Reader) -> None:
    (who,) = reader.read("who do i play badminton with?", ["i play badminton with Harriet on thursdays"])
    assert who.words == "Harriet"
    (brand,) = reader.read("Which brand of clarinet reeds do I use?", ["I play clarinet with the Vandoren reeds."])
    assert "clarinet" not in brand.words
    (nothing,) = reader.read("is it green?", ["it is green"])
    assert nothing.words == "" and nothing.span_probability == 0.0


def test_of_alternatives_that_are_asked_for_one_is_the_answer(reader: Reader) -> None:
    (tea,) = reader.read("does Ana drink tea or coffee?", ["Ana drinks nothing but tea"])
    assert tea.words == "tea"
