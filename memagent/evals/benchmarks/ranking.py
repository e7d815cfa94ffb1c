"""Scores of a ranking against its gold: shares of 0..1 over ids, best first, each once.

The field means different things by "recall@5", so each is named by its own name: `recall` is the share of the gold that
was found, `hit` whether any was, `all` whether all was.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence


def recall(found: Sequence[str], gold: Collection[str], k: int) -> float:
    """The share of the gold among the first k. Raises ValueError without gold."""
    _require(gold)
    return len(set(found[:k]) & set(gold)) / len(set(gold))


def hit(found: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 when any of the gold is among the first k (LongMemEval: recall_any)."""
    return float(recall(found, gold, k) > 0)


def all_found(found: Sequence[str], gold: Collection[str], k: int) -> float:
    """1 when all of the gold is among the first k (LongMemEval: recall_all)."""
    return float(recall(found, gold, k) == 1)


def reciprocal_rank(found: Sequence[str], gold: Collection[str]) -> float:
    """1 / rank of the first of the gold, 0 when none was found."""
    _require(gold)
    return next((1 / rank for rank, identity in enumerate(found, 1) if identity in gold), 0.0)


def ndcg(found: Sequence[str], gold: Collection[str], k: int) -> float:
    """Binary nDCG at k, discount log2(1 + rank)."""
    _require(gold)
    gains = sum(1 / math.log2(1 + rank) for rank, identity in enumerate(found[:k], 1) if identity in gold)
    return gains / sum(1 / math.log2(1 + rank) for rank in range(1, min(len(set(gold)), k) + 1))


def ndcg_any(found: Sequence[str], gold: Collection[str], k: int) -> float:
    """LongMemEval's nDCG at k, whose first two ranks are not discounted (`eval_utils.dcg`)."""
    _require(gold)
    gains = sum(_late_discount(rank) for rank, identity in enumerate(found[:k], 1) if identity in gold)
    return gains / sum(_late_discount(rank) for rank in range(1, min(len(set(gold)), k) + 1))


def _late_discount(rank: int) -> float:
    return 1.0 if rank == 1 else 1 / math.log2(rank)


def _require(gold: Collection[str]) -> None:
    if not gold:
        raise ValueError("a ranking without gold has no score")


def distinct(identities: Sequence[str]) -> list[str]:
    """The ids in order, each once: a ranking of turns as a ranking of their sessions."""
    return list(dict.fromkeys(identities))
