"""The work that a write leaves for later: embedding rows that came before the embedder, and feeding the index.

The queue is a table, written in the transaction of the row it is about, so a crash loses none of it. Models are never
called inside a transaction; what was embedded is stored only if its row is still queued and still says the same.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from memagent.errors import MemagentError
from memagent.memory.base import Embedded, content_hash, encoded, passage_of, put_vector
from memagent.memory.database import Database
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.mapping import fact_text
from memagent.memory.records import OwnerKind
from memagent.memory.statements import insert, one, rows, run
from memagent.memory.time import Clock, to_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from memagent.embedding import Embedder, Passage
    from memagent.memory.index_keeper import IndexKeeper

LOG = logging.getLogger(__name__)

EMBED_BATCH = 64
IDLE_SECONDS = 2.0  # between looks at what other processes have queued

EMBEDDED_ROWS: dict[OwnerKind, str] = {  # what has vectors, by kind: a table, or a query as one
    "fact": "facts",
    "message": "(select * from messages where role in ('user', 'assistant') and trim(content) <> '')",
    "chunk": "chunks",
}
_TEXTS: dict[OwnerKind, str] = {
    "fact": "select id, space_id, subject, attribute, value, text from facts where id in {ids}",
    "message": (
        "select id, space_id, content, (select b.content from messages b where b.session_id = messages.session_id"
        " and b.position < messages.position and b.role in ('user', 'assistant') order by b.position desc limit 1)"
        " from messages where id in {ids} and role in ('user', 'assistant')"
    ),
    "chunk": "select id, space_id, text from chunks where id in {ids}",
}


class Outbox:
    """Drains the queue of one store. `embedder` may be set later; until then rows that need one wait."""

    def __init__(
        self, database: Database, *, clock: Clock, embedder: Embedder | None = None, keeper: IndexKeeper | None = None
    ) -> None:
        self.database = database
        self.clock = clock
        self.embedder = embedder
        self.keeper = keeper
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End a drain that runs in another thread at its next batch; later drains do nothing."""
        self._stopping.set()
        if self.keeper is not None:
            self.keeper.stopping.set()

    def drain(self, limit: int | None = None) -> int:
        """Embed up to `limit` queued rows (all by default) and bring the index in step; returns the queue rows handled.

        Raises StoreError and ModelError; what is not done stays queued.
        """
        handled = 0
        while self.embedder is not None and (limit is None or handled < limit) and not self._stopping.is_set():
            size = EMBED_BATCH if limit is None else min(EMBED_BATCH, limit - handled)
            done = self._embed_batch(self.embedder, size)
            if not done:
                break
            handled += done
        if self.keeper is not None:
            handled += self.keeper.sync()
        return handled

    def queue_missing(self, embedder: Embedder, space_id: int) -> int:
        """Queue every row of a space that has no vector of this embedder and is not queued; returns how many."""
        now = to_text(self.clock.now())
        added = 0
        with self.database.write() as connection:
            for kind, table in EMBEDDED_ROWS.items():
                sql = _QUEUE_MISSING.format(kind=kind, table=table)
                added += run(connection, sql, space=space_id, model=embedder.name, now=now).rowcount
        return added

    def _embed_batch(self, embedder: Embedder, size: int) -> int:
        with self.database.read() as connection:
            sql = "select id, owner_kind, owner_id from index_queue where action = 'embed' order by id limit :size"
            queued = rows(connection, sql, size=size)
            texts = self._texts(connection, [(row[1], row[2]) for row in queued])
        if not queued:
            return 0
        owners = list(texts)
        made = encoded(embedder, [texts[owner][1] for owner in owners]) if owners else []
        with self.database.write() as connection:
            self._store(connection, texts, dict(zip(owners, made, strict=True)))
            sql = f"delete from index_queue where id in {ids_in(connection)}"
            run(connection, sql, ids=ids_text(row[0] for row in queued))
        return len(queued)

    def _store(
        self,
        connection: Connection,
        texts: dict[tuple[OwnerKind, int], tuple[int, Passage]],
        made: dict[tuple[OwnerKind, int], Embedded],
    ) -> None:
        now = to_text(self.clock.now())
        unchanged = self._texts(connection, list(texts))
        for owner, (space_id, passage) in texts.items():
            if unchanged.get(owner) != (space_id, passage):
                continue  # forgotten or redacted meanwhile, which has queued what is left of it anew
            kind, owner_id = owner
            names = {"kind": kind, "owner": owner_id, "model": made[owner].model}
            where = "where owner_kind = :kind and owner_id = :owner"
            found = one(connection, f"select content_hash from vectors {where} and model = :model", **names)
            if found is not None and found[0] == content_hash(passage):
                continue  # another process was quicker
            run(connection, f"delete from vectors {where}", **names)  # those of an earlier embedder, too
            put_vector(connection, space_id, kind, owner_id, made[owner])
            insert(
                connection, "index_queue", space_id=space_id, owner_kind=kind, owner_id=owner_id, action="upsert",
                created_at=now,
            )  # fmt: skip

    def _texts(
        self, connection: Connection, owners: Sequence[tuple[OwnerKind, int]]
    ) -> dict[tuple[OwnerKind, int], tuple[int, Passage]]:
        """Space and passage of each of `owners` that exists."""
        found: dict[tuple[OwnerKind, int], tuple[int, Passage]] = {}
        for kind, sql in _TEXTS.items():
            ids = ids_text(owner for owner_kind, owner in owners if owner_kind == kind)
            for row in rows(connection, sql.format(ids=ids_in(connection)), ids=ids):
                found[kind, row[0]] = (row[1], _passage(kind, row[2:]))
        return found


def _passage(kind: OwnerKind, columns: Sequence[str | None]) -> Passage:
    """What is embedded of a row: of a fact subject, attribute, value and text; of a message also what came before."""
    parts = [column or "" for column in columns]
    return passage_of(fact_text(*parts)) if kind == "fact" else passage_of(*parts)


class BackgroundDrain:
    """A thread that drains an outbox at start, when `wake` is set, and every `IDLE_SECONDS` for the sake of other
    processes."""

    def __init__(self, outbox: Outbox, wake: threading.Event | None = None) -> None:
        self.outbox = outbox
        self.wake = wake if wake is not None else threading.Event()
        self._stop = threading.Event()
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="memagent-drain", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ask the thread to end and wait for it; what is left stays queued for the next start."""
        self._stop.set()
        self.outbox.stop()
        self.wake.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            self.wake.clear()
            try:
                while self.outbox.drain(EMBED_BATCH) and not self._stop.is_set():
                    pass
            except MemagentError as error:
                self._say(error.message)
            self.wake.wait(IDLE_SECONDS)

    def _say(self, message: str) -> None:
        """Once each: the thread comes back to the same fault every two seconds."""
        if message not in self._said:
            self._said.add(message)
            LOG.warning("the queue of the store is not drained: %s", message)


_QUEUE_MISSING = """
    insert into index_queue (space_id, owner_kind, owner_id, action, created_at)
    select space_id, '{kind}', id, 'embed', :now from {table} as owned
    where space_id = :space
    and not exists (select 1 from vectors where owner_kind = '{kind}' and owner_id = owned.id and model = :model)
    and not exists (select 1 from index_queue where owner_kind = '{kind}' and owner_id = owned.id and action = 'embed')
"""
