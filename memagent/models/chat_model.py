"""The seam between the turn and any model that talks: one protocol, one request, two kinds of output."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from memagent.conversation import ChatMessage, TextDelta, ToolCall


@dataclass(frozen=True)
class ChatRequest:
    """All that a model sees, already within its window, in the order in which it is rendered.

    `system`, the tools and `core` form the stable prefix; `recalled` are hits of `memory_search`; `messages` ends with
    what the person just said, followed by this turn's tool calls and results.
    """

    system: str
    core: Mapping[str, str]
    recalled: tuple[Mapping[str, Any], ...]
    messages: tuple[ChatMessage, ...]
    tools: tuple[Mapping[str, Any], ...]
    evidence_first: bool = False  # the grounding check failed: answer from the evidence, or decline
    cancel: threading.Event = field(default_factory=threading.Event)


class ChatModel(Protocol):
    """A model that reads a request and emits text and tool calls. It looks at `request.cancel` between two tokens."""

    @property
    def name(self) -> str: ...

    @property
    def context_tokens(self) -> int:
        """The size of its window."""
        ...

    @property
    def exact_counts(self) -> bool:
        """Whether `count_tokens` is the model's own count, not an estimate."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        ...

    def respond(self, request: ChatRequest) -> Iterator[TextDelta | ToolCall]:
        """One step: text, or calls whose results come back in the next request. Raises ModelError."""
        ...
