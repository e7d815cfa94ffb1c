"""What the store takes and gives: frozen values, no database objects.

All datetimes are timezone-aware. Intervals of validity are half-open: `valid_from <= t < valid_to`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["fact", "preference", "event", "plan", "task", "note"]
Trust = Literal["user", "model", "import", "document"]
AskedBy = Literal["user", "model", "auto", "import"]
OwnerKind = Literal["fact", "message", "chunk"]
Scope = Literal["facts", "conversation", "documents", "all"]
State = Literal["current", "retired", "all"]
Mode = Literal["hybrid", "keyword", "vector"]
Action = Literal["added", "repeated", "superseded", "queued", "edited", "ended", "forgotten", "restored"]


@dataclass(frozen=True)
class SourceSpan:
    """Where a fact came from: characters `start:end` of a message (or document chunk)."""

    message_id: int | None = None
    chunk_id: int | None = None
    start: int = 0
    end: int = 0
    quote: str = ""


@dataclass(frozen=True)
class FactDraft:
    """A claim to be stored. `text` is the sentence it was said in; `single`: its slot holds one current value."""

    subject: str
    attribute: str
    value: str
    text: str = ""
    kind: Kind = "fact"
    single: bool = True
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    confidence: float = 1.0
    trust: Trust = "user"
    sources: tuple[SourceSpan, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A stored claim, as it is now."""

    id: int
    kind: Kind
    subject: str
    attribute: str
    value: str
    text: str
    valid_from: datetime | None
    valid_to: datetime | None
    recorded_at: datetime
    retired_at: datetime | None
    confidence: float
    trust: Trust
    times_told: int
    pinned: bool
    superseded_by: int | None
    single: bool = True  # its slot holds one current value

    @property
    def current(self) -> bool:
        return self.retired_at is None

    @property
    def ended(self) -> bool:
        """Whether it holds no more and nothing took its place."""
        return self.retired_at is not None and self.superseded_by is None


@dataclass(frozen=True)
class MemoryChange:
    """What one write did. `operation_id` is what `undo` takes."""

    operation_id: int
    action: Action
    before: Fact | None
    after: Fact | None
    conflicts: tuple[Fact, ...] = ()  # kept side by side and queued for the person to decide


@dataclass(frozen=True)
class Session:
    """One conversation."""

    id: int
    title: str
    model: str
    started_at: datetime
    ended_at: datetime | None
    messages: int = 0


@dataclass(frozen=True)
class Message:
    """One message, verbatim. `events` is what the turn showed, for replay (assistant messages only)."""

    id: int
    session_id: int
    position: int
    role: Literal["system", "user", "assistant", "tool"]
    speaker: str
    content: str
    tokens: int
    created_at: datetime
    events: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True)
class CoreBlock:
    """A small pinned text that is always in the prompt."""

    label: str
    content: str
    limit_characters: int
    version: int
    updated_at: datetime


@dataclass(frozen=True)
class Operation:
    """One line of the audit log."""

    id: int
    session_id: int | None
    name: str
    asked_by: str
    arguments: dict[str, object]
    result: dict[str, object] | None
    fact_id: int | None
    undone_by: int | None
    duration_ms: float
    created_at: datetime


@dataclass(frozen=True)
class Conflict:
    """Two claims that may contradict each other, waiting for a decision."""

    id: int
    newer: Fact
    older: Fact
    reason: str
    created_at: datetime


@dataclass(frozen=True)
class FactUse:
    """An answer given with a fact in view: the reply, what had been asked, and whether the reply says its value."""

    reply: Message
    asked: str
    said: bool


@dataclass(frozen=True)
class SearchQuery:
    """What to look for.

    `since`/`until` bound, half-open, when it was said or true. `subject`/`attribute` name a slot, whose facts come
    first. Of the facts only those in `state`, of `kind`, whose subject begins like `about` are shown. `mode` leaves the
    vectors or the words out; with `prefix` the last word may be the beginning of one, as while it is being typed.
    """

    text: str
    scope: Scope = "all"
    limit: int = 8
    since: datetime | None = None
    until: datetime | None = None
    subject: str | None = None
    attribute: str | None = None
    state: State = "current"
    exclude_messages: frozenset[int] = field(default_factory=frozenset)
    kind: Kind | None = None
    about: str | None = None
    mode: Mode = "hybrid"
    prefix: bool = False


@dataclass(frozen=True)
class Hit:
    """One search result.

    `channels` maps the channel that found it (dense, words, slot, time) to that channel's own score; `score` is the
    fused one in 0..1. `neighbours` are the turns around a message hit, or around the message a fact came from, oldest
    first, the hit's own message left out.
    """

    kind: OwnerKind
    id: int
    text: str
    said_at: datetime
    score: float
    channels: dict[str, float]
    speaker: str = ""
    session_id: int | None = None
    message_id: int | None = None
    fact: Fact | None = None
    neighbours: tuple[Message, ...] = ()
