"""The store's side of search: it hands the query, its vector and the indexes to `retrieval`, and keeps the outbox."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from memagent.memory.base import StoreBase
from memagent.memory.claims import clean
from memagent.memory.outbox import BackgroundDrain, Outbox
from memagent.memory.records import Hit, SearchQuery
from memagent.memory.statements import one, rows

if TYPE_CHECKING:
    from memagent.embedding import Embedder
    from memagent.memory.dense import DenseSearch
    from memagent.memory.index_keeper import IndexKeeper

LOG = logging.getLogger(__name__)


class SearchStore(StoreBase):
    """The part of `MemoryStore` that finds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._outbox = Outbox(self.database, clock=self.clock)
        self._dense: DenseSearch | None = None
        self._background: BackgroundDrain | None = None
        self.index_warnings: list[str] = []
        embedder, self.embedder = self.embedder, None
        if embedder is not None:
            self.attach_embedder(embedder)

    def attach_embedder(self, embedder: Embedder) -> None:
        """Give the store its embedder; what was written before is embedded at the next drain.

        When the store's vectors are of another embedder, everything is queued to be embedded anew.
        """
        from memagent.memory.dense import DenseSearch  # with numpy, which only vectors need
        from memagent.memory.index_keeper import IndexKeeper as Keeper
        from memagent.memory.index_state import IndexPlace
        from memagent.memory.vectors import VectorSpace

        space = VectorSpace(self.space_id, embedder.name, embedder.dimension)
        place = IndexPlace.of(self.database, self.data_dir, self.vector_url)
        keeper = None if place is None else Keeper(self.database, space, place, on_warning=self._warn)
        self._dense = DenseSearch(space, keeper)
        self._outbox.keeper = keeper
        with self.database.read() as connection:
            other = "select 1 from vectors where space_id = :space and model <> :model limit 1"
            changed = one(connection, other, space=self.space_id, model=embedder.name) is not None
        if changed:
            self._outbox.queue_missing(embedder, self.space_id)
        self._outbox.embedder = embedder
        self.embedder = embedder
        self._wake.set()

    @property
    def index_keeper(self) -> IndexKeeper | None:
        """Who looks after the vector index, for `memagent.memory.maintenance`; None before there is an embedder."""
        return self._outbox.keeper

    @property
    def dense(self) -> DenseSearch | None:
        """The vectors of this space, for who looks into a search; None before there is an embedder."""
        return self._dense

    def search(self, query: SearchQuery) -> list[Hit]:
        """The best hits, best first; everything committed before is seen, by this process or another.

        Raises InputError for text that is not valid.
        """
        from memagent.memory.retrieval import search  # with numpy, which commands that do not search can do without

        text = clean(query.text, "query")
        embedder = self.embedder
        return search(
            self.database,
            query,
            lambda words: embedder.encode_query(words) if embedder is not None and text.strip() else None,
            space_id=self.space_id,
            now=self.clock.now(),
            dense=self._dense,
        )

    def told_in(self, message_id: int) -> list[Hit]:
        """Hits with no score for the facts that hold and that a message told, oldest first."""
        from memagent.memory.hits import build

        sql = (
            "select distinct f.id from facts f join fact_sources s on s.fact_id = f.id"
            " where s.message_id = :message and f.space_id = :space and f.retired_at is null order by f.id"
        )
        with self.database.read() as connection:
            told = rows(connection, sql, message=message_id, space=self.space_id)
            return build(connection, [(("fact", row[0]), 0.0) for row in told], {})

    def drain(self, limit: int | None = None) -> int:
        """Embed queued rows and bring the index in step; the number of queue rows handled.

        Raises StoreError and ModelError; what is not done stays queued.
        """
        return self._outbox.drain(limit)

    def start_background_drain(self) -> None:
        """Drain in a thread of its own from now on, until `close`."""
        if self._background is None:
            self._background = BackgroundDrain(self._outbox, self._wake)
            self._background.start()

    def _stop_drain(self) -> None:
        if self._background is not None:
            self._background.stop()
            self._background = None
        if self._outbox.keeper is not None:
            self._outbox.keeper.close()

    def _warn(self, message: str) -> None:
        self.index_warnings.append(message)
        LOG.warning("%s", message)
