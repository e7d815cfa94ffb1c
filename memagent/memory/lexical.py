"""BM25 from postings: over a row, over a turn with the turns beside it, and over the session it belongs to.

A turn of a conversation is short and leans on its neighbours: "yes, since March" answers what the turn before asked.
So a message is also scored as part of a window of three turns, and its session as a whole (Robertson and Zaragoza 2009,
"The Probabilistic Relevance Framework: BM25 and Beyond"). Full text gives which rows hold a word; how often a row holds
it hardly matters in texts this short and is taken as once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from memagent.memory.records import OwnerKind
from memagent.memory.statements import one, rows
from memagent.memory.words import all_of, any_of, tsquery_all_of, tsquery_any_of

# How many rows one query may look at, over all of its words; 1 to 2 µs each. Rarest words first, the rest are left out.
RANKED_ROWS = 2000
K1, B = 1.2, 0.75

Keys = NDArray[np.int64]
Floats = NDArray[np.float64]

PLACE = 1 << 20  # positions in a session, in the key of a message: session * PLACE + position

TABLES: dict[OwnerKind, tuple[str, str]] = {
    "fact": ("facts", "fact_words"),
    "message": ("messages", "message_words"),
    "chunk": ("chunks", "chunk_words"),
}


@dataclass(frozen=True)
class Lexical:
    """What the words of a query say about the rows of one kind.

    `keys` are sorted: ids, or of messages their places (`place_of`), those beside a row with a word included. `own` and
    `window` are counts of shape (words, keys); `idf` has shape (words,). `sessions` and `session_scores` go together.
    """

    keys: Keys
    own: Floats
    window: Floats
    idf: Floats
    window_idf: Floats
    sessions: Keys
    session_scores: Floats

    def best(self, k: int) -> list[tuple[int, float]]:
        """The `k` best keys, best first, by the mean of both scores; length is not looked at yet."""
        if not len(self.keys):
            return []
        scores = self.idf @ self.own + self.window_idf @ _saturated(self.window, np.ones(len(self.keys)))
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(self.keys[at]), float(scores[at]) / 2) for at in order]

    def scores(self, keys: Keys, lengths: Floats) -> tuple[Floats, Floats]:
        """BM25 of rows and of their windows; `lengths` in units of the average row."""
        if not len(self.keys):
            return np.zeros(len(keys)), np.zeros(len(keys))
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        found = self.keys[at] == keys
        own = self.idf @ (_saturated(self.own[:, at], lengths) * found)
        window = self.window_idf @ (_saturated(self.window[:, at], (lengths + 2.0) / 3.0) * found)
        return own, window

    def of_sessions(self, sessions: Keys) -> Floats:
        """BM25 of sessions, whatever their length."""
        if not len(self.sessions):
            return np.zeros(len(sessions))
        at = np.minimum(np.searchsorted(self.sessions, sessions), len(self.sessions) - 1)
        scores: Floats = np.where(self.sessions[at] == sessions, self.session_scores[at], 0.0)
        return scores


def place_of(session_id: int, position: int) -> int:
    return session_id * PLACE + position


def lexical(connection: Connection, terms: Sequence[str], kind: OwnerKind, space_id: int) -> Lexical:
    """Look up the words of a query (from `words.content_words`) among the rows of one kind.

    Where every word is too frequent, the newest rows that hold them all, or else the rarest, stand for the rest.
    """
    if not terms:
        return _EMPTY
    counted = _counted(connection, terms, kind)
    if not counted:
        return _EMPTY
    affordable = sum(total <= RANKED_ROWS for total in accumulate(count for count, _ in counted))
    total = _size(connection, kind)
    if affordable:
        chosen = [(count, any_of([term]), tsquery_any_of([term])) for count, term in counted[:affordable]]
    else:
        several = [term for _, term in counted]
        chosen = [(RANKED_ROWS, all_of(several), tsquery_all_of(several))]
    newest = not affordable
    postings = [_postings(connection, kind, space_id, query, server, newest) for _, query, server in chosen]
    if newest and not len(postings[0]):
        term = counted[0][1]
        postings = [_postings(connection, kind, space_id, any_of([term]), tsquery_any_of([term]), newest)]
    kept = [(count, keys) for (count, _, _), keys in zip(chosen, postings, strict=True) if len(keys)]
    if not kept:
        return _EMPTY
    counts = np.array([count for count, _ in kept], float)
    return _scored([keys for _, keys in kept], counts, total, windows=kind == "message")


def _scored(postings: Sequence[Keys], counts: Floats, total: int, *, windows: bool) -> Lexical:
    terms = len(postings)
    every = np.concatenate(postings)
    words = np.repeat(np.arange(terms), [len(keys) for keys in postings])
    steps = (0, -1, 1) if windows else (0,)
    keys, at = np.unique(np.concatenate([every + step for step in steps]), return_inverse=True)
    size = len(keys)
    own = np.bincount(words * size + at[: len(every)], minlength=terms * size).reshape(terms, size)
    cells = np.tile(words, len(steps)) * size + at
    window = np.bincount(cells, minlength=terms * size).reshape(terms, size)
    sessions, session_scores = _sessions(every, words, terms) if windows else (_NONE, np.zeros(0))
    return Lexical(
        keys,
        np.minimum(own, 1).astype(float),
        window.astype(float),
        _idf(counts, total),
        _idf(np.minimum(counts * len(steps), total), total),
        sessions,
        session_scores,
    )


def _sessions(every: Keys, words: Keys, terms: int) -> tuple[Keys, Floats]:
    sessions, at = np.unique(every // PLACE, return_inverse=True)
    counts = np.bincount(words * len(sessions) + at, minlength=terms * len(sessions)).reshape(terms, len(sessions))
    held = (counts > 0).sum(axis=1).astype(float)
    # How many sessions there are is not looked up: sessions without any of the words are not compared.
    idf = _idf(held, int(sessions[-1]))
    scores: Floats = idf @ _saturated(counts.astype(float), np.ones(len(sessions)))
    return sessions, scores


def _saturated(counts: Floats, lengths: Floats) -> Floats:
    result: Floats = counts * (K1 + 1.0) / (counts + K1 * (1.0 - B + B * lengths))
    return result


def _idf(counts: Floats, total: int) -> Floats:
    result: Floats = np.log1p((np.maximum(total - counts, 0.0) + 0.5) / (counts + 0.5))
    return result


def _counted(connection: Connection, terms: Sequence[str], kind: OwnerKind) -> list[tuple[int, str]]:
    """In how many rows each word stands, rarest first. Counting stops where a word is too frequent to be looked at."""
    table, words = TABLES[kind]
    if connection.dialect.name == "sqlite":
        count = f"(select count(*) from (select 1 from {words} where {words} match :t{{}} limit {RANKED_ROWS + 1}))"
        given = {f"t{number}": any_of([term]) for number, term in enumerate(terms)}
    else:
        inner = f"select 1 from {table} where words @@ to_tsquery('english', :t{{}}) limit {RANKED_ROWS + 1}"
        count = f"(select count(*) from ({inner}) as some{{}})"
        given = {f"t{number}": tsquery_any_of([term]) for number, term in enumerate(terms)}
    found = one(
        connection, "select " + ", ".join(count.format(number, number) for number in range(len(terms))), **given
    )
    assert found is not None
    return sorted((held, term) for held, term in zip(found, terms, strict=True) if held)


def _postings(
    connection: Connection, kind: OwnerKind, space_id: int, query: str, server_query: str, newest: bool
) -> Keys:
    table, words = TABLES[kind]
    # Wider than the columns: on PostgreSQL those have 32 bits.
    key = f"cast(session_id as bigint) * {PLACE} + position" if kind == "message" else f"{table}.id"
    order = f" order by {table}.id desc limit {RANKED_ROWS // 3}" if newest else ""
    spoken = " and role in ('user', 'assistant')" if kind == "message" else ""
    if connection.dialect.name == "sqlite":
        order = order.replace(f"{table}.id", "rowid")
        inner = f"select rowid from {words} where {words} match :query{order}"
        sql = f"select {key} from {table} where id in ({inner}) and +space_id = :space{spoken}"
        found = rows(connection, sql, query=query, space=space_id)
    else:
        where = f"words @@ to_tsquery('english', :query) and space_id = :space{spoken}"
        found = rows(connection, f"select {key} from {table} where {where}{order}", query=server_query, space=space_id)
    return np.fromiter((row[0] for row in found), np.int64, len(found))


def _size(connection: Connection, kind: OwnerKind) -> int:
    row = one(connection, f"select max(id) from {TABLES[kind][0]}")
    return int(row[0]) if row is not None and row[0] is not None else 1


_NONE = np.empty(0, np.int64)
_NOTHING = np.empty((0, 0))
_EMPTY = Lexical(_NONE, _NOTHING, _NOTHING, np.empty(0), np.empty(0), _NONE, np.empty(0))
