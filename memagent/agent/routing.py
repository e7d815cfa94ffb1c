"""Who uses memory in a turn with another chat model: its own calls (`tools`), the specialists (`auto`), or `both`.

Before the reply the specialists look up what the message asks for and read it; after the reply they keep what the
message told and the chat model did not keep itself. So memory works with models that never call a tool. The shipped
model is the specialists themselves, and needs no routing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memagent.agent.grounding import unsupported
from memagent.agent.window import SYSTEM
from memagent.config import Settings
from memagent.conversation import ChatMessage, Recalled, ToolCall, ToolResult
from memagent.errors import InputError
from memagent.models.chat_model import ChatRequest
from memagent.models.choose import is_shipped
from memagent.models.helpers import Helpers, same_value
from memagent.tools.tool import failed

CONTEXT = 4  # earlier messages that the specialists see
MOST_STEPS = 6  # of lookups
SHOWN = 12  # hits of lookups that the chat model is offered
WITHOUT_TOOLS = (
    "You are memagent, and you remember what the person tells you across conversations: it is kept for you after each "
    "message, and what memory holds stands in front of their message. Say only what memory or the person said about "
    "them; if you were never told, say that you don't know."
)
QUOTING = {"memory_add": ("value",), "memory_update": ("value",), "core_memory_edit": ("new",)}


@dataclass(frozen=True)
class Routing:
    """How a turn uses memory. Without `helpers` the chat model is on its own."""

    tools: bool = True
    helpers: Helpers | None = None
    capture: bool = False
    reading: bool = False
    check: bool = True
    quoting: bool = False  # what the model writes must have been said
    best_of: int = 1
    think_tokens: int = 2000
    think_seconds: float = 60.0

    @property
    def system(self) -> str:
        return SYSTEM if self.tools else WITHOUT_TOOLS


def routing_of(settings: Settings) -> Routing:
    """The routing that the settings ask for; loads the specialists where they are needed. Raises ModelError."""
    if is_shipped(settings):
        return Routing(check=settings.check, best_of=1)
    capture = settings.capture and settings.mode != "tools"
    reading = settings.reading and settings.mode != "tools"
    return Routing(
        tools=settings.mode != "auto",
        helpers=Helpers() if capture or reading or settings.check else None,
        capture=capture,
        reading=reading,
        check=settings.check,
        quoting=settings.check,
        best_of=settings.best_of,
        think_tokens=settings.think_tokens,
        think_seconds=float(settings.think_seconds),
    )


@dataclass
class Beside:
    """What the specialists do in one turn: `messages` are their own calls and results."""

    routing: Routing
    said: ChatMessage
    history: Sequence[ChatMessage]
    recalled: Recalled
    messages: list[ChatMessage]
    notes: tuple[str, ...] = ()
    hits: tuple[Mapping[str, Any], ...] = ()

    @property
    def _request(self) -> ChatRequest:
        messages = (*self.history[-CONTEXT:], self.said, *self.messages)
        return ChatRequest("", {}, self.recalled.hits, messages, ())

    @property
    def checks(self) -> bool:
        """Whether the reply is checked: talk about nothing that memory could know may use what the model knows."""
        if not self.routing.check or self.routing.helpers is None:
            return self.routing.check
        return self.routing.helpers.asks_memory(self._request)

    def lookups(self) -> list[ToolCall]:
        """The next calls to make before the reply; none when all is looked up."""
        steps = sum(1 for message in self.messages if message.tool_calls)
        if not self.routing.reading or self.routing.helpers is None or steps >= MOST_STEPS:
            return []
        return self.routing.helpers.lookups(self._request)

    def read(self) -> None:
        """Make notes and hits of what was looked up."""
        self.hits = self.recalled.hits
        if not self.messages or self.routing.helpers is None:
            return
        reading = self.routing.helpers.reading(self._request)
        found = self.routing.helpers.found(self._request)
        found.sort(key=lambda hit: hit["id"] not in reading.hits)
        known = {hit["id"] for hit in found[:SHOWN]}
        self.notes = reading.notes
        self.hits = (*found[:SHOWN], *(hit for hit in self.recalled.hits if hit["id"] not in known))

    def writes(self, made: Sequence[ToolCall]) -> list[ToolCall]:
        """What is left to keep beside the writes that the chat model made."""
        if not self.routing.capture or self.routing.helpers is None:
            return []
        own = [call for call in made if call.name in QUOTING or call.name == "memory_end"]
        return [call for call in self.routing.helpers.writes(self._request) if not same_value(call, own)]


def invented(call: ToolCall, evidence: Sequence[str]) -> ToolResult | None:
    """The failed result of a write whose value nobody has said; None where it quotes. A model cannot teach itself."""
    for name in QUOTING.get(call.name, ()):
        value = str(call.arguments.get(name, ""))
        missing = unsupported(f"is {value}", evidence)
        if missing:
            error = InputError(
                f"nobody has said {', '.join(missing)}", "store only what the person told, in their words"
            )
            return failed(call, error, 0.0)
    return None
