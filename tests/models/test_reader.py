"""The reader finds the words that answer, and does no work twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memagent.models.reader import Answer, Reader

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


def test_a_window_that_was_read_is_not_read_again(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Sequence[str]] = []
    run = reader._read

    def noted(question: str, windows: Sequence[str]) -> list[Answer]:
        read.append(windows)
        return run(question, windows)

    monkeypatch.setattr(reader, "_read", noted)
    first = reader.read("who services the boiler?", WINDOWS[:2])
    second = reader.read("who services the boiler?", [*WINDOWS[1::-1], "the boiler is old"])
    assert read == [WINDOWS[:2], ["the boiler is old"]]
    assert second[:2] == first[::-1]
    reader.read("is the boiler old?", WINDOWS[:1])
    assert len(read) == 3, "another question is another reading"


def test_what_is_kept_is_bounded(reader: Reader) -> None:
    for number in range(4):
        reader.read(QUESTION, [f"note {number}, line {line}" for line in range(50)])
    assert len(reader._recent) <= 250


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
