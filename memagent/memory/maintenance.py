"""Proof that the store is whole, and the rebuilding of everything in it that is derived.

`check` changes nothing. `reindex` makes full text and the vector index anew from the rows and the stored vectors; only
rows whose vector is missing or damaged are embedded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from memagent.errors import StoreError
from memagent.memory.index import IndexFailure
from memagent.memory.index_keeper import IndexKeeper, Progress
from memagent.memory.index_state import IndexPlace
from memagent.memory.outbox import EMBEDDED_ROWS
from memagent.memory.records import OwnerKind
from memagent.memory.statements import one, rows, run
from memagent.memory.time import to_text
from memagent.memory.vectors import VectorSpace, decode

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memagent.memory.store import MemoryStore

FULL_TEXT = ("fact_words", "message_words", "chunk_words")
_OWNERS: dict[OwnerKind, str] = {"fact": "facts", "message": "messages", "chunk": "chunks"}
_MANY = 5  # findings of one kind that are told in full


@dataclass(frozen=True)
class Report:
    """What `check` found: problems in one sentence each (none when all agrees), and how many rows it looked at."""

    problems: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)


def check(store: MemoryStore) -> Report:
    """Compare the database with itself and with its indexes: file, references, full text, vectors, queue, vector index.

    Looks at all spaces but the vector index, which is that of the store's space. Raises StoreError when the database
    cannot be read.
    """
    with store.database.read() as connection:
        problems = _file(connection) if store.database.sqlite else []
        problems += _references(connection)
        problems += _vectors(connection)
        counts = _counts(connection)
        models = _models(connection, store.space_id)
    if store.database.sqlite:
        problems += _full_text(store)
    for space in models:
        if (keeper := _keeper(store, space)) is not None:
            problems += keeper.inspect()
    return Report(tuple(problems), counts)


def reindex(store: MemoryStore, progress: Progress | None = None) -> Report:
    """Rebuild full text and the vector index, and embed what lacks a vector if the store has its embedder; then check.

    `progress` gets the number of vectors in the index and their total. Raises StoreError while another process uses
    the index.
    """
    with store.database.write() as connection:
        if store.database.sqlite:
            for table in FULL_TEXT:
                run(connection, f"insert into {table}({table}) values ('rebuild')")
        for kind, table in _OWNERS.items():
            where = f"where owner_kind = '{kind}' and not exists (select 1 from {table} where id = owner_id)"
            run(connection, f"delete from vectors {where}")
            run(connection, f"delete from index_queue {where} and action <> 'delete'")
        for vector_id, _ in _damaged(connection):
            run(connection, "delete from vectors where id = :id", id=vector_id)
        _queue_missing(connection, to_text(store.clock.now()))
        models = _models(connection, store.space_id)
    for space in models:
        keeper = _keeper(store, space)
        if keeper is None:
            continue
        try:
            keeper.rebuild(progress)
        except IndexFailure as failure:
            message = f"the vector index cannot be rebuilt: {failure}"
            raise StoreError(message, "stop the other process, or try again") from failure
        finally:
            if keeper is not store.index_keeper:
                keeper.close()
    store.drain()
    return check(store)


def _keeper(store: MemoryStore, space: VectorSpace) -> IndexKeeper | None:
    """The keeper that the store has open, or one of its own for vectors of an embedder that is not attached."""
    own = store.index_keeper
    if own is not None and own.space == space:
        return own
    place = IndexPlace.of(store.database, store.data_dir, store.vector_url)
    return None if place is None else IndexKeeper(store.database, space, place)


def _models(connection: Connection, space_id: int) -> list[VectorSpace]:
    sql = "select distinct model, dimension from vectors where space_id = :space order by model, dimension"
    return [VectorSpace(space_id, row[0], row[1]) for row in rows(connection, sql, space=space_id)]


def _count(connection: Connection, sql: str) -> int:
    row = one(connection, f"select count(*) from {sql}")
    return int(row[0]) if row is not None else 0


def _counts(connection: Connection) -> dict[str, int]:
    tables = (
        *("spaces", "sessions", "messages", "facts", "chunks", "vectors", "token_states", "index_queue"),
        "operations",
    )
    return {table: _count(connection, table) for table in tables}


def _file(connection: Connection) -> list[str]:
    """SQLite's own opinion of the file."""
    found = [str(row[0]) for row in rows(connection, f"PRAGMA integrity_check({_MANY})")]
    problems = [f"the database file is damaged: {line}" for line in found if line != "ok"]
    broken = rows(connection, "PRAGMA foreign_key_check")
    problems += [f"row {row[1]} of {row[0]} refers to a row of {row[2]} that is not there" for row in broken[:_MANY]]
    return problems


def _references(connection: Connection) -> list[str]:
    """Rules that the schema does not state."""
    checks = {
        "facts are current and superseded at once": "facts where superseded_by is not null and retired_at is null",
        "facts end before they begin": "facts where valid_to < valid_from",
        "sources point outside their message": "fact_sources join messages on messages.id = message_id"
        " where span_start < 0 or span_end < span_start or span_end > length(content)",
        "facts were superseded by one of another space": "facts as old join facts as new on new.id = old.superseded_by"
        " where new.space_id <> old.space_id",
    }
    found = {what: _count(connection, sql) for what, sql in checks.items()}
    return [f"{count} {what}" for what, count in found.items() if count]


def _vectors(connection: Connection) -> list[str]:
    """Every row that is searched has a whole vector or waits for one; no vector is without its row."""
    problems = []
    for kind, table in _OWNERS.items():
        orphans = _count(
            connection,
            f"vectors where owner_kind = '{kind}' and not exists (select 1 from {table} where {table}.id = owner_id)",
        )
        if orphans:
            problems.append(f"{orphans} vectors belong to a {kind} that is not there")
        forgotten = _count(connection, f"({_WITHOUT_VECTOR[kind]}) as lacking")
        if forgotten:
            problems.append(f"{forgotten} rows of {table} have no vector and do not wait for one")
    damaged = _damaged(connection)
    problems += [f"vector {vector_id} is damaged: {what}" for vector_id, what in damaged[:_MANY]]
    if len(damaged) > _MANY:
        problems.append(f"{len(damaged) - _MANY} more vectors are damaged")
    return problems


def _damaged(connection: Connection) -> list[tuple[int, str]]:
    """Vectors that are not unit vectors of their dimension, by id."""
    found = []
    for vector_id, dimension, data in run(connection, "select id, dimension, data from vectors order by id"):
        vector = decode(data, dimension)
        if vector is None:
            found.append((vector_id, f"{len(data)} bytes for {dimension} numbers"))
        elif not abs(float(np.linalg.norm(vector)) - 1.0) < 1e-3:  # also where it is not a number
            found.append((vector_id, "not of length 1"))
    return found


def _full_text(store: MemoryStore) -> list[str]:
    problems = []
    for table in FULL_TEXT:
        try:
            with store.database.write() as connection:  # FTS5 takes its commands as inserts; this one writes nothing
                run(connection, f"insert into {table}({table}, rank) values ('integrity-check', 1)")
        except StoreError as error:
            problems.append(f"the full text in {table} does not agree with its rows ({error.message})")
    return problems


def _queue_missing(connection: Connection, now: str) -> None:
    for kind, sql in _WITHOUT_VECTOR.items():
        insert = "insert into index_queue (space_id, owner_kind, owner_id, action, created_at)"
        run(connection, f"{insert} select space_id, '{kind}', id, 'embed', :now from ({sql}) as lacking", now=now)


_WITHOUT_VECTOR = {
    kind: (
        f"select id, space_id from {rows_of} as owned"
        f" where not exists (select 1 from vectors where owner_kind = '{kind}' and owner_id = owned.id)"
        f" and not exists (select 1 from index_queue where owner_kind = '{kind}' and owner_id = owned.id"
        " and action = 'embed')"
    )
    for kind, rows_of in EMBEDDED_ROWS.items()
}
