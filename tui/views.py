"""From an event to what the screen says: pure functions and frozen values, without Textual.

Texts are raw here; the widgets pass them through `tui.text` on their way to the screen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from memagent.conversation import ContextUsage, Failed, Finished, Recalled, ToolCall, ToolReturned

if TYPE_CHECKING:
    from memagent.memory.records import Operation

Tone = Literal["write", "read", "forget", "plain", "failed"]

TOOL_TONES: Mapping[str, Tone] = {
    "memory_add": "write",
    "memory_update": "write",
    "memory_end": "write",
    "core_memory_edit": "write",
    "memory_forget": "forget",
    "memory_search": "read",
    "sql_query": "read",
}
SIGNS: Mapping[Tone, str] = {"write": "+", "read": "?", "forget": "−", "plain": "=", "failed": "!"}
CHANNELS: Mapping[str, str] = {"dense": "vector", "words": "keyword", "slot": "slot", "time": "time"}
HITS_SHOWN = 8


@dataclass(frozen=True)
class Section:
    """One part of an opened card. `sql` marks a text that is SQL."""

    title: str
    text: str
    sql: bool = False


@dataclass(frozen=True)
class Card:
    """A tool call in words. `before` and `after` are the values of an update; `fact_id` is what a click leads to."""

    sign: str
    tone: Tone
    words: str
    note: str
    before: str | None = None
    after: str | None = None
    sections: tuple[Section, ...] = ()
    fact_id: int | None = None


def card_of(event: ToolReturned) -> Card:
    """The card of a call that has returned."""
    call, result = event.call, event.result
    tone: Tone = TOOL_TONES.get(call.name, "plain") if result.ok else "failed"
    before, after = _change(result.change)
    sections = [Section("asked for", _arguments(call))]
    hits = result.content.get("hits")
    if hits:
        sections.append(Section(f"found {len(hits)}", hits_text(hits)))
    else:
        sections.append(Section("gave", pretty(result.content)))
    if call.name == "sql_query":
        sections.append(Section("the query", str(call.arguments.get("query", "")), sql=True))
    elif result.sql:
        statements = "\n".join(f"{statement};" for statement in result.sql)
        sections.append(Section(f"SQL that the store ran ({len(result.sql)})", statements, sql=True))
    return Card(
        SIGNS[tone],
        tone,
        result.words,
        milliseconds(result.milliseconds),
        before if result.ok else None,
        after if result.ok else None,
        tuple(sections),
        fact_of_change(result.change),
    )


def recall_card(event: Recalled) -> Card | None:
    """The card of automatic recall; None where nothing was near enough."""
    if not event.hits:
        return None
    count = len(event.hits)
    first = str(event.hits[0].get("text", ""))
    sections = (Section("looked for", event.query), Section(f"found {count}", hits_text(event.hits)))
    return Card("~", "read", f"recalled {count}: {first}", milliseconds(event.milliseconds), sections=sections)


def hits_text(hits: Sequence[Mapping[str, Any]]) -> str:
    """Hits as lines: score, the channels that found it with their own scores, the date, the words."""
    lines = []
    for hit in hits[:HITS_SHOWN]:
        channels = " ".join(f"{CHANNELS.get(name, name)} {score:.2f}" for name, score in hit["channels"].items())
        who = hit.get("speaker") or hit.get("source") or hit.get("kind", "")
        lines.append(f"{hit['score']:.2f}  {hit['text']}\n      {who}, {hit['date']} · {channels or 'no channel'}")
    if len(hits) > HITS_SHOWN:
        lines.append(f"… and {len(hits) - HITS_SHOWN} more")
    return "\n".join(lines)


def _arguments(call: ToolCall) -> str:
    given = {name: value for name, value in call.arguments.items() if value not in (None, "")}
    return call.name + "".join(f"\n{name} = {value}" for name, value in given.items())


def pretty(value: Any) -> str:
    """A JSON value, readable: a flat object as lines, anything deeper as JSON."""
    if isinstance(value, Mapping):
        lines = {name: _flat(item) for name, item in value.items() if item not in (None, [], ())}
        if None not in lines.values():
            return "\n".join(f"{name} = {item}" for name, item in lines.items())
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _flat(item: Any) -> str | None:
    """A scalar, or a list of them, on a line; None for what is deeper."""
    if isinstance(item, (list, tuple)):
        return None if any(isinstance(part, (list, tuple, dict)) for part in item) else ", ".join(map(str, item))
    return None if isinstance(item, dict) else str(item)


def _change(change: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """The values before and after, where a change replaced one by the other."""
    if not change or not change.get("before") or not change.get("after"):
        return None, None
    before, after = str(change["before"]["value"]), str(change["after"]["value"])
    return (before, after) if before != after else (None, None)


def fact_of_change(change: Mapping[str, Any] | None) -> int | None:
    """The id of the fact that a change left behind."""
    after = change.get("after") if change else None
    return int(after["id"]) if after else None


def model_words(name: str) -> str:
    """A model's name for the top bar: of a server the model on it, of a folder its own name."""
    if "#" in name:
        return name.partition("#")[2] or name
    return name.rstrip("/").rpartition("/")[2] if name.startswith(("/", "./", "../", "~")) else name


def milliseconds(value: float) -> str:
    """A duration for a person."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


# --- the context window ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """One use of the window: its name, its tokens, its share of the gauge in cells."""

    name: str
    tokens: int
    cells: int


@dataclass(frozen=True)
class Gauge:
    """The window, filled: parts in order, the last one free; `fell_out` messages are outside it, searchable."""

    parts: tuple[Part, ...]
    used: int
    window: int
    exact: bool
    fell_out: int

    @property
    def headline(self) -> str:
        return f"{'' if self.exact else 'about '}{self.used:,} of {self.window:,} tokens"


def gauge_of(usage: ContextUsage, width: int) -> Gauge:
    """How `width` cells are divided; a part that is not empty has at least one where there is room."""
    free = max(usage.window - usage.used - usage.reserved, 0)
    sizes = {
        "instructions": usage.system,
        "pinned": usage.core,
        "recalled": usage.recalled,
        "recent": usage.recent,
        "for the reply": usage.reserved,
        "free": free,
    }
    total = max(sum(sizes.values()), 1)
    cells = {name: max(int(tokens * width / total), 1 if tokens else 0) for name, tokens in sizes.items()}
    while sum(cells.values()) > width and any(count > 1 for count in cells.values()):
        cells[max(cells, key=cells.__getitem__)] -= 1
    cells["free" if free else "recent"] += max(width - sum(cells.values()), 0)
    parts = tuple(Part(name, tokens, cells[name]) for name, tokens in sizes.items())
    return Gauge(parts, usage.used, usage.window, usage.exact, usage.dropped_messages)


# --- how a turn ended -----------------------------------------------------------------------------------------------


def finished_line(event: Finished) -> str:
    """Tokens, latency and certainty of a turn; and where the check replaced the reply, that it did."""
    words = f"{event.prompt_tokens:,} tokens in · {event.reply_tokens:,} out · {milliseconds(event.milliseconds)}"
    words += f" · {event.certainty}" if event.certainty else ""
    return words if event.grounded else f"{words} · reply replaced: nothing in memory supported it"


def failed_line(event: Failed) -> str:
    """Why a turn ended early, and what to do."""
    return event.reason + (f" · {event.hint}" if event.hint else "")


# --- the memory feed ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FeedItem:
    """One line of the memory feed; `here` is False for what another conversation, or another program, has done."""

    operation_id: int
    sign: str
    tone: Tone
    words: str
    before: str | None
    note: str
    fact_id: int | None
    here: bool


_VERBS: Mapping[str, tuple[str, Tone]] = {
    "added": ("remembered", "write"),
    "repeated": ("knew already", "plain"),
    "superseded": ("updated", "write"),
    "queued": ("kept beside another value", "write"),
    "edited": ("edited", "write"),
    "ended": ("ended", "write"),
    "restored": ("took back:", "write"),
}
ASKED_BY = {"model": "agent", "user": "you", "auto": "automatic", "import": "import"}


def feed_item(operation: Operation, session_id: int | None) -> FeedItem:
    """An operation of the log as a line of the feed of conversation `session_id`."""
    result: Mapping[str, Any] = operation.result or {}
    before, after = _fact(result, "before"), _fact(result, "after")
    words, tone = _feed_words(operation, result, after or before)
    replaced = before.get("value") if before and after and before.get("value") != after.get("value") else None
    at = operation.created_at.astimezone().strftime("%H:%M:%S")
    who = ASKED_BY.get(operation.asked_by, operation.asked_by)
    took = f" · {milliseconds(operation.duration_ms)}" if operation.duration_ms else ""
    here = operation.session_id is not None and operation.session_id == session_id
    gone = tone == "forget" or result.get("forgotten") is True
    return FeedItem(
        operation.id,
        SIGNS[tone],
        tone,
        words,
        str(replaced) if replaced is not None else None,
        f"{at} · {who}" + (took if here else " · elsewhere"),
        None if gone else operation.fact_id,
        here,
    )


def _feed_words(operation: Operation, result: Mapping[str, Any], fact: Mapping[str, Any]) -> tuple[str, Tone]:
    arguments = operation.arguments
    if result.get("forgotten") is True:
        return f"{operation.name} (erased since)", "plain"
    match operation.name:
        case "search":
            hits = result.get("hits")
            count = len(hits) if isinstance(hits, list) else 0
            return f"looked for “{arguments.get('query', '')}”: {count or 'nothing'} found", "read"
        case "forget":
            return "forgot a memory for good", "forget"
        case "core_edit":
            return f"edited the pinned note “{arguments.get('block', '')}”", "write"
        case "pin" if fact:
            return f"{'pinned' if arguments.get('pinned') else 'unpinned'} {_about(fact)}", "write"
    verb, tone = _VERBS.get(str(result.get("action", "")), (operation.name.replace("_", " "), "plain"))
    return (f"{verb} {_about(fact)}" if fact else verb), tone


def _about(fact: Mapping[str, Any]) -> str:
    return f"{fact.get('subject', '')}: {fact.get('attribute', '')} = {fact.get('value', '')}"


def _fact(result: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    fact = result.get(key)
    return fact if isinstance(fact, Mapping) else {}


def feed_items(operations: Iterable[Operation], session_id: int | None) -> list[FeedItem]:
    """Items, oldest first, of operations that come newest first."""
    return [feed_item(operation, session_id) for operation in reversed(list(operations))]
