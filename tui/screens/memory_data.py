"""What the memories screen shows, read from the store in one go; runs in a thread and knows no widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from memagent.agent.recall import relevant
from memagent.memory.records import Fact, FactUse, Hit, Kind, Message, Mode, Operation, SearchQuery, SourceSpan, State
from memagent.memory.store import MemoryStore
from memagent.memory.time import parse_bound

PAGE = 100
NEAREST = 50  # by vectors alone everything is found; this many are worth looking at
REACH = 2  # messages either side of a source


@dataclass(frozen=True)
class Wanted:
    """What the filters say. `since` and `until` are as typed."""

    text: str = ""
    mode: Mode = "hybrid"
    kind: Kind | None = None
    about: str = ""
    since: str = ""
    until: str = ""
    state: State = "current"

    @property
    def searches(self) -> bool:
        return bool(self.text.strip())

    @property
    def filters(self) -> bool:
        """Whether anything is left out."""
        return self != Wanted(mode=self.mode)


@dataclass(frozen=True)
class Row:
    """A fact of the list; `channels` and `score` are those of a search."""

    fact: Fact
    score: float | None = None
    channels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The list. `more` says that there are further ones; `conflicts` wait for a decision; `vectors` took part."""

    rows: tuple[Row, ...]
    more: bool
    conflicts: int
    vectors: bool


@dataclass(frozen=True)
class Source:
    """Where a fact was told: the message with what was said around it, or a chunk of a document."""

    span: SourceSpan
    message: Message | None
    around: tuple[Message, ...]
    session: str


@dataclass(frozen=True)
class Detail:
    """All there is to say about one fact."""

    fact: Fact
    versions: tuple[Fact, ...]
    sources: tuple[Source, ...]
    uses: tuple[FactUse, ...]
    operations: tuple[Operation, ...]


def find(store: MemoryStore, wanted: Wanted, limit: int = PAGE, guest: int | None = None) -> Found:
    """The facts that fit, and `guest` even where it is further down.

    Raises InputError for a date that cannot be read, NotFoundError for a guest that is not there, StoreError.
    """
    now = store.clock.now()
    since = parse_bound(wanted.since, now, end=False) if wanted.since.strip() else None
    until = parse_bound(wanted.until, now, end=True) if wanted.until.strip() else None
    about = wanted.about.strip() or None
    conflicts = len(store.conflicts())
    if not wanted.searches:
        listed = store.facts(
            kind=wanted.kind, about=about, since=since, until=until, state=wanted.state, limit=limit + 1
        )
        facts = listed[:limit]
        if guest is not None and all(fact.id != guest for fact in facts):
            facts.append(store.fact(guest))
        return Found(tuple(map(Row, facts)), len(listed) > limit, conflicts, False)
    query = SearchQuery(
        wanted.text,
        scope="facts",
        limit=NEAREST if wanted.mode == "vector" else PAGE,
        since=since,
        until=until,
        state=wanted.state,
        kind=wanted.kind,
        about=about,
        mode=wanted.mode,
        prefix=True,
    )
    hits = store.search(query)
    rows = tuple(Row(hit.fact, hit.score, hit.channels) for hit in hits if hit.fact is not None and _fits(hit, wanted))
    vectors = store.embedder is not None and wanted.mode != "keyword"
    return Found(rows, len(hits) == query.limit, conflicts, vectors)


def _fits(hit: Hit, wanted: Wanted) -> bool:
    """A search by words and meaning leaves out what is merely nearest; one by meaning alone is asked for just that."""
    return wanted.mode == "vector" or "words" in hit.channels or relevant(hit)


def detail(store: MemoryStore, fact_id: int) -> Detail:
    """Everything about a fact. Raises NotFoundError, StoreError."""
    sources = []
    for span, message in store.sources(fact_id):
        around = tuple(store.messages_around(message.id, REACH)) if message else ()
        title = store.session(message.session_id).title if message else ""
        sources.append(Source(span, message, around, title))
    return Detail(
        store.fact(fact_id),
        tuple(store.history(fact_id)),
        tuple(sources),
        tuple(store.uses(fact_id)),
        tuple(store.operations(fact_id=fact_id, limit=20)),
    )
