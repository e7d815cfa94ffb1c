"""Scores of rankings, against values worked out by hand and against the formulas of LongMemEval's own code."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.evals.benchmarks import ranking

FOUND = ["a", "x", "b", "y", "c"]


def test_recall_hit_and_all_are_three_things() -> None:
    gold = ("a", "b", "z")
    assert ranking.recall(FOUND, gold, 1) == pytest.approx(1 / 3)
    assert ranking.recall(FOUND, gold, 3) == pytest.approx(2 / 3)
    assert ranking.hit(FOUND, gold, 1) == 1.0 and ranking.hit(FOUND, ("z",), 5) == 0.0
    assert ranking.all_found(FOUND, gold, 5) == 0.0 and ranking.all_found(FOUND, ("a", "b"), 3) == 1.0


def test_the_reciprocal_rank_is_that_of_the_first_of_the_gold() -> None:
    assert ranking.reciprocal_rank(FOUND, ("c", "b")) == pytest.approx(1 / 3)
    assert ranking.reciprocal_rank(FOUND, ("z",)) == 0.0


def test_ndcg_discounts_every_rank_and_that_of_longmemeval_from_the_third() -> None:
    assert ranking.ndcg(FOUND, ("a", "b"), 5) == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))
    assert ranking.ndcg_any(FOUND, ("a", "b"), 5) == pytest.approx((1 + 1 / math.log2(3)) / (1 + 1))
    assert ranking.ndcg(FOUND, ("x",), 5) == pytest.approx(1 / math.log2(3))
    assert ranking.ndcg_any(FOUND, ("x",), 5) == 1.0


def official_ndcg(found: list[str], gold: set[str], corpus: list[str], k: int) -> float:
    """As `src/retrieval/eval_utils.py` of LongMemEval defines it."""

    def dcg(relevances: list[int]) -> float:
        kept = relevances[:k]
        return kept[0] + sum(value / math.log2(place) for place, value in enumerate(kept[1:], 2)) if kept else 0.0

    ideal = sorted((int(item in gold) for item in corpus), reverse=True)
    return dcg([int(item in gold) for item in found]) / dcg(ideal)


@given(st.permutations([str(number) for number in range(12)]), st.integers(1, 12), st.integers(1, 12))
def test_ndcg_any_is_the_official_one_and_all_scores_are_shares(order: list[str], size: int, k: int) -> None:
    gold = {str(number) for number in range(size)}
    assert ranking.ndcg_any(order, gold, k) == pytest.approx(official_ndcg(order, gold, order, k))
    scores = [
        ranking.recall(order, gold, k), ranking.hit(order, gold, k), ranking.all_found(order, gold, k),
        ranking.ndcg(order, gold, k), ranking.reciprocal_rank(order, gold),
    ]  # fmt: skip
    assert all(0 <= score <= 1 for score in scores)
    assert ranking.all_found(order, gold, k) <= ranking.recall(order, gold, k) <= ranking.hit(order, gold, k)
    assert ranking.ndcg(sorted(order, key=lambda item: item not in gold), gold, k) == pytest.approx(1.0)


def test_without_gold_there_is_no_score() -> None:
    with pytest.raises(ValueError, match="without gold"):
        ranking.recall(FOUND, (), 5)


def test_sessions_are_ranked_by_their_best_turn() -> None:
    assert ranking.distinct(["s2", "s1", "s2", "s3", "s1"]) == ["s2", "s1", "s3"]
