"""The store: the only writer of the database. SQL is the truth; a write returns when it is durable and can be found."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from memagent.errors import InputError, NotFoundError
from memagent.memory.claims import clean
from memagent.memory.database import Database
from memagent.memory.documents import DocumentStore
from memagent.memory.forget import ForgetStore
from memagent.memory.searching import SearchStore
from memagent.memory.statements import insert, one, rows
from memagent.memory.time import Clock, SystemClock, to_text

if TYPE_CHECKING:
    from memagent.embedding import Embedder

_COUNTED = (
    "sessions", "messages", "facts", "documents", "chunks", "operations", "vectors", "index_queue", "tombstones"
)  # fmt: skip


class MemoryStore(ForgetStore, DocumentStore, SearchStore):
    """The memory of one space: sessions and messages, facts, core blocks, documents, the log, and search over them.

    May be used from several threads; several processes may use one database. Every write is one transaction.
    """

    @classmethod
    def open(
        cls,
        url: str,
        *,
        space: str = "default",
        embedder: Embedder | None = None,
        clock: Clock | None = None,
        data_dir: Path | None = None,
        vector_url: str | None = None,
        create: bool = True,
        full_sync: bool = False,
    ) -> MemoryStore:
        """Open the store at an SQL URL, creating or migrating its schema where that is due.

        `data_dir` holds the vector index (default: the folder of the SQLite file). With `create` False a store or a
        space that is not there is a NotFoundError. Raises InputError for a URL that cannot be used, and StoreError when
        the database is busy, read-only, full, damaged, of a newer memagent or of another program.
        """
        clock = clock or SystemClock()
        space = clean(space, "name of the space").strip()
        if not space:
            raise InputError("the name of the space is empty", "choose one with --space")
        database = Database(url, full_sync=full_sync, create=create)
        try:
            database.migrate()
            space_id = _space_id(database, space, clock, create)
            store = cls(
                database, space, space_id, embedder=embedder, clock=clock, data_dir=data_dir, vector_url=vector_url
            )
        except BaseException:
            database.close()
            raise
        return store

    def close(self) -> None:
        """Stop background work and close all connections. What is queued stays queued for the next start."""
        self._stop_drain()
        try:
            self.finish_scrub()
        finally:
            self.database.close()

    def __enter__(self) -> MemoryStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The SQL URL of the database, with its password: not for the screen."""
        return self.database.url.render_as_string(hide_password=False)

    def spaces(self) -> list[str]:
        """The names of all spaces of the database, in alphabetical order."""
        with self.database.read() as connection:
            return [row[0] for row in rows(connection, "select name from spaces order by name")]

    def stats(self) -> dict[str, int]:
        """Counts of this space: the rows of each table, `current_facts`, open `conflicts`, rows `waiting_to_embed`,
        `scrub_pending` (1 while bytes of something forgotten may be left), the `bytes` of an SQLite file and its log.
        """
        counts = {table: f"(select count(*) from {table} where space_id = :space)" for table in _COUNTED}
        counts |= {
            "current_facts": f"{counts['facts'][:-1]} and retired_at is null)",
            "conflicts": "(select count(*) from conflicts where space_id = :space and resolved_at is null)",
            "waiting_to_embed": f"{counts['index_queue'][:-1]} and action = 'embed')",
        }
        with self.database.read() as connection:
            row = one(connection, f"select {', '.join(counts.values())}", space=self.space_id) or ()
        result: dict[str, int] = dict(zip(counts, row, strict=True))
        result["scrub_pending"] = int(self.scrub_pending())
        if self.database.path is not None:
            files = (Path(f"{self.database.path}{suffix}") for suffix in ("", "-wal"))
            result["bytes"] = sum(file.stat().st_size for file in files if file.exists())
        return result


def _space_id(database: Database, name: str, clock: Clock, create: bool) -> int:
    sql = "select id from spaces where name = :name"
    with database.read() as connection:
        row = one(connection, sql, name=name)
    if row is None and not create:
        raise NotFoundError(f"there is no space {name!r} in {database.where}", "check --space")
    if row is None:
        with database.write() as connection:
            row = one(connection, sql, name=name)
            if row is None:
                return insert(connection, "spaces", name=name, created_at=to_text(clock.now()))
    return int(row[0])
