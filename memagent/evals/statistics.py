"""How sure a figure is, and whether two runs differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
AT_ONCE = 4_000_000  # numbers drawn in one array, 32 MB


@dataclass(frozen=True)
class Interval:
    """A confidence interval, both ends included."""

    low: float
    high: float


def wilson(passed: int, total: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion; the whole of [0, 1] when nothing was counted."""
    if not 0 <= passed <= total:
        raise ValueError(f"{passed} of {total} is no proportion")
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, square = passed / total, z * z
    centre = (share + square / (2 * total)) / (1 + square / total)
    reach = z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return Interval(
        0.0 if passed == 0 else max(0.0, centre - reach), 1.0 if passed == total else min(1.0, centre + reach)
    )


def bootstrap_mean(
    values: Sequence[float], *, seed: int = 0, confidence: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """Percentile bootstrap interval of a mean; the same seed gives the same interval. Raises ValueError for none."""
    if not values:
        raise ValueError("the mean of nothing has no interval")
    data = np.asarray(values, np.float64)
    chance = np.random.default_rng(seed)
    means = _resampled(
        lambda count: data[chance.integers(len(data), size=(count, len(data)))].mean(axis=1), resamples, len(data)
    )
    tail = (1 - confidence) / 2
    return Interval(float(np.quantile(means, tail)), float(np.quantile(means, 1 - tail)))


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar test: the p-value of two paired pass/fail results that disagree in these many cases."""
    total = only_first + only_second
    if min(only_first, only_second) < 0:
        raise ValueError("a count cannot be negative")
    if total == 0:
        return 1.0
    lower = sum(math.comb(total, k) for k in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * lower / 2**total))


def paired_permutation(
    first: Sequence[float], second: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES
) -> float:
    """Two-sided paired permutation test of a difference in means: the p-value, exact for up to 12 pairs."""
    if len(first) != len(second):
        raise ValueError("the two are not paired")
    differences = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    differences = differences[differences != 0]
    pairs = len(differences)
    if pairs == 0:
        return 1.0
    observed = abs(float(differences.mean()))
    slack = 1e-12 * max(1.0, observed)
    if pairs <= 12:
        signs = 1 - 2 * ((np.arange(2**pairs)[:, None] >> np.arange(pairs)) & 1)
        return float((np.abs((signs * differences).mean(axis=1)) >= observed - slack).mean())
    chance = np.random.default_rng(seed)

    def draw(count: int) -> NDArray[np.float64]:
        signs = chance.integers(2, size=(count, pairs)) * 2 - 1
        means: NDArray[np.float64] = np.abs((signs * differences).mean(axis=1))
        return means

    extreme = int((_resampled(draw, resamples, pairs) >= observed - slack).sum())
    return (extreme + 1) / (resamples + 1)  # the observed one is a permutation, too


def _resampled(draw: Callable[[int], NDArray[np.float64]], resamples: int, width: int) -> NDArray[np.float64]:
    """`resamples` results of `draw(count)`, drawn in parts so that memory stays small."""
    part = max(1, AT_ONCE // width)
    return np.concatenate([draw(min(part, resamples - done)) for done in range(0, resamples, part)])
