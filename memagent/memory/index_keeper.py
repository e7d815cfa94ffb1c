"""The life of the vector index in one process: who may use it, when it is opened, fed, distrusted and rebuilt.

Chroma's local client is for one process only (another's queries never see new vectors, concurrent writers lose some),
so the process that holds the lock file uses the index and all others search exactly. Everything here runs in the
background but `query`, which answers None whenever the index is not to be used; the caller then searches exactly. What
goes wrong is said once per process.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection

from memagent.memory.database import Database
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.index import BATCH, ChromaClient, IndexFailure, VectorIndex, collection_name
from memagent.memory.index_state import IndexPlace, StateFile, identity
from memagent.memory.lock import FileLock
from memagent.memory.records import OwnerKind
from memagent.memory.statements import one, rows, run
from memagent.memory.vectors import Neighbour, Owner, Vector, VectorSpace, count_vectors, read_vectors, vectors_of

LOG = logging.getLogger(__name__)

# Processor time of a whole search: exact 3.6 ms at 10,000 facts and 15.5 ms at 100,000, through Chroma 4.7 and 6.9 ms.
# They meet near 20,000; up to twice that, exact search is worth two milliseconds, for it needs no second store.
INDEX_THRESHOLD = 40_000
RETRY_SECONDS = 60.0  # between attempts to use a server's collection that another process is still filling

_SAME = 0.9999  # cosine of a vector with itself, after Chroma's own rounding

Progress = Callable[[int, int], None]  # done, total


class IndexKeeper:
    """Opens, feeds and watches the index of one space and embedder.

    `on_warning` gets the one sentence that a person should see.
    """

    def __init__(
        self,
        database: Database,
        space: VectorSpace,
        place: IndexPlace,
        *,
        threshold: int = INDEX_THRESHOLD,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self.database = database
        self.space = space
        self.place = place
        self.threshold = threshold
        self.warnings: list[str] = []
        self.name = collection_name(space, identity(database))
        self._space_prefix = self.name.rpartition("-")[0] + "-"
        self.stopping = threading.Event()  # set to end long work at the next batch; what is not done stays queued
        self._on_warning = on_warning or LOG.warning
        self._state = StateFile(place.note, None if place.url else place.folder)
        self._lock = FileLock(place.lock)
        self._turn = threading.RLock()  # of the background work
        self._failing = threading.Lock()  # apart, so that a search that fails need not wait for a batch to be fed
        self._client: ChromaClient | None = None
        self._index: VectorIndex | None = None
        self._failed = False
        self._retry_at = 0.0

    @property
    def ready(self) -> bool:
        """Whether searches may use the index now."""
        return self._index is not None

    def query(self, vector: Vector, k: int) -> list[Neighbour] | None:
        """About the `k` nearest; None when the index is not ready or has just failed."""
        index = self._index
        if index is None:
            return None
        try:
            return index.query(vector, k)
        except IndexFailure as failure:
            self._fail(str(failure))
            return None

    def sync(self) -> int:
        """Bring the index in step with the queue, opening or building it first where that is due.

        Returns queue rows handled.
        """
        with self._turn:
            if self._failed:
                return 0
            try:
                if self._wanted():
                    return self._sync_index()
                return self._discard_queue()
            except IndexFailure as failure:
                self._fail(str(failure))
                return 0

    def rebuild(self, progress: Progress | None = None) -> int:
        """Make the index anew from SQL, if this store is to have one; returns the number of vectors in it.

        Raises IndexFailure when another process uses the index or Chroma cannot be used.
        """
        with self._turn:
            if not self._lock.acquire():
                raise IndexFailure("another process is using it")
            self._close_client()
            self._state.remove()
            if self.place.url is None:
                self._remove_files()
            self._failed = False
            if not self._wanted():
                self._discard_queue()
                return 0
            return self._build(progress)

    def inspect(self) -> list[str]:
        """What is wrong with the index, compared vector by vector.

        Empty when it is whole, not built, or in another's use.
        """
        with self._turn:
            state = self._state.read()
            if state is None or state.busy or self.name not in state.complete or not self._lock.acquire():
                return []
            try:
                if self._client is None and (changed := self._state.changed(state)):
                    return [f"files of the vector index are damaged or missing: {', '.join(changed[:3])}"]
                self._state.begin()
                index = self._connect().open(self.name)
                problems = self._differences(index)
                self._state.finish(state.complete)
            except IndexFailure as failure:
                return [f"the vector index cannot be read ({failure})"]
            finally:
                if self._index is None:
                    self._close_client()
                    self._lock.release()
            return problems

    def _differences(self, index: VectorIndex) -> list[str]:
        missing, different = self._missing(index), 0
        for owners, vectors in index.vectors():
            with self.database.read() as connection:
                stored = vectors_of(connection, self.space, owners)
                queued = self._queued_owners(connection)
            for owner, vector in zip(owners, vectors, strict=True):
                if owner not in queued:
                    different += owner not in stored or float(vector @ stored[owner]) < _SAME
        problems = [f"the vector index lacks {missing} of the vectors in the store"] if missing else []
        return problems + ([f"{different} vectors of the index are not those of the store"] if different else [])

    def close(self) -> None:
        """Release the index for other processes."""
        self.stopping.set()
        with self._turn:
            self._index = None
            self._close_client()
            self._lock.release()

    # --- opening ----------------------------------------------------------------------------------------------------

    def _wanted(self) -> bool:
        if self._index is not None or self.place.url is not None:
            return True
        state = self._state.read()
        if state is not None and self.name in state.complete:
            return True
        with self.database.read() as connection:
            return count_vectors(connection, self.space) > self.threshold

    def _sync_index(self) -> int:
        if not self._lock.acquire():
            if self._index is None and self.place.url is not None:
                self._join_server()
            return 0
        if self._index is None:
            self._open()
        return self._feed()

    def _open(self) -> None:
        """Open the index that is there if it is whole.

        Build it where there is none. Raises IndexFailure when it is damaged.
        """
        state = self._state.read()
        trusted = state is not None and not state.busy and self.name in state.complete
        if self.place.url is None:
            if state is None or state.busy:
                self._remove_files()
            elif changed := self._state.changed(state):
                raise IndexFailure(f"its files are damaged or missing: {', '.join(changed[:3])}")
        self._state.begin()
        client = self._connect()
        if self.name in client.collections():
            index = client.open(self.name)
            missing = self._missing(index)
        else:
            missing = -1
        if missing and not trusted:
            self._build()
            return
        if missing:
            what = "its collection" if missing < 0 else f"{missing} of the vectors in the store"
            raise IndexFailure(f"it lacks {what}")
        # loads the graph: later reads change no file
        index.query(np.eye(1, self.space.dimension, dtype=np.float32)[0], 1)
        self._state.finish((*sorted(self._other_complete()), self.name))
        self._index = index

    def _join_server(self) -> None:
        """Use a server's collection that another process feeds, once it is whole."""
        if time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + RETRY_SECONDS
        client = self._connect()
        if self.name in client.collections():
            index = client.open(self.name)
            if not self._missing(index):
                self._index = index

    def _connect(self) -> ChromaClient:
        if self._client is None:
            if self.place.url is None:
                self.place.folder.mkdir(parents=True, exist_ok=True)
            self._client = ChromaClient(folder=self.place.folder, url=self.place.url)
        return self._client

    def _missing(self, index: VectorIndex) -> int:
        """How many vectors of SQL the index lacks, apart from those still queued."""
        with self.database.read() as connection:
            parameters = {"space": self.space.space_id, "model": self.space.model}
            sql = "select owner_kind, owner_id from vectors where space_id = :space and model = :model"
            stored = {(row[0], row[1]) for row in run(connection, sql, **parameters)}
            queued = self._queued_owners(connection)
        return len(stored - queued - index.owners())

    def _queued_owners(self, connection: Connection) -> set[Owner]:
        sql = "select owner_kind, owner_id from index_queue where space_id = :space and action in ('upsert', 'delete')"
        return {(row[0], row[1]) for row in run(connection, sql, space=self.space.space_id)}

    # --- filling ----------------------------------------------------------------------------------------------------

    def _build(self, progress: Progress | None = None) -> int:
        """A new collection with every vector of the space; takes about a second per 1,000 vectors."""
        self._state.begin()
        client = self._connect()
        others = self._other_complete()
        for name in client.collections() - others:
            # left by another embedder or by a moved store
            if self.place.url is None or name.startswith(self._space_prefix):
                client.drop(name)
        index = client.create(self.name)
        with self.database.read() as connection:
            total = count_vectors(connection, self.space)
            last_queued = one(connection, "select coalesce(max(id), 0) from index_queue")
        done = newest = 0
        while True:
            with self.database.read() as connection:
                batch, last = read_vectors(connection, self.space, after=newest)
            if last == newest:
                break
            if self.stopping.is_set():
                return done  # the note still says busy, so the next start begins anew
            index.upsert(batch.owners, batch.matrix)
            newest = last
            done += len(batch.owners)
            if progress is not None:
                progress(done, max(done, total))
        assert last_queued is not None
        # all of it is in the collection; feeding it again costs far more than adding
        self._forget_queue(last_queued[0])
        self._state.finish((*sorted(others), self.name))
        self._index = index
        return done

    def _other_complete(self) -> set[str]:
        """The complete collections of other spaces of this store."""
        state = self._state.read()
        store = self._space_prefix.rsplit("-", 2)[0] + "-"
        names = state.complete if state is not None else ()
        return {name for name in names if name.startswith(store) and not name.startswith(self._space_prefix)}

    def _feed(self) -> int:
        handled = 0
        complete = (*sorted(self._other_complete()), self.name)
        while self._index is not None and not self.stopping.is_set() and (batch := self._queued()):
            owners: list[Owner] = list(dict.fromkeys((row[1], row[2]) for row in batch))
            with self.database.read() as connection:
                stored = vectors_of(connection, self.space, owners)
            if handled == 0:
                self._state.begin()
            if stored:
                self._index.upsert(list(stored), np.stack(list(stored.values())))
            if gone := [owner for owner in owners if owner not in stored]:
                self._index.delete(gone)
            self._dequeue([row[0] for row in batch])
            handled += len(batch)
        if handled:
            self._state.finish(complete)
        return handled

    def _queued(self) -> list[tuple[int, OwnerKind, int]]:
        sql = (
            "select id, owner_kind, owner_id from index_queue"
            " where space_id = :space and action in ('upsert', 'delete') order by id limit :batch"
        )
        with self.database.read() as connection:
            found = rows(connection, sql, space=self.space.space_id, batch=BATCH)
            return [(row[0], row[1], row[2]) for row in found]

    def _dequeue(self, ids: list[int]) -> None:
        with self.database.write() as connection:
            run(connection, f"delete from index_queue where id in {ids_in(connection)}", ids=ids_text(ids))

    def _discard_queue(self) -> int:
        """Without an index the queue has no reader; one that is built later reads the vectors themselves."""
        sql = "select count(*) from index_queue where space_id = :space and action in ('upsert', 'delete')"
        with self.database.read() as connection:
            row = one(connection, sql, space=self.space.space_id)
        if row is None or not row[0] or not self._lock.acquire():
            return 0
        try:
            self._forget_queue()
        finally:
            if self._client is None:
                self._lock.release()
        return int(row[0])

    def _forget_queue(self, last: int | None = None) -> None:
        """Take the space's work for the index from the queue, up to the row `last`."""
        sql = "delete from index_queue where space_id = :space and action in ('upsert', 'delete')"
        with self.database.write() as connection:
            if last is None:
                run(connection, sql, space=self.space.space_id)
            else:
                run(connection, f"{sql} and id <= :last", space=self.space.space_id, last=last)

    # --- ending -----------------------------------------------------------------------------------------------------

    def _fail(self, reason: str) -> None:
        """Stop using the index in this process, and say so once."""
        with self._failing:
            self._index = None
            if self._failed:
                return
            self._failed = True
        text = f"the vector index is not used ({reason}): search goes on exactly, `memagent db reindex` rebuilds it"
        self.warnings.append(text)
        self._on_warning(text)

    def _close_client(self) -> None:
        self._index = None
        if self._client is not None:
            client, self._client = self._client, None
            try:
                client.close()
            except IndexFailure as failure:
                LOG.debug("closing the vector index: %s", failure)

    def _remove_files(self) -> None:
        """Take the folder away; the note with it, since it describes those files."""
        self._close_client()
        self._state.remove()
        try:
            if self.place.folder.is_dir():
                shutil.rmtree(self.place.folder)
            else:
                self.place.folder.unlink(missing_ok=True)
        except OSError as error:
            raise IndexFailure(f"its files cannot be removed: {error}") from error
