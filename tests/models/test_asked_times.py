"""A question that names a time is answered by what was told of that time, in whatever words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from memagent.models.asked_times import as_when, asked_time, of_that_time, read_at
from memagent.models.evidence import Evidence
from memagent.models.reader import Answer
from tests.models.scripted_reading import ScriptedReader, fact, message

SUNDAY, MONDAY = "2026-03-08", "2026-03-09"


def day(text: str, date: str, start: int = 0) -> dict[str, Any]:
    return {"text": text, "start": start, "since": f"{date}T00:00:00+00:00", "until": f"{date}T23:59:59+00:00"}


DENTIST = message("dentist on the 9th at 14:20", times=[day("the 9th", MONDAY)])
LUNCH = message("sunday it's lunch at my parents", times=[day("sunday", SUNDAY)])
PLAIN = message("the dentist is in Mill Lane")


class Noting(ScriptedReader):
    """Keeps what it was asked about each window."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked: dict[str, str] = {}

    def read(self, question: str, windows: Sequence[str]) -> list[Answer]:
        self.asked |= dict.fromkeys(windows, question)
        return super().read(question, windows)


def kept(evidence: Sequence[Evidence], question: str, *times: dict[str, Any]) -> list[str]:
    return [item.text for item in of_that_time(evidence, asked_time(question, times))]


def test_what_was_told_of_another_day_does_not_answer() -> None:
    evidence = [LUNCH, PLAIN, DENTIST]
    assert kept(evidence, "what have I got on tomorrow?", day("tomorrow", MONDAY)) == [PLAIN.text, DENTIST.text]
    assert kept(evidence, "what have I got on?") == [item.text for item in evidence]


def test_where_nothing_was_told_of_the_day_all_may_answer() -> None:
    asked = day("on the 1st", "2026-04-01")
    assert kept([LUNCH, DENTIST], "who is coming on the 1st?", asked) == [LUNCH.text, DENTIST.text]


def test_what_was_said_on_the_day_may_be_about_it() -> None:
    april = [day("1st", "2026-04-01")]
    ramen = message("had ramen, then booked the 1st", said_at=f"{MONDAY}T12:00:00+00:00", times=april)
    asked = day("on monday", MONDAY)
    assert kept([ramen, DENTIST, LUNCH], "what did I eat on monday?", asked) == [ramen.text, DENTIST.text]


def test_of_a_sentence_with_two_days_each_fact_has_that_of_its_clause() -> None:
    text = "monday is golf, sunday it's lunch at my parents"
    times = [day("monday", MONDAY), day("sunday", SUNDAY, text.index("sunday"))]
    golf, lunch = (fact(text, "plan", value, times=times) for value in ("golf", "lunch at my parents"))
    asked = asked_time("what are we doing on sunday?", [day("sunday", SUNDAY)])
    assert of_that_time([golf, lunch], asked) == [lunch]
    whole = fact(text, "plan", text, times=times)
    assert of_that_time([whole], asked) == [whole]


def test_a_time_of_the_words_around_the_question_is_not_asked_for() -> None:
    assert asked_time("what have I got on?", [day("tomorrow", MONDAY)]) is None


def test_the_reader_is_asked_in_the_words_of_each_message() -> None:
    reader = Noting()
    asked = asked_time("what have I got on tomorrow?", [day("tomorrow", MONDAY)])
    read = read_at(reader, "what have I got on tomorrow?", asked, [PLAIN, DENTIST, LUNCH])
    assert len(read) == 3
    assert reader.asked == {
        PLAIN.window: "what have I got on tomorrow?",
        DENTIST.window: "what have I got on the 9th?",
        LUNCH.window: "what have I got on tomorrow?",
    }


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("what's the date of my interview?", "when's my interview?"),
        ("On which date does Bashir move in?", "when does Bashir move in?"),
        ("which date are the photos on?", "when are the photos on?"),
        ("so what was the exact date of the crash", "so when was the crash"),
        ("how many weeks is it now since I stopped smoking?", "when I stopped smoking?"),
        ("how many days until the theory exam?", "when is the theory exam?"),
        ("and how many days have I got left till the exam?", "and when is the exam?"),
        ("how many weeks ago did I stop?", "when did I stop?"),
        ("how many days off do I get?", None),
        ("how long should the soup simmer?", None),
        ("who is my date?", None),
        ("when is the interview?", None),
        ("what dates do I like?", None),
    ],
)
def test_a_question_for_a_date_is_one_with_when(question: str, asked: str | None) -> None:
    assert as_when(question) == asked
