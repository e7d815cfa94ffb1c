"""Intervals and tests against published figures, exact enumeration and simulation."""

from __future__ import annotations

import itertools
import random

import pytest

from memagent.evals.statistics import Interval, bootstrap_mean, mcnemar, paired_permutation, wilson


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [  # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(passed: int, total: int, low: float, high: float) -> None:
    found = wilson(passed, total)
    assert found.low == pytest.approx(low, abs=5e-5) and found.high == pytest.approx(high, abs=5e-5)


def test_wilson_at_the_edges() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)
    assert wilson(5, 5).high == 1.0 and wilson(5, 5).low > 0.5
    assert wilson(5, 10, 0.99).low < wilson(5, 10, 0.95).low
    with pytest.raises(ValueError, match="no proportion"):
        wilson(3, 2)


def test_bootstrap_covers_the_mean_and_is_repeatable() -> None:
    values = [random.Random(3).gauss(10, 2) for _ in range(200)]
    values = [value + random.Random(n).gauss(0, 2) for n, value in enumerate(values)]
    found = bootstrap_mean(values, seed=1)
    error = 1.96 * (sum((v - sum(values) / 200) ** 2 for v in values) / 200) ** 0.5 / 200**0.5
    mean = sum(values) / 200
    assert found.low == pytest.approx(mean - error, rel=0.05) and found.high == pytest.approx(mean + error, rel=0.05)
    assert found == bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)
    assert bootstrap_mean([3.0]) == Interval(3.0, 3.0)
    with pytest.raises(ValueError, match="nothing"):
        bootstrap_mean([])


@pytest.mark.parametrize(("first", "second", "p"), [(0, 0, 1.0), (5, 5, 1.0), (1, 9, 22 / 1024), (0, 6, 2 / 64)])
def test_mcnemar_is_the_exact_binomial(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(p)


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 2)


def enumerated(first: list[float], second: list[float]) -> float:
    differences = [a - b for a, b in zip(first, second, strict=True)]
    observed = abs(sum(differences))
    sums = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in
            itertools.product((1, -1), repeat=len(differences))]  # fmt: skip
    return sum(value >= observed - 1e-9 for value in sums) / len(sums)


def test_permutation_of_few_pairs_is_exact() -> None:
    first, second = [1.0, 2.0, 3.5, 4.0, 2.0], [0.5, 2.5, 2.0, 3.0, 2.0]
    assert paired_permutation(first, second) == pytest.approx(enumerated(first, second))
    assert paired_permutation([1.0, 2.0], [1.0, 2.0]) == 1.0


def test_permutation_of_many_pairs_comes_near_and_is_repeatable() -> None:
    chance = random.Random(5)
    first = [chance.random() for _ in range(14)]
    second = [chance.random() - 0.2 for _ in range(14)]
    found = paired_permutation(first, second, seed=1)
    assert found == pytest.approx(enumerated(first, second), abs=0.02)
    assert found == paired_permutation(first, second, seed=1)
    same = [chance.random() for _ in range(300)]
    assert paired_permutation([value + 0.5 for value in same], same) < 0.001
    with pytest.raises(ValueError, match="paired"):
        paired_permutation([1.0], [1.0, 2.0])
