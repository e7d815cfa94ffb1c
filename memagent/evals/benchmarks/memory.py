"""What is measured: a system that is given a conversation and then asked where in it something was said.

`StoreSystem` is memagent itself: every turn is a message of the store that chat uses, said by its speaker at its time,
embedded by the outbox and found by `MemoryStore.search`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from memagent.embedding import Embedder
from memagent.errors import StoreReadOnlyError
from memagent.evals.benchmarks.conversation import Conversation
from memagent.memory.records import Hit, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.models.question_answering import MOST_READ

FORMAT = 1  # of a cached store; another one is not read
STORE_FILE = "memory.db"
TURNS_FILE = "turns.json"


@dataclass(frozen=True)
class Spoken:
    """A turn beside a hit."""

    speaker: str
    text: str


@dataclass(frozen=True)
class Found:
    """A turn that was found: `turn` and `sitting` are the benchmark's ids, `before` and `after` its neighbours."""

    turn: str
    sitting: str
    text: str
    speaker: str
    role: str
    said_at: datetime
    score: float
    id: int = 0
    channels: Mapping[str, float] = field(default_factory=dict)
    before: tuple[Spoken, ...] = ()
    after: tuple[Spoken, ...] = ()


class Memory(Protocol):
    """One conversation, remembered."""

    def search(self, question: str, asked_at: datetime, limit: int) -> list[Found]:
        """The turns that seem to answer, best first, at most `limit`."""
        ...


class System(Protocol):
    """Something that remembers. `name` and `embedder` are kept with the results.

    `reads` is how many of the turns it finds are read; `ranks` whether their order says which is likely to answer.
    """

    @property
    def name(self) -> str: ...

    @property
    def embedder(self) -> str: ...

    @property
    def reads(self) -> int: ...

    @property
    def ranks(self) -> bool: ...

    def remember(self, conversation: Conversation) -> AbstractContextManager[Memory]:
        """A memory that holds the conversation and nothing else, until the context ends."""
        ...


@dataclass
class HistoryClock:
    """The time at which something is said or asked; set before each."""

    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class StoreSystem:
    """memagent's store. With `cache` the filled stores are kept there, by conversation and embedder."""

    name = "memagent"
    reads = MOST_READ
    ranks = True

    def __init__(self, embedder: Embedder, cache: Path | None = None) -> None:
        self._embedder = embedder
        self._cache = cache
        self.embedder = embedder.name

    @contextmanager
    def remember(self, conversation: Conversation) -> Iterator[StoreMemory]:
        """Raises StoreReadOnlyError when the cache cannot be written."""
        with tempfile.TemporaryDirectory(prefix="memagent-eval-") as temporary:
            folder = (self._cache or Path(temporary)) / self.key(conversation)
            if not (folder / TURNS_FILE).exists():
                self._fill(conversation, folder)
            clock = HistoryClock(conversation.end)
            with self._open(folder, clock) as store:
                store.attach_embedder(self._embedder)
                store.drain()  # nothing to do, unless an earlier version filled the cache
                turns = json.loads((folder / TURNS_FILE).read_text(encoding="utf-8"))
                yield StoreMemory(store, clock, {int(message): tuple(names) for message, names in turns.items()})

    def key(self, conversation: Conversation) -> str:
        """The name of a conversation's folder in the cache."""
        content = json.dumps([FORMAT, self.embedder, asdict(conversation)], default=str, sort_keys=True)
        return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()

    def _fill(self, conversation: Conversation, folder: Path) -> None:
        """Ingest into a folder beside, so that one that is there is whole."""
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix="partial-", dir=folder.parent))
        except OSError as error:
            raise StoreReadOnlyError(
                f"{folder.parent} cannot be written: {error.strerror}", "choose another --cache"
            ) from None
        try:
            clock = HistoryClock()
            with self._open(partial, clock) as store:
                turns = ingest(store, clock, conversation)
                store.attach_embedder(self._embedder)
                store.drain()
            (partial / TURNS_FILE).write_text(json.dumps(turns), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)  # left without its turns
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    @staticmethod
    def _open(folder: Path, clock: HistoryClock) -> MemoryStore:
        return MemoryStore.open(f"sqlite:///{folder / STORE_FILE}", clock=clock, data_dir=folder)


def ingest(store: MemoryStore, clock: HistoryClock, conversation: Conversation) -> dict[int, tuple[str, str]]:
    """Say every turn to the store at its time, a session at a time; the turn and session of each message."""
    turns: dict[int, tuple[str, str]] = {}
    for sitting in conversation.sittings:
        clock.at = sitting.date
        session = store.start_session(title=sitting.id)
        for index, turn in enumerate(sitting.turns):
            clock.at = sitting.said_at(index)
            message = store.add_message(session.id, turn.role, turn.text, speaker=turn.speaker)
            turns[message.id] = (turn.id, sitting.id)
        store.end_session(session.id)
    return turns


class StoreMemory:
    """A filled store; `turns` maps its messages to the benchmark's turn and session."""

    def __init__(self, store: MemoryStore, clock: HistoryClock, turns: Mapping[int, Sequence[str]]) -> None:
        self._store = store
        self._clock = clock
        self._turns = turns

    def search(self, question: str, asked_at: datetime, limit: int) -> list[Found]:
        self._clock.at = asked_at
        hits = self._store.search(SearchQuery(question, scope="conversation", limit=limit))
        return [self._found(hit) for hit in hits]

    def _found(self, hit: Hit) -> Found:
        turn, sitting = self._turns[hit.id]
        around = [(message.id < hit.id, Spoken(message.speaker, message.content)) for message in hit.neighbours]
        return Found(
            turn,
            sitting,
            hit.text,
            "" if hit.speaker in ("user", "assistant") else hit.speaker,
            "assistant" if hit.speaker == "assistant" else "user",
            hit.said_at,
            hit.score,
            hit.id,
            hit.channels,
            tuple(spoken for earlier, spoken in around if earlier),
            tuple(spoken for earlier, spoken in around if not earlier),
        )
