"""Hybrid search: vectors, words, the exact slot and the time window each find candidates; one score puts them in order.

Filters (space, window, retired, excluded) are applied in SQL to the candidates of every channel, and a channel whose
candidates did not survive is asked for more, so that nothing is missed because something else was in the way. Dense
and word scores are put on a common scale by min-max over the candidates and added with weights (Bruch et al. 2022, "An
Analysis of Fusion Functions for Hybrid Retrieval"): on LoCoMo and LongMemEval that beats reciprocal rank fusion, which
lets a weak channel spoil a strong one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from memagent.memory.candidates import Candidate, Filters, Owner, Scores, Visible, word_search
from memagent.memory.database import Database
from memagent.memory.hits import build
from memagent.memory.records import Hit, OwnerKind, Scope, SearchQuery
from memagent.memory.time import from_text
from memagent.memory.words import PREFIX, content_words

if TYPE_CHECKING:
    from memagent.memory.dense import DenseSearch
    from memagent.memory.vectors import Vector

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


@dataclass(frozen=True)
class Weights:
    """How much each part of the score counts. The parts lie in 0..1, and so does the score: it is divided by the
    weights in play.

    `slot` is enough to put the exact slot first, `time` puts what is about the window before what was merely said in
    it; `recency` and `confidence` break ties: a tenth more relevance outweighs both.
    """

    dense: float = 0.5
    words: float = 0.5
    slot: float = 0.6
    time: float = 0.1
    recency: float = 0.03
    confidence: float = 0.02
    recency_half_life_days: float = 90.0
    candidates: int = 32  # of each channel, at least; four times the limit where that is more


DEFAULT_WEIGHTS = Weights()


def search(
    database: Database,
    query: SearchQuery,
    query_vector: Vector | None,
    *,
    space_id: int,
    now: datetime,
    dense: DenseSearch | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
) -> list[Hit]:
    """The best `query.limit` rows (1 to 200) of a space, best first.

    `query_vector` is the unit vector of the query by the embedder of `dense`; without either the vectors take no part.
    Any text is a valid query; one without a word finds what the vector, the window or the slot finds. Raises
    StoreError.
    """
    limit = min(max(query.limit, 1), MAX_LIMIT)
    wanted = max(weights.candidates, 4 * limit)
    kinds = SCOPES[query.scope]
    with database.read() as connection:
        visible = Visible(connection, Filters.of(space_id, query))
        channels: dict[str, Scores] = {}
        window = visible.admit_window(kinds) if visible.filters.bounded else None
        if window is not None:
            channels["time"] = _in_window(visible, window, wanted)
        if "fact" in kinds and (query.subject or query.attribute):
            score = 1.0 if query.subject and query.attribute else 0.5
            slot = visible.admit_slot(query.subject or "", query.attribute or "", wanted)
            channels["slot"] = {("fact", fact): score for fact in slot}
        asks: dict[str, list[Channel]] = {}
        if query.mode != "vector":
            terms = content_words(query.text)
            if query.prefix and terms and query.text[-1:].isalnum():
                terms[-1] += PREFIX
            asks["words"] = [word_search(connection, terms, kind) for kind in kinds]
        if query.mode == "keyword":
            query_vector = None
        if dense is not None and query_vector is not None:
            asks["dense"] = [_nearest(connection, dense, query_vector, kinds, window)]
        channels |= _ask(visible, asks, wanted, limit)
        pool = {owner for scores in channels.values() for owner in scores}
        if dense is not None and query_vector is not None:
            rest = [owner for owner in pool if owner not in channels["dense"]]
            channels["dense"] |= dense.cosines(connection, query_vector, rest)
        ranked = _fuse({owner: visible.rows[owner] for owner in pool}, channels, weights, now)
        return build(connection, ranked[:limit], channels)


def _nearest(
    connection: Connection,
    dense: DenseSearch,
    vector: Vector,
    kinds: Sequence[OwnerKind],
    window: Mapping[OwnerKind, Sequence[int]] | None,
) -> Channel:
    allowed = None if window is None else dict(window)
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


def _fuse(
    pool: Mapping[Owner, Candidate], channels: Mapping[str, Scores], weights: Weights, now: datetime
) -> list[tuple[Owner, float]]:
    """Owners with their scores in 0..1, best first; the newer of two equals first."""
    total = dict.fromkeys(pool, 0.0)
    in_play = weights.recency + weights.confidence
    for name, scores in channels.items():
        weight = getattr(weights, name)
        in_play += weight
        for owner, value in _scaled(name, scores).items():
            total[owner] += weight * value
    freshness: dict[str, float] = {}  # by day
    ranked = []
    for owner, row in pool.items():
        day = row.moment[:10]
        if day not in freshness:
            age = max((now - from_text(row.moment)).total_seconds(), 0.0) / _DAY
            freshness[day] = weights.recency * 0.5 ** (age / weights.recency_half_life_days)
        score = total[owner] + freshness[day] + weights.confidence * row.confidence * _TRUST.get(row.trust, 0.5)
        ranked.append((min(score / in_play, 1.0), row.moment, owner))
    ranked.sort(reverse=True)
    return [(owner, score) for score, _, owner in ranked]


def _scaled(name: str, scores: Scores) -> Scores:
    """Dense and word scores as shares of the best one, from the 0 of what has nothing in common with the query."""
    best = max(scores.values(), default=0.0)
    if name not in ("dense", "words") or best <= 0.0:
        return scores if name not in ("dense", "words") else dict.fromkeys(scores, 0.0)
    return {owner: max(score, 0.0) / best for owner, score in scores.items()}
