"""How a short answer is made of what passages say; the reader is scripted, for its judgement is not the point here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from memagent.models.question_answering import (
    MOST_READ,
    SURE,
    Answer,
    Asked,
    NamedTime,
    Passage,
    answer_question,
    asked_for,
)
from memagent.models.reader import Answer as Reading

SAID = datetime(2023, 6, 9, 18, 0, tzinfo=UTC)


class ScriptedReader:
    """Reads what it was told to: for a window that contains a text the span in it, and how likely it answers."""

    def __init__(self, script: Mapping[str, tuple[str, float]]) -> None:
        self.script = script
        self.windows: list[str] = []

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        self.windows = list(windows)
        return [self._read(window) for window in windows]

    def _read(self, window: str) -> Reading:
        for part, (words, probability) in self.script.items():
            if part in window:
                start = window.index(words)
                yes = probability if "yes" in part else 0.0
                kinds = {"none": 1 - probability, "span": probability - yes, "yes": yes, "no": 0.0}
                return Reading(kinds, start, start + len(words), words, 0.9)
        return Reading({"none": 0.99, "span": 0.01, "yes": 0.0, "no": 0.0}, 0, 0, "", 0.01)


def said(text: str, speaker: str = "", score: float = 0.5, *times: tuple[str, str, int]) -> Passage:
    """A passage; `times` are its words for a time, their meaning, and days before it was said."""
    named = []
    for words, means, days in times:
        since = SAID - timedelta(days=days)
        start = text.index(words)
        named.append(NamedTime(start, start + len(words), since, since + timedelta(days=1), means))
    return Passage(text, score, SAID, "9 June 2023", speaker, tuple(named))


def ask(question: str, mode: str, script: Mapping[str, tuple[str, float]], *passages: Passage) -> Answer:
    answer = answer_question(ScriptedReader(script), question, mode, passages)
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("question", "mode", "asked"),
    [
        ("When did Odile move?", "value", "when"),
        ("What year did Odile move?", "value", "when"),
        ("In May, when did she go?", "when", "when"),
        ("How long has Odile been painting?", "when", "duration"),
        ("How many weeks did it take?", "count", "duration"),
        ("How many cats are there?", "value", "count"),
        ("Which cities has Bram visited?", "list", "values"),
        ("Where has Bram been?", "value", "values"),
        ("Where has Bram just been?", "value", "value"),
        ("What does Bram have to do?", "value", "value"),
        ("Does Bram sail?", "yesno", "yesno"),
        ("What did Bram say when he left?", "value", "value"),
    ],
)
def test_what_a_question_asks_for(question: str, mode: str, asked: Asked) -> None:
    assert asked_for(question, mode) == asked


def test_the_answer_is_the_span_with_its_place_in_the_passage() -> None:
    answer = ask("What did Bram sell?", "value", {"boat": ("the boat", 0.9)}, said("I sold the boat.", "Bram"))
    assert (answer.text, answer.asked, answer.sources[0].passage) == ("the boat", "value", 0)
    assert "I sold the boat."[answer.sources[0].start : answer.sources[0].end] == "the boat"
    assert answer.confidence > SURE


def test_the_place_in_the_search_decides_between_equals_and_the_reader_between_unequals() -> None:
    script = {"boat": ("the boat", 0.9), "bike": ("the bike", 0.9), "bread": ("the bread", 0.9999)}
    first = said("I sold the boat.", "", 0.8), said("I sold the bike.", "", 0.7)
    assert ask("What was sold?", "value", script, *first).text == "the boat"
    better = said("I sold the boat.", "", 0.8), said("I sold the bread.", "", 0.79)
    assert ask("What was sold?", "value", script, *better).text == "the bread"


def test_whom_the_question_names_is_believed_before_the_other() -> None:
    script = {"boat": ("the boat", 0.9), "bike": ("the bike", 0.9)}
    passages = said("I sold the boat.", "Odile", 0.8), said("I sold the bike.", "Bram", 0.78)
    assert ask("What did Bram sell?", "value", script, *passages).text == "the bike"
    assert ask("What did Odile sell?", "value", script, *passages).text == "the boat"


def test_an_answer_that_only_the_other_person_gives_is_not_sure() -> None:
    script = {"boat": ("the boat", 0.95), "weather": ("weather", 0.05)}
    passages = said("I sold the boat.", "Odile", 0.8), said("Nice weather.", "Bram", 0.3)
    assert ask("What did Bram sell?", "value", script, *passages).confidence < SURE
    assert ask("What did Odile sell?", "value", script, *passages).confidence > SURE


def test_a_passage_of_the_time_that_is_asked_about_is_preferred() -> None:
    script = {"boat": ("the boat", 0.9), "bike": ("the bike", 0.9)}
    passages = said("I sold the boat.", "", 0.8), said("I sold the bike in May.", "", 0.75, ("May", "May 2023", 30))
    reader, window = ScriptedReader(script), (SAID - timedelta(days=40), SAID - timedelta(days=20))
    in_may = answer_question(reader, "What was sold in May?", "value", passages, times=[window])
    assert in_may is not None and in_may.text == "the bike"
    assert ask("What was sold?", "value", script, *passages).text == "the boat"


def test_when_is_the_time_nearest_to_the_span_or_else_the_day_it_was_said() -> None:
    text = "Yesterday I cooked, and last May I sold the boat."
    times = ("Yesterday", "8 June 2023", 1), ("last May", "May 2022", 390)
    script = {"boat": ("sold the boat", 0.9)}
    assert ask("When was the boat sold?", "when", script, said(text, "", 0.5, *times)).text == "May 2022"
    answer = ask("When was the boat sold?", "when", script, said("I sold the boat!"))
    assert answer.text == "9 June 2023"


def test_a_month_or_year_is_given_as_such() -> None:
    script = {"boat": ("the boat", 0.9)}
    passage = said("I sold the boat yesterday.", "", 0.5, ("yesterday", "8 June 2023", 1))
    assert ask("What month was the boat sold?", "value", script, passage).text == "June 2023"
    assert ask("Which year was the boat sold?", "value", script, passage).text == "2023"


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        ("How long has she painted?", "I have painted for about seven years now, since school.", "about seven years"),
        ("How long ago was it?", "It was my birthday ten years ago.", "ten years ago"),
        ("How long ago was it?", "That was five months back.", "five months ago"),
        ("How often does she swim?", "I swim twice a week.", "twice a week"),
        ("How long has she sailed?", "I have sailed since 2016.", "since 2016"),
    ],
)
def test_how_long_is_a_length_of_time(question: str, text: str, words: str) -> None:
    assert ask(question, "when", {text: (text.split()[0], 0.9)}, said(text)).text == words


def test_how_many_is_the_number_that_was_said_or_else_counted() -> None:
    script = {"cats": ("three cats", 0.9)}
    assert ask("How many cats are there?", "count", script, said("We have three cats.")).text == "three"
    script = {"Rome": ("Rome", 0.9), "Lisbon": ("Lisbon", 0.9)}
    passages = said("I was in Rome."), said("I was in Lisbon.", "", 0.49)
    assert ask("How many cities has she seen?", "count", script, *passages).text == "two"
    assert ask("How many times was she abroad?", "count", script, *passages).text == "twice"


def test_a_list_is_joined_each_value_once_and_only_the_likely_ones() -> None:
    script = {"Rome": ("Rome", 0.9), "Lisbon": ("Lisbon", 0.9), "old": ("old Rome", 0.9), "soup": ("soup", 0.01)}
    passages = (
        said("I was in Rome."), said("I was in Lisbon.", "", 0.49), said("That was old Rome.", "", 0.49),
        said("I like soup.", "", 0.48),
    )  # fmt: skip
    answer = ask("Which cities has she seen?", "list", script, *passages)
    assert answer.text == "Rome, Lisbon" and [source.passage for source in answer.sources] == [0, 1]


def test_yes_and_no_are_the_readers() -> None:
    assert ask("Does Bram sail?", "yesno", {"yes": ("sail", 0.9)}, said("yes I sail")).text == "Yes"
    assert ask("Does Bram sail?", "yesno", {"sail": ("sail", 0.9)}, said("I never sail")).text == "Yes"


def test_a_span_over_two_sentences_is_cut_to_the_one_that_says_more() -> None:
    script = {"boat": ("Thanks, Odile! I sold the sailing boat", 0.9)}
    passage = said("Thanks, Odile! I sold the sailing boat.", "Bram"), said("So?", "Odile", 0.1)
    assert ask("What did Bram sell?", "value", script, *passage).text == "I sold the sailing boat"


def test_a_span_that_repeats_the_question_gives_way() -> None:
    script = {"boats": ("boats", 0.9), "dinghy": ("a dinghy", 0.8)}
    passages = said("I love boats.", "", 0.5), said("It was a dinghy.", "", 0.49)
    assert ask("What kind of boats?", "value", script, *passages).text == "a dinghy"


def test_no_passages_no_answer_and_no_more_than_so_many_are_read() -> None:
    reader = ScriptedReader({})
    assert answer_question(reader, "What?", "value", []) is None
    answer_question(reader, "What?", "value", [said(f"number {index}", "Bram") for index in range(30)])
    assert len(reader.windows) == MOST_READ and reader.windows[0] == "Bram: number 0"
