"""What is weighed when a hit is judged, and that the scale is a chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.models.evidence import USER, Evidence
from memagent.models.judging import FEATURES, LEARNED, MOST_ODDS, Question, features, judge, log_odds, overlap
from memagent.models.reader import Answer
from tests.models.scripted_reading import fact, message, reading, understood

SLOTS = frozenset({"home city", "job"})
PORTO = fact("I live in Porto", "home city", "Porto")
OSLO = fact("she lives in Oslo", "home city", "Oslo", "sister Ana")
CHANCE = st.floats(0.0, 1.0)


def question(about: str = USER, mode: str = "value", slot: str = "home city", **aliases: str) -> Question:
    return Question(understood("where?", mode=mode, slot=slot), about, aliases, SLOTS)


def named(asked: Question, item: Evidence, read: Answer | None = None, **more: bool) -> dict[str, float]:
    values = features(asked, item, read or reading(item.window, item.value), 0.7, 0, **more)
    return dict(zip(FEATURES, values, strict=True))


def test_every_feature_has_a_name_and_a_weight() -> None:
    asked = question()
    for item in (PORTO, OSLO, message("I live in Leeds")):
        assert len(features(asked, item, reading(item.window), 1.0, 0)) == len(FEATURES) == len(LEARNED)
    assert FEATURES[0] == "bias" and named(asked, PORTO)["bias"] == 1.0


def test_what_the_search_and_the_reader_say_is_taken_over() -> None:
    found = named(question(), PORTO)
    assert (found["search"], found["tells"], found["fact"], found["read"]) == (PORTO.score, 0.7, 1.0, 1.0)
    assert found["reader"] > 0 > named(question(), PORTO, reading(PORTO.window))["reader"]
    assert named(question(), PORTO, reading(PORTO.window, "I live"))["read"] == 0.0
    assert dict(zip(FEATURES, features(question(), PORTO, reading("x"), 1.0, 2), strict=True))["covers"] == 1.0
    about_ana = features(question("sister Ana"), OSLO, reading("x"), 1.0, 2)
    assert dict(zip(FEATURES, about_ana, strict=True))["covers"] == 0.0, "only hers is left of what was read"


@pytest.mark.parametrize(
    ("slot", "attribute", "name"),
    [("home city", "home city", "same slot"), ("job", "home city", "other slot"), ("job", "shed", "no slot")],
)
def test_the_slot_that_is_asked_for_is_compared(slot: str, attribute: str, name: str) -> None:
    found = named(question(slot=slot), fact("I live in Porto", attribute, "Porto"))
    slots = {"same slot", "other slot", "no slot"}
    assert {feature for feature in slots if found[feature]} == {name}
    unclear = named(question(slot="other"), fact("I live in Porto", attribute, "Porto"))
    assert not any(unclear[feature] for feature in slots)


@pytest.mark.parametrize(
    ("asked", "item", "names"),
    [
        (question(), PORTO, {"own"}),
        (question(), OSLO, {"named, not asked"}),
        (question("Ana"), OSLO, {"same subject", "mentioned"}),
        (question("mum", mum="Ana"), OSLO, {"same subject"}),
        (question("Felix"), OSLO, {"other subject"}),
        (question("Felix"), PORTO, {"asked, not named"}),
        (question("Felix"), fact("Felix and I live in Hull", "home city", "Hull"), {"mentioned"}),
        (question("Felix"), message("Felix lives in Hull"), {"mentioned"}),
        (question(), message("I live in Leeds"), set()),
    ],
)
def test_the_subject_that_is_asked_for_is_compared(asked: Question, item: Evidence, names: set[str]) -> None:
    subjects = {"same subject", "own", "other subject", "asked, not named", "named, not asked", "mentioned"}
    found = named(asked, item, reading(item.window))
    assert {name for name in subjects if found[name]} == names


def test_a_link_says_that_the_subject_is_meant() -> None:
    found = named(question("mum"), OSLO, linked=True)
    assert found["same subject"] == found["mentioned"] == 1.0 and found["other subject"] == 0.0


def test_times_count_where_a_time_is_asked_for() -> None:
    timed = fact("I moved to Porto on Friday", "home city", "Porto", times=[{"text": "Friday"}])
    assert named(question(mode="when"), timed)["times"] == 1.0
    assert named(question(), timed)["times"] == named(question(mode="when"), PORTO)["times"] == 0.0


@given(CHANCE, CHANCE)
def test_log_odds_are_bounded_and_rise_with_the_chance(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert -MOST_ODDS <= log_odds(low) <= log_odds(high) <= MOST_ODDS
    assert log_odds(0.0) == -MOST_ODDS and log_odds(0.5) == 0.0 and log_odds(1.0) == MOST_ODDS


@pytest.mark.parametrize(
    ("words", "value", "overlaps"),
    [
        ("Dr Soto", "soto", True),
        ("Soto", "dr soto", True),
        ("Soto", "Soto", True),
        ("Soto", "Prisk", False),
        ("", "Soto", False),
        ("Soto", "", False),
        ("", "", False),
    ],
)
def test_words_overlap_where_one_contains_the_other(words: str, value: str, overlaps: bool) -> None:
    assert overlap(words, value) is overlaps


@given(st.lists(st.floats(-10.0, 10.0), min_size=len(FEATURES), max_size=len(FEATURES)), st.floats(0.0, 10.0))
def test_a_judgement_is_a_chance_that_rises_with_what_was_read(values: list[float], more: float) -> None:
    at = FEATURES.index("reader")
    raised = [*values[:at], values[at] + more, *values[at + 1 :]]
    assert 0.0 <= judge(tuple(values)) <= judge(tuple(raised)) <= 1.0


def test_what_the_reader_says_has_weight() -> None:
    assert LEARNED["reader"] > 0
    hardly, surely = (reading(PORTO.window, "Porto", kind) for kind in ("none", "span"))
    chances = [judge(features(question(), PORTO, read, 1.0, 0)) for read in (hardly, surely)]
    assert 0.0 < chances[0] < chances[1] < 1.0
