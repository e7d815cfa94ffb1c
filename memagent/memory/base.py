"""What the parts of the store share: the database, the space, the clock, the embedder, and the log of operations."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from memagent.errors import ModelError
from memagent.memory import mapping
from memagent.memory.claims import clean
from memagent.memory.database import Database
from memagent.memory.records import Action, AskedBy, Fact, MemoryChange, OwnerKind
from memagent.memory.statements import insert, run, to_json
from memagent.memory.time import Clock, to_text

if TYPE_CHECKING:
    from memagent.embedding import Embedder, Passage

MAX_EMBEDDED = 8000  # characters; encoders read fewer tokens than this anyway
MAX_BEFORE = 200  # characters of what was said before


@dataclass(frozen=True)
class Embedded:
    """What is stored of an encoded passage.

    `data` is its vector as bytes (float32, little endian, unit length), `tokens` its token states (int8), if any.
    """

    model: str
    dimension: int
    content_hash: str
    data: bytes
    tokens: bytes | None


def text_hash(text: str) -> str:
    """SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def content_hash(passage: Passage) -> str:
    """Identity of an embedded passage, kept with its vector."""
    return text_hash(f"{passage.before}\0{passage.text}")


def encoded(embedder: Embedder, passages: Sequence[Passage]) -> list[Embedded]:
    """Passages in the form in which they are stored. Raises ModelError."""
    return [
        Embedded(
            embedder.name,
            embedder.dimension,
            content_hash(passage),
            made.vector.astype("<f4").tobytes(),
            None if made.tokens is None else made.tokens.tobytes(),
        )
        for passage, made in zip(passages, embedder.encode(passages), strict=True)
    ]


def passage_of(text: str, before: str = "") -> Passage:
    """The part of a text, and of what was said before it, that is embedded."""
    from memagent.embedding import Passage  # with numpy, which only vectors need

    return Passage(text[:MAX_EMBEDDED], before[-MAX_BEFORE:])


def put_vector(connection: Connection, space_id: int, kind: OwnerKind, owner_id: int, made: Embedded) -> None:
    """Store the vector and the token states of a row that has none."""
    vector_id = insert(
        connection,
        "vectors",
        space_id=space_id,
        owner_kind=kind,
        owner_id=owner_id,
        model=made.model,
        dimension=made.dimension,
        content_hash=made.content_hash,
        data=made.data,
    )
    if made.tokens is not None:
        run(
            connection,
            "insert into token_states (vector_id, data) values (:id, :data)",
            id=vector_id,
            data=made.tokens,
        )


class StoreBase:
    """State and helpers of every part of `MemoryStore`."""

    def __init__(
        self,
        database: Database,
        space: str,
        space_id: int,
        *,
        embedder: Embedder | None,
        clock: Clock,
        data_dir: Path | None,
        vector_url: str | None,
    ) -> None:
        self.database = database
        self.space = space
        self.space_id = space_id
        self.embedder = embedder
        self.clock = clock
        self.data_dir = data_dir
        self.vector_url = vector_url
        self._wake = threading.Event()  # set when the queue has something for the background drain

    def _now(self) -> str:
        return to_text(self.clock.now())

    def _embed(self, texts: Sequence[str], before: str = "") -> Sequence[Embedded | None]:
        """Texts as stored, outside any transaction; None where there is no embedder yet: the row is queued."""
        if self.embedder is None or not texts:
            return [None] * len(texts)
        try:
            return encoded(self.embedder, [passage_of(text, before) for text in texts])
        except ModelError:  # nothing said may be lost over it: the rows are queued, and the drain reports the fault
            return [None] * len(texts)

    def _index(self, connection: Connection, kind: OwnerKind, owner_id: int, vector: Embedded | None, now: str) -> None:
        """Store the vector of a new row and queue it for the index, or queue it to be embedded."""
        if vector is not None:
            put_vector(connection, self.space_id, kind, owner_id, vector)
        self._queue(connection, kind, owner_id, "embed" if vector is None else "upsert", now)

    def _queue(self, connection: Connection, kind: OwnerKind, owner_id: int, action: str, now: str) -> None:
        insert(
            connection,
            "index_queue",
            space_id=self.space_id,
            owner_kind=kind,
            owner_id=owner_id,
            action=action,
            created_at=now,
        )
        self._wake.set()

    def _unindex(self, connection: Connection, kind: OwnerKind, owner_ids: Sequence[int], now: str) -> None:
        """Delete the vectors and the queued work of rows that go, and queue their deletion from the index."""
        for owner_id in owner_ids:
            where = "where owner_kind = :kind and owner_id = :owner"
            run(connection, f"delete from vectors {where}", kind=kind, owner=owner_id)
            run(connection, f"delete from index_queue {where}", kind=kind, owner=owner_id)
            self._queue(connection, kind, owner_id, "delete", now)

    def _recorder(
        self,
        connection: Connection,
        name: str,
        asked_by: AskedBy,
        arguments: Mapping[str, Any],
        session_id: int | None = None,
    ) -> Recorder:
        return Recorder(connection, self.space_id, self._now(), name, asked_by, dict(arguments), session_id)


class Recorder:
    """Applies one operation to the rows and writes it to the log, with all that `undo` needs to take it back."""

    def __init__(
        self,
        connection: Connection,
        space_id: int,
        now: str,
        name: str,
        asked_by: AskedBy,
        arguments: dict[str, Any],
        session_id: int | None,
    ) -> None:
        self.connection = connection
        self.space_id = space_id
        self.now = now
        self.name = name
        self.asked_by = asked_by
        self.arguments = arguments
        self.session_id = session_id
        self.changes: list[dict[str, Any]] = []
        self._started = time.perf_counter()

    def update(self, table: str, row_id: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Set columns of a row from `before` (their present values) to `after`."""
        assignments = ", ".join(f"{column} = :{column}" for column in after)
        run(self.connection, f"update {table} set {assignments} where id = :row_id", row_id=row_id, **after)
        self.note(table, row_id, before, after)

    def note(self, table: str, row_id: int, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Remember what taking the operation back has to restore; None means that the row was not there."""
        self.changes.append({"table": table, "id": row_id, "before": before, "after": after})

    def finish(
        self,
        action: Action,
        before: Fact | None,
        after: Fact | None,
        conflicts: Sequence[Fact] = (),
        extra: Mapping[str, Any] | None = None,
    ) -> MemoryChange:
        """Write the line of the log."""
        subject = after or before
        result: dict[str, Any] = {
            "action": action,
            "before": mapping.fact_json(before) if before else None,
            "after": mapping.fact_json(after) if after else None,
        }
        if conflicts:
            result["conflicts"] = [fact.id for fact in conflicts]
        if self.changes:
            result["changes"] = self.changes
        operation_id = self.write(result | dict(extra or {}), subject.id if subject else None)
        return MemoryChange(operation_id, action, before, after, tuple(conflicts))

    def write(self, result: Mapping[str, Any] | None, fact_id: int | None, duration_ms: float | None = None) -> int:
        """Write the line of the log and return its id."""
        elapsed = (time.perf_counter() - self._started) * 1000.0 if duration_ms is None else duration_ms
        return insert(
            self.connection,
            "operations",
            space_id=self.space_id,
            session_id=self.session_id,
            name=clean(self.name, "name of the operation"),
            asked_by=self.asked_by,
            arguments=to_json(self.arguments),
            result=None if result is None else to_json(result),
            fact_id=fact_id,
            duration_ms=round(elapsed, 3),
            created_at=self.now,
        )
