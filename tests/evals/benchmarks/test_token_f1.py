"""LoCoMo's F1; the values are what its own `evaluation.py` gives with NLTK's stemmer."""

from __future__ import annotations

import pytest

from memagent.evals.benchmarks.token_f1 import best_f1, declined, locomo_f1, normalised, partial_f1, token_f1


@pytest.mark.parametrize(
    ("answer", "gold", "whole", "parts"),
    [
        ("the sunday before 25 May 2023", "25 May 2023", 0.75, 0.75),
        ("Nature's best plays", "the play of nature", 2 / 3, 2 / 3),  # "natures" and "nature", "plays" and "play"
        ("pottery, a museum", "Pottery, painting, museum visits", 2 / 3, 5 / 9),
        ("They enjoy camping and hiking", "camping", 0.4, 0.4),
        ("one", "on", 0.0, 0.0),  # Snowball's "porter" takes them for the same
        ("", "x", 0.0, 0.0),
        ("the", "a", 0.0, 0.0),
    ],
)
def test_the_score_is_the_official_one(answer: str, gold: str, whole: float, parts: float) -> None:
    assert token_f1(answer, gold) == pytest.approx(whole)
    assert partial_f1(answer, gold) == pytest.approx(parts)


def test_articles_commas_case_and_punctuation_do_not_count() -> None:
    assert normalised("The cat, and A dog's bowl!") == "cat dogs bowl"


def test_each_category_is_scored_in_its_own_way() -> None:
    assert locomo_f1("Lisbon", "Lisbon, Porto", "multi-hop") == 0.5
    assert locomo_f1("Lisbon", "Lisbon, Porto", "single-hop") == pytest.approx(2 / 3)
    assert locomo_f1("Yes", "Yes; she has a greyhound", "open-domain") == 1.0
    assert locomo_f1("Yes", "Yes; she has a greyhound", "temporal") < 0.5
    assert locomo_f1("Not mentioned in the conversation", "", "adversarial") == 1.0
    assert locomo_f1("accordion", "", "adversarial") == 0.0


def test_only_the_official_words_are_a_refusal() -> None:
    assert declined("There is no information available on that.") and not declined("I don't know")


def test_of_several_right_answers_the_best_counts() -> None:
    assert best_f1("canoe", ("a boat", "a canoe")) == 1.0
    assert best_f1("canoe", ()) == 0.0
