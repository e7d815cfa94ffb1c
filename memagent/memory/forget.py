"""Letting go for good: what is forgotten leaves every table, the full text, and the bytes of the file and its log."""

from __future__ import annotations

import mmap
import time
from collections.abc import Collection

from sqlalchemy import Connection

from memagent.errors import StoreBusyError, StoreFullError, StoreReadOnlyError
from memagent.memory.erase import Eraser, delete_facts
from memagent.memory.records import AskedBy, MemoryChange, OwnerKind
from memagent.memory.sessions import SessionStore
from memagent.memory.statements import one, rows, run
from memagent.memory.undo import UndoStore

FULL_TEXT = ("fact_words", "message_words", "chunk_words")
SCRUB_SECONDS = 2.0  # how long to wait for readers that keep the write-ahead log from being cut
_PENDING = 1  # PRAGMA user_version while the file may still hold bytes of what was forgotten


class ForgetStore(SessionStore, UndoStore):
    """The part of `MemoryStore` that erases."""

    def forget_fact(self, fact_id: int, *, asked_by: AskedBy, session_id: int | None = None) -> MemoryChange:
        """Erase a fact, all its versions, and the words of the claim wherever they were kept.

        Gone afterwards: the rows, their sources, vectors and index entries; the claim's words in messages (each leaves
        `[forgotten]`), stored events, core blocks, titles, the log and other facts' sentences; their bytes in the
        file. A tombstone with ids and times stays. Cannot be undone. The operation's result counts the messages
        changed, lists other facts that claim the same value in their own right, and counts messages that use an
        ordinary word in another sense; it stays in those, and where such other facts were told. Raises NotFoundError.
        """
        with self.database.write() as connection:
            fact = self._fact(connection, fact_id)
            recorder = self._recorder(connection, "forget", asked_by, {"id": fact_id}, session_id)
            versions = self._versions(connection, fact_id)
            eraser = Eraser(
                connection, self.space_id, versions, lambda kind, owner: self._embed_again(connection, kind, owner)
            )
            eraser.erase()
            self._unindex(connection, "fact", eraser.ids, recorder.now)
            delete_facts(connection, self.space_id, eraser.ids, asked_by, recorder.now)
            result = {
                "action": "forgotten",
                "versions": len(eraser.ids),
                "messages": eraser.messages,
                "also_in": eraser.also_in,
                "kept_mentions": eraser.kept_mentions,
            }
            operation_id = recorder.write(result, fact_id)
            self._mark_scrub(connection)
        self._scrub(eraser.gone)
        return MemoryChange(operation_id, "forgotten", fact, None)

    def delete_session(self, session_id: int) -> None:
        """Erase a session: its messages and their index entries. Facts learned in it stay, without quote and source.

        Raises NotFoundError.
        """
        with self.database.write() as connection:
            self._session(connection, session_id)
            now = self._now()
            of_session = "(select id from messages where session_id = :id)"
            ids = [r[0] for r in rows(connection, "select id from messages where session_id = :id", id=session_id)]
            self._unindex(connection, "message", ids, now)
            run(connection, f"delete from fact_sources where message_id in {of_session}", id=session_id)
            run(connection, "delete from messages where session_id = :id", id=session_id)
            searches = "update operations set arguments = :a, result = null where session_id = :id and name = 'search'"
            run(connection, searches, a="{}", id=session_id)
            run(connection, "update operations set session_id = null where session_id = :id", id=session_id)
            run(connection, "delete from sessions where id = :id", id=session_id)
            recorder = self._recorder(connection, "delete_session", "user", {"session": session_id})
            recorder.write({"messages": len(ids)}, None)
            self._mark_scrub(connection)
        self._scrub(None)

    def _embed_again(self, connection: Connection, kind: OwnerKind, owner_id: int) -> None:
        """Also what was said next, whose token states were made in the light of the row's text."""
        now = self._now()
        ids = [owner_id]
        if kind == "message":
            sql = (
                "select next.id from messages this join messages next on next.session_id = this.session_id"
                " and next.position > this.position and next.role in ('user', 'assistant') and trim(next.content) <> ''"
                " where this.id = :id order by next.position limit 1"
            )
            ids += [row[0] for row in rows(connection, sql, id=owner_id)]
        self._unindex(connection, kind, ids, now)
        for row_id in ids:
            self._queue(connection, kind, row_id, "embed", now)

    # --- the bytes --------------------------------------------------------------------------------------------------

    def _mark_scrub(self, connection: Connection) -> None:
        """Committed with the deletion, so that a crash before the scrub is made up for at the next start."""
        if self.database.sqlite:
            connection.exec_driver_sql(f"PRAGMA user_version = {_PENDING}")

    def scrub_pending(self) -> bool:
        """Whether bytes of something forgotten may still be in the file, because a reader or a crash was in the way."""
        if not self.database.sqlite:
            return False
        with self.database.read() as connection:
            row = one(connection, "PRAGMA user_version")
        return row is not None and row[0] == _PENDING

    def finish_scrub(self) -> bool:
        """Do what an earlier scrub could not; False when a reader is still in the way."""
        return not self.scrub_pending() or self._scrub(None)

    def _scrub(self, gone: Collection[str] | None) -> bool:
        """Remove the bytes of deleted rows: merge the full-text segments, cut the log, and rewrite the file if need be.

        `gone` are the texts that must not be found in the file; None when they are not known (any more). False when it
        has to be done again later.
        """
        if not self.database.sqlite:
            self.database.vacuum_server()
            return True
        try:
            with self.database.write() as connection:
                for table in FULL_TEXT:
                    connection.exec_driver_sql(f"insert into {table}({table}) values ('optimize')")
            if not self._cut_log():
                return False
            if gone is None or self._in_file(gone):
                # Pages keep copies of rows that have moved to another page; only a new file is free of them.
                self.database.pragma("VACUUM")
                if not self._cut_log():
                    return False
            with self.database.write() as connection:
                connection.exec_driver_sql("PRAGMA user_version = 0")
            return True
        except (StoreBusyError, StoreFullError, StoreReadOnlyError):
            return False  # `stats` shows it, and `close` tries again

    def _cut_log(self) -> bool:
        give_up = time.monotonic() + SCRUB_SECONDS
        while not self.database.truncate_log():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.02)
        return True

    def _in_file(self, gone: Collection[str]) -> bool:
        path = self.database.path
        if path is None or not path.stat().st_size:
            return False
        needles: list[bytes] = []
        for needle in sorted((text.encode() for text in gone if len(text) > 2), key=len):
            if not any(shorter in needle for shorter in needles):  # it stands nowhere where the shorter one does not
                needles.append(needle)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return any(data.find(needle) >= 0 for needle in needles)
