"""Hybrid search: vectors, words, the exact slot and the time window each find candidates; one score puts them in order.

Filters (space, window, retired, excluded) are applied in SQL to the candidates of every channel, and a channel whose
candidates did not survive is asked for more, so that nothing is missed because something else was in the way. The
candidates and the turns beside the best of them are then compared by late interaction and weighed by a linear model
(`features`), whose weights were learned by `memagent.training.rank` on conversations written for it. Scores are put on
a common scale over the candidates (Bruch et al. 2022, "An Analysis of Fusion Functions for Hybrid Retrieval"); ranks
alone (reciprocal rank fusion) let a weak channel spoil a strong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection

from memagent.memory.candidates import Candidate, Filters, Owner, Scores, Visible
from memagent.memory.database import Database
from memagent.memory.features import FEATURES, Floats, matrix, read_rows
from memagent.memory.hits import build
from memagent.memory.late import max_similarities
from memagent.memory.lexical import Lexical, lexical
from memagent.memory.question import Question, read_question
from memagent.memory.records import Hit, OwnerKind, Scope, SearchQuery
from memagent.memory.time import from_text
from memagent.memory.words import PREFIX, content_words

if TYPE_CHECKING:
    from memagent.embedding import EncodedQuery
    from memagent.memory.dense import DenseSearch

SCOPES: dict[Scope, tuple[OwnerKind, ...]] = {
    "facts": ("fact",),
    "conversation": ("message",),
    "documents": ("chunk",),
    "all": ("fact", "message", "chunk"),
}
MAX_LIMIT = 200
_MORE = 8  # times as many candidates when too few survived the filters
_TRUST = {"user": 1.0, "model": 0.7, "import": 0.5, "document": 0.5}
_DAY = 86_400.0

Channel = Callable[[int], Scores]
EncodeQuery = Callable[[str], "EncodedQuery | None"]

# Learned by `memagent.training.rank` (listwise softmax), then scaled so that the positive ones add up to 1.
LEARNED = {
    "words": 0.009,
    "window": 0.036,
    "session": 0.028,
    "dense": 0.045,
    "late": 0.051,
    "nearness": 0.278,
    "before": 0.021,
    "after": 0.013,
    "session_late": 0.079,
    "speaker": 0.043,
    "other_speaker": -0.043,
    "ends_asking": 0.012,
    "asks": -0.042,
    "reacts": -0.016,
    "length": 0.16,
    "timed": 0.04,
    "counted": 0.051,
    "in_time": 0.135,
}


@dataclass(frozen=True)
class Weights:
    """What counts besides the learned features, on their scale.

    `slot` is enough to put the exact slot first, `time` puts what is about the window before what was merely said in
    it; `recency` and `confidence` break ties: a tenth more relevance outweighs both.
    """

    slot: float = 0.6
    time: float = 0.1
    recency: float = 0.03
    confidence: float = 0.02
    recency_half_life_days: float = 90.0
    candidates: int = 128  # of each channel, at least; four times the limit where that is more
    beside: int = 24  # of the best candidates, whose neighbouring turns are looked at as well


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True)
class Pool:
    """The candidates of a search with all that is known of them; `values` has shape (owners, FEATURES)."""

    owners: list[Owner]
    values: Floats
    channels: dict[str, Scores]
    rows: Mapping[Owner, Candidate]


def search(
    database: Database,
    query: SearchQuery,
    encode: EncodeQuery,
    *,
    space_id: int,
    now: datetime,
    dense: DenseSearch | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
) -> list[Hit]:
    """The best `query.limit` rows (1 to 200) of a space, best first.

    `encode` turns the words of the query into vectors of the embedder of `dense`; without either the vectors take no
    part. Any text is a valid query; one without a word finds what the vector, the window or the slot finds. Raises
    StoreError, and what `encode` raises.
    """
    limit = min(max(query.limit, 1), MAX_LIMIT)
    with database.read() as connection:
        question = read_question(connection, query.text, space_id, now)
    encoded = encode(question.words) if dense is not None and query.mode != "keyword" else None
    with database.read() as connection:
        pool = gather(connection, query, question, encoded, space_id=space_id, dense=dense, weights=weights)
        ranked = _ranked(pool, weights, now)
        return build(connection, ranked[:limit], pool.channels)


def gather(
    connection: Connection,
    query: SearchQuery,
    question: Question,
    encoded: EncodedQuery | None,
    *,
    space_id: int,
    dense: DenseSearch | None,
    weights: Weights = DEFAULT_WEIGHTS,
) -> Pool:
    """The candidates of every channel, those beside the best of them, and their features."""
    limit = min(max(query.limit, 1), MAX_LIMIT)
    wanted = max(weights.candidates, 4 * limit)
    kinds = SCOPES[query.scope]
    visible = Visible(connection, Filters.of(space_id, query))
    channels: dict[str, Scores] = {}
    window = visible.admit_window(kinds) if visible.filters.bounded else None
    if window is not None:
        channels["time"] = _in_window(visible, window, wanted)
    if "fact" in kinds and (query.subject or query.attribute):
        score = 1.0 if query.subject and query.attribute else 0.5
        slot = visible.admit_slot(query.subject or "", query.attribute or "", wanted)
        channels["slot"] = {("fact", fact): score for fact in slot}
    lexicals: dict[OwnerKind, Lexical] = {}
    asks: dict[str, list[Channel]] = {}
    if query.mode != "vector":
        terms = _terms(query, question)
        lexicals = {kind: lexical(connection, terms, kind, space_id) for kind in kinds}
        asks["words"] = [_lexical_channel(visible, lexicals[kind], kind) for kind in kinds]
    if dense is not None and encoded is not None and query.mode != "keyword":
        asks["dense"] = [_nearest(connection, dense, encoded, kinds, window)]
    channels |= _ask(visible, asks, wanted, limit)
    beside = visible.beside(_best(channels, weights.beside)) if query.mode == "hybrid" else []
    visible.admit(beside)
    owners = list(visible.rows) if window is None else _in(visible, channels, beside)
    if dense is not None and encoded is not None and "dense" in channels:
        rest = [owner for owner in owners if owner not in channels["dense"]]
        channels["dense"] |= dense.cosines(connection, encoded.vector, rest)
        channels["late"] = max_similarities(connection, dense.space, encoded, owners)
    texts = read_rows(connection, owners)
    ordered, values = matrix(question, {owner: visible.rows[owner] for owner in owners}, texts, channels, lexicals)
    return Pool(ordered, values, {name: scores for name, scores in channels.items() if scores}, visible.rows)


def _terms(query: SearchQuery, question: Question) -> list[str]:
    """The words to look up; of a query that is still being typed the last one may go on."""
    terms = content_words(question.words)
    if query.prefix and terms and query.text[-1:].isalnum():
        terms[-1] += PREFIX
    return terms


def _in(visible: Visible, channels: Mapping[str, Scores], beside: Sequence[Owner]) -> list[Owner]:
    """Of a bounded search what some channel found, and what stands beside it: the window may hold the whole space."""
    found = [owner for scores in channels.values() for owner in scores]
    return [owner for owner in dict.fromkeys([*found, *beside]) if owner in visible.rows]


def _lexical_channel(visible: Visible, found: Lexical, kind: OwnerKind) -> Channel:
    def best(k: int) -> Scores:
        keys = found.best(k)
        if kind != "message":
            return {(kind, key): score for key, score in keys}
        ids = visible.at_places([key for key, _ in keys])
        asked = k
        while len(ids) < k and len(keys) == asked:  # before the first turn and after the last there is none
            asked *= 2
            keys = found.best(asked)
            ids = visible.at_places([key for key, _ in keys])
        scores = {(kind, ids[key]): score for key, score in keys if key in ids}
        return dict(list(scores.items())[:k])

    return best


def _nearest(
    connection: Connection,
    dense: DenseSearch,
    encoded: EncodedQuery,
    kinds: Sequence[OwnerKind],
    window: Mapping[OwnerKind, Sequence[int]] | None,
) -> Channel:
    allowed = None if window is None else dict(window)
    vector = encoded.vector
    return lambda k: {found.owner: found.cosine for found in dense.nearest(connection, vector, k, kinds, allowed)}


def _in_window(visible: Visible, window: Mapping[OwnerKind, Sequence[int]], wanted: int) -> Scores:
    """The newest rows of the window: 1 for what was said or began in it, half for what only held true in it."""
    since, until = visible.filters.since, visible.filters.until
    scores: Scores = {}
    for kind, ids in window.items():
        for row_id in ids[:wanted]:
            row = visible.rows[kind, row_id]
            inside = since <= row.moment < until or since <= (row.began or "") < until
            scores[kind, row_id] = 1.0 if inside else 0.5
    return scores


def _ask(visible: Visible, asks: Mapping[str, Sequence[Channel]], wanted: int, limit: int) -> dict[str, Scores]:
    """Each channel's visible candidates.

    A channel is asked again, for more, while it has more and too few were visible.
    """
    channels: dict[str, Scores] = {name: {} for name in asks}
    open_asks = [(name, ask) for name, several in asks.items() for ask in several]
    k = wanted
    while open_asks:
        answers = [(name, ask, ask(k)) for name, ask in open_asks]
        visible.admit(owner for _, _, scores in answers for owner in scores)
        open_asks = []
        for name, ask, scores in answers:
            shown = {owner: score for owner, score in scores.items() if owner in visible.rows}
            if len(scores) >= k and len(shown) < limit:
                open_asks.append((name, ask))
            else:
                channels[name] |= shown
        k *= _MORE
    return channels


def _best(channels: Mapping[str, Scores], many: int) -> list[int]:
    """The messages that words and vectors put first."""
    best: dict[int, None] = {}
    for name in ("dense", "words"):
        scores = {owner: score for owner, score in channels.get(name, {}).items() if owner[0] == "message"}
        best |= dict.fromkeys(row_id for _, row_id in sorted(scores, key=lambda owner: -scores[owner])[:many])
    return list(best)


def _ranked(pool: Pool, weights: Weights, now: datetime) -> list[tuple[Owner, float]]:
    """Owners with their scores in 0..1, best first; the newer of two equals first."""
    learned = np.array([LEARNED[name] for name in FEATURES])
    totals = pool.values @ learned
    in_play = 1.0 + weights.recency + weights.confidence
    for name in ("slot", "time"):
        if scores := pool.channels.get(name):
            in_play += getattr(weights, name)
            totals = totals + getattr(weights, name) * np.array([scores.get(owner, 0.0) for owner in pool.owners])
    freshness: dict[str, float] = {}  # by day
    ranked = []
    for owner, total in zip(pool.owners, totals.tolist(), strict=True):
        row = pool.rows[owner]
        day = row.moment[:10]
        if day not in freshness:
            age = max((now - from_text(row.moment)).total_seconds(), 0.0) / _DAY
            freshness[day] = weights.recency * 0.5 ** (age / weights.recency_half_life_days)
        score = total + freshness[day] + weights.confidence * row.confidence * _TRUST.get(row.trust, 0.5)
        ranked.append((min(max(score / in_play, 0.0), 1.0), score, row.moment, owner))
    ranked.sort(key=lambda item: item[1:], reverse=True)
    return [(owner, score) for score, _, _, owner in ranked]
