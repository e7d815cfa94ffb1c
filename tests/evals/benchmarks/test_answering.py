"""From found turns to a short answer, by the shipped models."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memagent.evals.benchmarks.answering import NOT_SAID, Answerer, passage
from memagent.evals.benchmarks.memory import Found

SAID = datetime(2023, 6, 9, 18, 0, tzinfo=UTC)  # a Friday
ASKED = datetime(2023, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return Answerer.shipped()


def turn(text: str, speaker: str, score: float) -> Found:
    return Found(text[:4], "S1", text, speaker, "user", SAID, score)


def test_a_passage_has_its_times_resolved_against_the_day_it_was_said() -> None:
    made = passage(turn("I left the bank last Tuesday.", "Odile", 0.5))
    (time,) = made.times
    assert made.text[time.start : time.end] == "last Tuesday" and time.means == "the Tuesday before 9 June 2023"
    assert time.since == datetime(2023, 6, 6, tzinfo=UTC) and made.said == "9 June 2023"


def test_a_question_is_answered_with_words_of_the_turn_that_answers(answerer: Answerer) -> None:
    found = [
        turn("My brother Jules works as a carpenter in Ghent.", "Odile", 0.9),
        turn("My brother plays the accordion.", "Bram", 0.8),
    ]
    reply = answerer.reply("Where does Odile's brother work?", ASKED, found)
    assert "Ghent" in reply.text and reply.read == range(2)
    assert reply.answer is not None and reply.answer.sources[0].passage == 0


def test_when_is_answered_by_code(answerer: Answerer) -> None:
    found = [turn("I adopted a greyhound last weekend.", "Odile", 0.9), turn("Dogs are great.", "Bram", 0.3)]
    assert answerer.reply("When did Odile adopt a greyhound?", ASKED, found).best == "the weekend before 9 June 2023"


def test_what_is_true_of_the_other_person_only_is_declined(answerer: Answerer) -> None:
    found = [turn("I play the accordion in a band.", "Bram", 0.9), turn("Nice weather today!", "Odile", 0.4)]
    assert answerer.reply("What instrument does Odile play?", ASKED, found).text == NOT_SAID
    assert "accordion" in answerer.reply("What instrument does Bram play?", ASKED, found).text


def test_where_nothing_was_found_nothing_is_said(answerer: Answerer) -> None:
    reply = answerer.reply("Where does Odile live?", ASKED, [])
    assert (reply.text, reply.confidence, reply.answer) == (NOT_SAID, 0.0, None)
