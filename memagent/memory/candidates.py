"""Which rows a search may show: one small statement per channel and kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from memagent.memory.claims import slot_of, subject_begins
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.lexical import PLACE
from memagent.memory.mapping import moment_text
from memagent.memory.records import Kind, OwnerKind, SearchQuery, State
from memagent.memory.statements import like, rows

Owner = tuple[OwnerKind, int]
Scores = dict[Owner, float]

_TABLES: dict[OwnerKind, str] = {"fact": "facts", "message": "messages", "chunk": "chunks"}
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
        parts = [f"{'+' if by_id else ''}{_TABLES[kind]}.space_id = :space"]
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
                condition = f"{_TABLES[kind]}.id in {ids_in(self.connection)}"
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

    def at_places(self, places: Sequence[int]) -> dict[int, int]:
        """The ids of messages by their places."""
        sql = (
            f"with wanted(place) as {ids_in(self.connection)}"
            " select place, messages.id from wanted join messages"
            f" on session_id = place / {PLACE} and position = place % {PLACE}"
        )
        return {row[0]: row[1] for row in rows(self.connection, sql, ids=ids_text(places))}

    def beside(self, message_ids: Sequence[int]) -> list[Owner]:
        """The messages just before and just after each of these."""
        sql = (
            "select near.id from messages as anchor join messages as near on near.session_id = anchor.session_id"
            " and near.position in (anchor.position - 1, anchor.position + 1)"
            f" where anchor.id in {ids_in(self.connection)}"
        )
        return [("message", row[0]) for row in rows(self.connection, sql, ids=ids_text(message_ids))]

    def _add(self, kind: OwnerKind, sql: str, **parameters: object) -> list[int]:
        found = rows(self.connection, sql, **self.filters.parameters, **parameters)
        excluded = self.filters.exclude_messages if kind == "message" else ()
        kept = [row for row in found if row[0] not in excluded]
        self.rows.update({(kind, row[0]): Candidate(*row[1:5]) for row in kept})
        self._asked.update((kind, row[0]) for row in kept)
        return [row[0] for row in kept]
