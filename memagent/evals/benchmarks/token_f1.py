"""LoCoMo's official score of an answer: token F1 by category (`task_eval/evaluation.py` of its repository).

Lower case, no punctuation, no "a", "an", "the", "and"; words are stemmed with NLTK's PorterStemmer, whose extensions
differ from Porter's own rules (and so from Snowball's "porter") in 120 of the 4,246 word forms of five conversations:
"play" and "plays" are "play", not "plai".
"""

from __future__ import annotations

import re
import string
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from memagent.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_MENTIONED = ("no information available", "not mentioned")

_ARTICLES = re.compile(r"\b(a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """As the official scorer compares texts, before stemming."""
    return " ".join(_ARTICLES.sub(" ", text.replace(",", "").lower().translate(_PUNCTUATION)).split())


def tokens(text: str) -> list[str]:
    """The stems of a text."""
    return [_stem(word) for word in normalised(text).split()]


def token_f1(answer: str, gold: str) -> float:
    """F1 of the bags of stems; 0 when they share none."""
    said, wanted = tokens(answer), tokens(gold)
    same = (Counter(said) & Counter(wanted)).total()
    if not same:
        return 0.0
    precision, recall = same / len(said), same / len(wanted)
    return 2 * precision * recall / (precision + recall)


def partial_f1(answer: str, gold: str) -> float:
    """The mean over the gold's parts between commas of the best F1 that a part of the answer has."""
    said, wanted = ([part.strip() for part in text.split(",")] for text in (answer, gold))
    return sum(max(token_f1(part, piece) for part in said) for piece in wanted) / len(wanted)


def locomo_f1(answer: str, gold: str, category: str) -> float:
    """The official score of an answer to a question of a category of `locomo.CATEGORIES`."""
    if category == "adversarial":
        return float(declined(answer))
    if category == "multi-hop":
        return partial_f1(answer, gold)
    return token_f1(answer, gold.split(";")[0].strip() if category == "open-domain" else gold)


def declined(answer: str) -> bool:
    """Whether the official scorer takes an answer for a refusal."""
    return any(words in answer.lower() for words in NOT_MENTIONED)


def best_f1(answer: str, golds: Sequence[str]) -> float:
    """The best F1 over alternative right answers."""
    return max((token_f1(answer, gold) for gold in golds), default=0.0)


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    stem: str = _stemmer().stem(word)
    return stem


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    try:
        from nltk.stem.porter import PorterStemmer
    except ImportError:
        raise InputError("the official scorer of answers needs NLTK", "pip install 'memagent[eval]'") from None
    return PorterStemmer()
