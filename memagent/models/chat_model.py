"""The seam between the turn and any model that talks: one protocol, one request, few kinds of output."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from memagent.conversation import ChatMessage, ReasoningDelta, TextDelta, ToolCall


@dataclass(frozen=True)
class ChatRequest:
    """All that a model sees, already within its window, in the order in which it is rendered.

    `system`, the tools and `core` form the stable prefix; `messages` ends with what the person just said, followed by
    this turn's tool calls and results. `recalled` are hits of `memory_search` and `notes` what the specialists found
    for this message, in sentences: both belong to this turn only, and are rendered in front of what was just said, so
    that the prefix up to there stays the same from turn to turn (`models.prompt`).
    """

    system: str
    core: Mapping[str, str]
    recalled: tuple[Mapping[str, Any], ...]
    messages: tuple[ChatMessage, ...]
    tools: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    evidence_first: bool = False  # the grounding check failed: answer from the evidence, or decline
    attempt: int = 0  # 0: the likeliest reply; n: the n-th other one, sampled with n as the seed
    reply_tokens: int = 256  # at most; the window keeps them free
    cancel: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Usage:
    """What one step cost in tokens, by the model's own count. `reply` includes reasoning and calls."""

    prompt: int
    reply: int
    cached: int = 0  # of `prompt`, not computed anew


@dataclass(frozen=True)
class Confidence:
    """The chance, 0..1, that the answer in the text of this step is right, or would have been where it declines."""

    probability: float


Output = TextDelta | ReasoningDelta | ToolCall | Confidence | Usage


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
        """Whether counts are the model's own, not estimates."""
        ...

    @property
    def live(self) -> bool:
        """Whether its text is shown as it comes, the grounding check behind it; else whole, when it was checked."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without any frame."""
        ...

    def count_prompt(self, request: ChatRequest) -> int:
        """Tokens of the whole request as it is rendered for this model, template and tools included."""
        ...

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        """One step: text, or calls whose results come back in the next request; at most one `Usage`, at its end.

        Raises ModelError.
        """
        ...
