"""The weights of a judgement are learned from candidates that are known to be right or wrong."""

from __future__ import annotations

import numpy as np
import pytest

from memagent.models.answers import SURE
from memagent.models.judging import FEATURES
from memagent.training.reading import Group, Window

pytest.importorskip("torch", reason="training needs the extra `train`")

from memagent.training.judge import DECAY, Judged, fit, judged, shares  # noqa: E402

READER, SEARCH = FEATURES.index("reader"), FEATURES.index("search")


def candidates(*reader: float, right: int | None = None, answerable: bool = True) -> Judged:
    """One question: what the reader says of each candidate, and which of them is right."""
    values = np.zeros((len(reader), len(FEATURES)))
    values[:, 0] = 1.0
    values[:, READER] = reader
    return Judged(values, np.arange(len(reader)) == (-1 if right is None else right), answerable)


def chances(group: Judged, weights: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-group.values @ weights))


def separable(centre: float) -> list[Judged]:
    """Questions whose right candidate is read above the centre, the others below it; the search says nothing."""
    rng = np.random.default_rng(5)
    groups = []
    for number in range(40):
        low = centre - 2.0 - rng.random(2)
        group = candidates(*low, centre + 2.0 + rng.random(), right=2) if number % 4 else candidates(*low)
        group.values[:, SEARCH] = rng.normal(5.0, 3.0, len(group.values))
        groups.append(group)
    return groups


@pytest.mark.parametrize("centre", [0.0, 10.0])
def test_what_is_right_is_told_from_what_is_wrong(centre: float) -> None:
    groups = separable(centre)
    weights = fit(groups, DECAY)
    assert weights.shape == (len(FEATURES),) and np.isfinite(weights).all()
    for group in groups:
        assert ((chances(group, weights) >= SURE) == group.right).all()
    assert weights[READER] > 10 * abs(weights[SEARCH])
    constant = [at for at in range(1, len(FEATURES)) if at not in (READER, SEARCH)]
    assert np.allclose(weights[constant], 0.0), "what never varies got a weight"


def test_a_question_without_candidates_teaches_nothing() -> None:
    groups = separable(0.0)
    assert np.allclose(fit([*groups, candidates()], DECAY), fit(groups, DECAY))


def test_every_question_counts_the_same() -> None:
    """Many candidates of one question do not outweigh one candidate of each of the others."""
    many = candidates(*[0.0] * 30)
    one = [candidates(0.0, right=0) for _ in range(2)]
    assert chances(one[0], fit([many, *one], DECAY))[0] == pytest.approx(2 / 3, abs=0.01)


def test_a_larger_decay_gives_smaller_weights() -> None:
    groups = separable(0.0)
    assert 0 < fit(groups, 1.0)[READER] < fit(groups, DECAY)[READER]


def test_right_wrong_and_declined_are_counted() -> None:
    weights = np.zeros(len(FEATURES))
    weights[READER] = 1.0
    groups = [
        candidates(-1.0, 3.0, right=1),
        candidates(2.0, 3.0, right=1),
        candidates(3.0, 2.0, right=1),
        candidates(-3.0, -2.0, right=0),
        candidates(),
        candidates(-1.0, answerable=False),
        candidates(answerable=False),
        candidates(1.0, answerable=False),
        candidates(-2.0, -5.0, answerable=False),
    ]
    assert shares(groups, weights) == (
        "9 questions: 0.400 answered right and 0.200 wrong of 5 (0.800 could be), 0.750 declined of 4"
    )


@pytest.mark.slow
def test_groups_are_played_through_the_whole_program() -> None:
    green, porto = "my favourite colour is green", "I live in Porto"
    groups = [
        Group("what is my favourite colour?", (Window(porto), Window(green, "span", (23, 28)))),
        Group("what is my shoe size?", (Window(green), Window(porto))),
    ]
    told, untold = judged(groups, 3)
    assert (told.answerable, untold.answerable) == (True, False)
    for found in (told, untold):
        assert found.values.shape == (len(found.right), len(FEATURES)) and (found.values[:, 0] == 1.0).all()
    assert len(told.right) > 1 and told.right.sum() == 1 and not untold.right.any()
    assert told.values[told.right, READER].item() > told.values[~told.right, READER].max()
