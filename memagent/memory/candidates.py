"""Where search candidates come from, and which of them may be shown: one small statement per channel and kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import Connection

from memagent.memory.claims import slot_of, subject_begins
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.mapping import moment_text
from memagent.memory.records import Kind, OwnerKind, SearchQuery, State
from memagent.memory.statements import like, one, rows
from memagent.memory.words import all_of, any_of, tsquery_any_of

Owner = tuple[OwnerKind, int]
Scores = dict[Owner, float]

# How many rows one query may rank, over all of its words; BM25 costs 1 to 2 µs a row. Rarest words first, the rest are
# left out.
RANKED_ROWS = 1000

_TABLES: dict[OwnerKind, tuple[str, str]] = {
    "fact": ("facts", "fact_words"),
    "message": ("messages", "message_words"),
    "chunk": ("chunks", "chunk_words"),
}
_ROWS: dict[OwnerKind, str] = {
    "fact": "select facts.id, recorded_at, confidence, trust, valid_from from facts",
    "message": "select messages.id, created_at, 1.0, 'user', null from messages",
    "chunk": "select chunks.id, added_at, 1.0, 'document', null from chunks"
    " join documents on documents.id = document_id",
}
_SAID: dict[OwnerKind, str] = {"fact": "recorded_at", "message": "created_at", "chunk": "added_at"}

# Said in the window, or true in it. What happens at a moment has no open end: a meeting is not still on.
_HELD = (
    "(valid_from is not null and valid_from < :until and (valid_to > :since or valid_from >= :since"
    " or (valid_to is null and kind in ('fact', 'preference', 'note'))))"
)


@dataclass(frozen=True)
class Filters:
    """What a row must be to be shown. `since`/`until` are TIME texts; half-open."""

    space_id: int
    since: str
    until: str
    bounded: bool
    state: State
    kind: Kind | None
    about: str | None  # a pattern for the slot
    exclude_messages: frozenset[int]

    @classmethod
    def of(cls, space_id: int, query: SearchQuery) -> Filters:
        return cls(
            space_id,
            moment_text(query.since) or "",
            moment_text(query.until) or "~",  # after every date
            query.since is not None or query.until is not None,
            query.state,
            query.kind,
            subject_begins(query.about) if query.about else None,
            query.exclude_messages,
        )

    def select(self, kind: OwnerKind, condition: str = "", *, by_id: bool = False) -> str:
        """The statement for the visible rows of a kind: id and the fields of `Candidate`.

        `by_id` says that `condition` picks rows by id; the plus keeps SQLite from walking the whole space instead.
        """
        parts = [f"{'+' if by_id else ''}{_TABLES[kind][0]}.space_id = :space"]
        if condition:
            parts.append(condition)
        if kind == "message":
            parts.append("role in ('user', 'assistant')")
        if kind == "fact":
            if self.state != "all":
                parts.append(f"retired_at is {'null' if self.state == 'current' else 'not null'}")
            if self.kind is not None:
                parts.append("kind = :kind")
            if self.about is not None:
                parts.append("slot like :about escape '!'")
        if self.bounded:
            said = f"({_SAID[kind]} >= :since and {_SAID[kind]} < :until)"
            parts.append(f"({said} or {_HELD})" if kind == "fact" else said)
        return f"{_ROWS[kind]} where {' and '.join(parts)}"

    @property
    def parameters(self) -> dict[str, object]:
        values: dict[str, object] = {"space": self.space_id, "kind": self.kind, "about": self.about}
        return values | ({"since": self.since, "until": self.until} if self.bounded else {})


@dataclass(frozen=True)
class Candidate:
    """What the priors need to know of a row that may be shown."""

    moment: str  # when it was said
    confidence: float
    trust: str
    began: str | None  # when it began to hold true, where that is known


class Visible:
    """Tells which candidates pass the filters; asks SQL once for each row."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self.connection = connection
        self.filters = filters
        self.rows: dict[Owner, Candidate] = {}
        self._asked: set[Owner] = set()

    def admit(self, owners: Iterable[Owner]) -> None:
        new = [owner for owner in dict.fromkeys(owners) if owner not in self._asked]
        self._asked.update(new)
        for kind in _TABLES:
            ids = [owner for owner_kind, owner in new if owner_kind == kind]
            if kind == "message":
                ids = [owner for owner in ids if owner not in self.filters.exclude_messages]
            if ids:
                condition = f"{_TABLES[kind][0]}.id in {ids_in(self.connection)}"
                self._add(kind, self.filters.select(kind, condition, by_id=True), ids=ids_text(ids))

    def admit_window(self, kinds: Sequence[OwnerKind]) -> dict[OwnerKind, list[int]]:
        """All visible rows of the window, newest first."""
        return {kind: self._add(kind, f"{self.filters.select(kind)} order by 2 desc") for kind in kinds}

    def admit_slot(self, subject: str, attribute: str, limit: int) -> list[int]:
        """Facts in the slot, newest first; a subject or an attribute alone stands for all its slots."""
        slot = slot_of(subject, attribute) if subject and attribute else ""
        pattern = like(slot_of(subject, ""))[1:] if subject else like("|" + slot_of("", attribute)[1:])[:-1]
        condition = "slot = :slot" if slot else "slot like :slot escape '!'"
        sql = f"{self.filters.select('fact', condition)} order by 2 desc limit :limit"
        return self._add("fact", sql, slot=(slot or pattern).encode("utf-8", "replace").decode(), limit=limit)

    def _add(self, kind: OwnerKind, sql: str, **parameters: object) -> list[int]:
        found = rows(self.connection, sql, **self.filters.parameters, **parameters)
        excluded = self.filters.exclude_messages if kind == "message" else ()
        kept = [row for row in found if row[0] not in excluded]
        self.rows.update({(kind, row[0]): Candidate(*row[1:5]) for row in kept})
        self._asked.update((kind, row[0]) for row in kept)
        return [row[0] for row in kept]


def word_search(connection: Connection, terms: Sequence[str], kind: OwnerKind) -> Callable[[int], Scores]:
    """A function from k to the best k rows of a kind by BM25 (ts_rank_cd on PostgreSQL), larger is better."""
    if not terms:
        return lambda k: {}
    if connection.dialect.name != "sqlite":
        return lambda k: _rank_on_server(connection, terms, kind, k)
    by_rarity, affordable = _by_rarity(connection, terms, kind)
    if affordable:
        return lambda k: _rank(connection, any_of(by_rarity[:affordable]), kind, k)
    return lambda k: _rank_newest(connection, by_rarity, kind, k)


def _rank(connection: Connection, query: str, kind: OwnerKind, k: int) -> Scores:
    words = _TABLES[kind][1]
    sql = f"select rowid, rank from {words} where {words} match :query order by rank limit :k"
    return {(kind, row[0]): -row[1] for row in rows(connection, sql, query=query, k=k)}


def _rank_newest(connection: Connection, by_rarity: Sequence[str], kind: OwnerKind, k: int) -> Scores:
    """Where every word is frequent: the newest rows that hold them all, or else the rarest of them, by rank."""
    words = _TABLES[kind][1]
    sql = (
        f"select * from (select rowid, rank from {words} where {words} match :query order by rowid desc limit :newest)"
        " order by 2 limit :k"
    )
    for query in (all_of(by_rarity), any_of(by_rarity[:1])):
        if found := rows(connection, sql, query=query, newest=max(RANKED_ROWS // 3, k), k=k):
            return {(kind, row[0]): -row[1] for row in found}
    return {}


def _by_rarity(connection: Connection, terms: Sequence[str], kind: OwnerKind) -> tuple[list[str], int]:
    """`terms`, rarest first, and how many of them occur in no more than `RANKED_ROWS` rows together.

    Counting stops there too.
    """
    words = _TABLES[kind][1]
    count = f"(select count(*) from (select 1 from {words} where {words} match :t{{}} limit {RANKED_ROWS + 1}))"
    sql = "select " + ", ".join(count.format(number) for number in range(len(terms)))
    found = one(connection, sql, **{f"t{number}": any_of([term]) for number, term in enumerate(terms)})
    assert found is not None
    counted = sorted(zip(found, terms, strict=True))
    affordable = sum(total <= RANKED_ROWS for total in accumulate(count for count, _ in counted))
    return [term for _, term in counted], affordable


def _rank_on_server(connection: Connection, terms: Sequence[str], kind: OwnerKind, k: int) -> Scores:
    sql = (
        f"select id, ts_rank_cd(words, query) from {_TABLES[kind][0]}, to_tsquery('english', :query) as query"
        " where words @@ query order by 2 desc, 1 desc limit :k"
    )
    return {(kind, row[0]): float(row[1]) for row in rows(connection, sql, query=tsquery_any_of(terms), k=k)}
