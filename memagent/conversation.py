"""Values that travel between models, the turn and the front ends: messages, tool calls, events.

Pure frozen dataclasses: identity (row ids, sessions) is a concern of `memagent.memory`. Imports nothing of ours but
errors. Every event has `to_dict`; `event_from_dict` is its inverse, so that a resumed session replays what was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from memagent.errors import InputError

LIKELY = 0.5
Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class ToolCall:
    """What a model asks for: `id` is unique within the turn, `arguments` is JSON-able.

    `fault` says in words for the model why its arguments could not be read; such a call does not run.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class ToolResult:
    """What a tool gave back.

    `content` is JSON-able and is what the model reads; `words` is one line for a person, without markup;
    `ok` is False when the model could mend the call; `change` is the memory change before/after, if there was one;
    `sql` are the statements that the store ran for it, without their values.
    """

    call_id: str
    name: str
    ok: bool
    content: Mapping[str, Any]
    words: str
    change: Mapping[str, Any] | None = None
    operation_id: int | None = None
    milliseconds: float = 0.0
    sql: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChatMessage:
    """One message of a prompt, in the shape that every chat model understands."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_result: ToolResult | None = None
    at: str | None = None  # ISO 8601 with offset; when it was said


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words[:4])


# --- events of a turn -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TextDelta:
    """The next piece of the reply, as streamed."""

    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    """The next piece of what a model thinks before it replies; shown while it lasts, never stored."""

    text: str


@dataclass(frozen=True)
class Withdrawn:
    """What was streamed in this turn so far is no part of the reply.

    `missing` are its names and numbers that nothing supports; empty where the model went on to call a tool.
    """

    missing: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Why, for a person; empty where nothing is to be explained."""
        return f"nothing in memory or said here supports {_quoted(self.missing)}" if self.missing else ""


@dataclass(frozen=True)
class Thinking:
    """Another attempt at the reply begins, because `reason`; what the attempts may cost and have cost so far."""

    attempt: int  # the second pass is 1
    attempts: int  # at most
    tokens: int
    token_budget: int
    seconds: float
    second_budget: float
    reason: str

    @property
    def words(self) -> str:
        """For a person: what it may cost, and why."""
        return f"{self.budget}: {self.reason}"

    @property
    def budget(self) -> str:
        """For a person: what the attempts may cost and have cost so far."""
        return (
            f"thinking longer ({self.attempt} of {self.attempts}; {self.tokens:,} of {self.token_budget:,} tokens, "
            f"{self.seconds:.0f} of {self.second_budget:.0f} s)"
        )


@dataclass(frozen=True)
class Recalled:
    """Automatic recall ran: `hits` are dictionaries as `memory_search` returns; empty when nothing was relevant."""

    query: str
    hits: tuple[Mapping[str, Any], ...]
    milliseconds: float


@dataclass(frozen=True)
class ToolCalled:
    """A tool is about to run."""

    call: ToolCall


@dataclass(frozen=True)
class ToolReturned:
    """A tool has run; `call` is the one it answers."""

    call: ToolCall
    result: ToolResult


@dataclass(frozen=True)
class ContextUsage:
    """How the window was filled, in tokens; `dropped_messages` fell out and stay searchable.

    Of this turn, `dropped_hits` of what was recalled and `dropped_calls` with their results had no room, and the text
    of `cut_messages` was cut at its end.
    """

    window: int
    system: int
    core: int
    recalled: int
    recent: int
    reserved: int
    dropped_messages: int
    exact: bool = True
    dropped_hits: int = 0
    dropped_calls: int = 0
    cut_messages: int = 0

    @property
    def lost(self) -> tuple[int, int]:
        """What of this turn itself had no room; a turn tells its usage again when more is lost."""
        return self.dropped_calls, self.cut_messages

    @property
    def used(self) -> int:
        return self.system + self.core + self.recalled + self.recent


@dataclass(frozen=True)
class Finished:
    """The turn ended well; `grounded` is False where the check replaced an unsupported reply.

    `confidence` is the chance, 0..1, that the answer of the reply is right, or where it declines, that the likeliest
    one was; None where nothing was asked, or the model does not say.
    """

    reply: str
    milliseconds: float
    prompt_tokens: int
    reply_tokens: int
    grounded: bool = True
    confidence: float | None = None

    @property
    def certainty(self) -> str:
        """The confidence for a person; empty without one."""
        if self.confidence is None:
            return ""
        return f"{self.confidence:.0%} sure" if self.confidence >= LIKELY else f"best guess {self.confidence:.0%}"


@dataclass(frozen=True)
class Failed:
    """The turn ended early; the user's message is stored all the same. `reason` is one sentence."""

    reason: str
    hint: str = ""
    cancelled: bool = False


Event = (
    TextDelta
    | ReasoningDelta
    | Withdrawn
    | Thinking
    | Recalled
    | ToolCalled
    | ToolReturned
    | ContextUsage
    | Finished
    | Failed
)

_EVENTS: dict[str, type[Any]] = {
    "text": TextDelta,
    "reasoning": ReasoningDelta,
    "withdrawn": Withdrawn,
    "thinking": Thinking,
    "recalled": Recalled,
    "tool_called": ToolCalled,
    "tool_returned": ToolReturned,
    "context": ContextUsage,
    "finished": Finished,
    "failed": Failed,
}
_NAMES = {cls: name for name, cls in _EVENTS.items()}


def event_to_dict(event: Event) -> dict[str, Any]:
    """JSON-able form of an event, with its kind under `event`."""
    return {"event": _NAMES[type(event)], **asdict(event)}


def event_from_dict(data: Mapping[str, Any]) -> Event:
    """Inverse of `event_to_dict`."""
    fields = {key: value for key, value in data.items() if key != "event"}
    cls = _EVENTS[data["event"]]
    if "call" in fields:
        fields["call"] = ToolCall(**fields["call"])
    if "result" in fields:
        result = fields["result"]
        fields["result"] = ToolResult(**{**result, "sql": tuple(result.get("sql", ()))})
    for name in ("hits", "missing"):
        if name in fields:
            fields[name] = tuple(fields[name])
    event: Event = cls(**fields)
    return event


MAX_MESSAGE_CHARACTERS = 100_000


def checked_message(text: str) -> str:
    """What a person says, fit to be stored: not empty, valid Unicode, not longer than MAX_MESSAGE_CHARACTERS.

    Raises InputError. Control characters are kept: messages are stored verbatim and escaped where they are shown.
    """
    if not text.strip():
        raise InputError("the message is empty", "say something, or leave with /quit")
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise InputError(
            f"the message has {len(text):,} characters; the limit is {MAX_MESSAGE_CHARACTERS:,}",
            "send it in parts; everything stored before is safe",
        )
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError("the message is not valid text", "it must be UTF-8, without null characters")
    return text
