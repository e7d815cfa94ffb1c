"""Facts as they look in the memories screen: rows of the list, and the page about one of them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.text import Text
from textual.content import Content

from memagent.export import when
from memagent.memory.records import Conflict, Fact, FactUse, Message, Operation
from tui.screens.memory_data import Detail, Found, Row, Source, Wanted
from tui.text import cell, content, content_line
from tui.views import CHANNELS
from tui.widgets import Column

MODES = {"hybrid": "keyword + vector", "keyword": "keyword", "vector": "vector"}
LISTED = (
    Column("", 1),
    Column("id", 5, narrow=False),
    Column("subject", 8, 2),
    Column("attribute", 9, 2),
    Column("value", 10, 5),
    Column("kind", 10, narrow=False),
    Column("told", 10, narrow=False),
)
FOUND = (LISTED[0], *LISTED[2:5], Column("score", 5), Column("found by", 25, narrow=False))
QUOTE = 1200  # characters of a message shown as a source
SHORT = 160
NEWLINE = Content("\n")

Line = Content | tuple[str, str]


def columns(wanted: Wanted) -> Sequence[Column]:
    """The columns of the list."""
    return FOUND if wanted.searches else LISTED


def row_cells(row: Row, wanted: Wanted) -> list[Text]:
    """The cells of one row, one for each of `columns`."""
    fact = row.fact
    style = "" if fact.current else "dim strike"
    cells = [
        cell("*" if fact.pinned else "", "bold"),
        cell(fact.id, "dim", justify="right"),
        cell(fact.subject, style or "bold"),
        cell(fact.attribute, style),
        cell(fact.value, style),
    ]
    if not wanted.searches:
        return [*cells, cell(fact.kind, "dim"), cell(when(fact.recorded_at)[:10], "dim")]
    del cells[1]
    by = " ".join(f"{CHANNELS.get(name, name)} {score:.2f}" for name, score in row.channels.items())
    return [*cells, cell(f"{row.score:.2f}", justify="right"), cell(by, "dim")]


def status(found: Found, wanted: Wanted) -> Content:
    """How many are shown, out of what, and what waits for the person."""
    count = len(found.rows)
    if wanted.searches:
        parts = [f"the best {count} of more" if found.more else f"{count} found"]
        if wanted.mode != "keyword" and not found.vectors:
            parts.append("by keyword only: the model is still loading")
    elif found.more:
        parts = [f"the newest {count} of more"]
    else:
        parts = ["1 memory" if count == 1 else f"{count} memories"]
    line = content_line(" · ".join(parts), "$foreground-muted")
    if not found.conflicts:
        return line
    waits = "1 decision waits" if found.conflicts == 1 else f"{found.conflicts} decisions wait"
    return line + content_line(f" · {waits} (c)", "bold $warning")


def empty_words(wanted: Wanted) -> Content:
    """What stands in place of an empty list."""
    if wanted.searches or wanted.filters:
        return content("Nothing fits.\n\nEsc clears the search and the filters.", "$foreground-muted")
    return content(
        "Nothing is known yet.\n\nTell the agent something in the chat (F2), or press a to add a memory yourself.",
        "$foreground-muted",
    )


def detail_page(detail: Detail) -> Content:
    """Everything about one fact."""
    blocks = [_head(detail.fact), _dates(detail.fact)]
    if len(detail.versions) > 1:
        blocks.append(_section("History", (_version(version, detail.fact.id) for version in detail.versions)))
    if detail.sources:
        blocks.append(_section("Told in", (line for source in detail.sources for line in _source(source))))
    if detail.uses:
        blocks.append(_section("Used in answers", map(_use, detail.uses)))
    blocks.append(_section("Log", map(_operation, detail.operations)))
    return Content("\n\n").join(blocks)


def _head(fact: Fact) -> Content:
    badges = [
        fact.kind,
        "current" if fact.current else "ended" if fact.ended else "replaced",
        *(["pinned"] if fact.pinned else []),
    ]
    badges += [f"trust {fact.trust}", f"confidence {fact.confidence:.2f}"]
    badges += [f"told {fact.times_told} times"] if fact.times_told > 1 else []
    badges += [] if fact.single else ["one of several"]
    return NEWLINE.join(
        [
            content_line(f"{fact.subject} · {fact.attribute}", "$foreground-muted"),
            content(fact.value, "bold $text-primary" if fact.current else "strike"),
            content_line(f"id {fact.id} · {' · '.join(badges)}", "$foreground-muted"),
        ]
    )


def _dates(fact: Fact) -> Content:
    def shown(moment: datetime | None, otherwise: str) -> str:
        return when(moment) or otherwise

    lines = [
        ("holds from", shown(fact.valid_from, "not said")),
        ("holds until", shown(fact.valid_to, "open")),
        ("told", shown(fact.recorded_at, "")),
        ("ended" if fact.ended else "replaced", shown(fact.retired_at, "no")),
    ]
    return NEWLINE.join(content_line(f"{name:13}", "$foreground-muted") + content_line(value) for name, value in lines)


def _section(title: str, lines: Iterator[Content] | map[Content]) -> Content:
    return NEWLINE.join([content_line(title, "bold $accent"), *lines])


def _version(version: Fact, shown: int) -> Content:
    mark = "●" if version.current else "○"
    ended = f" to {when(version.retired_at)}" if version.retired_at else ""
    here = "  (this one)" if version.id == shown else ""
    return (
        content_line(f"{mark} ", "$success" if version.current else "$foreground-muted")
        + content_line(version.value, "" if version.current else "$foreground-muted", limit=SHORT)
        + content_line(f"  id {version.id}, told {when(version.recorded_at)}{ended}{here}", "$foreground-muted")
    )


def _source(source: Source) -> Iterator[Content]:
    message, span = source.message, source.span
    if message is None:
        yield content_line(f"chunk {span.chunk_id} of a document", "$foreground-muted")
        yield content(f"“{span.quote}”", limit=QUOTE)
        return
    title = f" “{source.session}”" if source.session else ""
    yield content_line(f"session {message.session_id}{title}, {when(message.created_at)}", "$foreground-muted")
    for near in source.around:
        yield _said(near, span.start, span.end) if near.id == message.id else _aside(near)


def _aside(message: Message) -> Content:
    return content_line(f"  {message.speaker or message.role}: {message.content}", "$foreground-muted", limit=SHORT)


def _said(message: Message, start: int, end: int) -> Content:
    """The message with the words that the fact came from marked; of a long one, the part around them."""
    first = max(0, start - QUOTE // 2)
    text, last = message.content, min(len(message.content), max(end, first) + QUOTE // 2)
    lead, quote, rest = text[first:start], text[start:end], text[end:last]
    return (
        content_line(f"  {message.speaker or message.role}: ", "bold")
        + content(("…" if first else "") + lead, limit=QUOTE)
        + content(quote, "bold $warning", limit=QUOTE)
        + content(rest + ("…" if last < len(text) else ""), limit=QUOTE)
    )


def _use(use: FactUse) -> Content:
    return NEWLINE.join(
        [
            content_line(
                f"session {use.reply.session_id}, {when(use.reply.created_at)}"
                + (", says it" if use.said else ", had it in view"),
                "$foreground-muted",
            ),
            content_line(f"  {use.asked}", limit=SHORT),
            content_line(f"  {use.reply.content}", "bold", limit=SHORT),
        ]
    )


def operation_words(operation: Operation) -> str:
    """What an operation was about: what was asked for in words, not its ids."""
    if operation.name == "pin":
        return "on" if operation.arguments.get("pinned") else "off"
    return " · ".join(value for value in operation.arguments.values() if isinstance(value, str) and value)


def _operation(operation: Operation) -> Content:
    undone = f", undone by {operation.undone_by}" if operation.undone_by else ""
    return (
        content_line(f"{when(operation.created_at)}  ", "$foreground-muted")
        + content_line(f"{operation.name} ", "bold")
        + content_line(f"by {operation.asked_by}{undone}  ", "$foreground-muted")
        + content_line(operation_words(operation), limit=SHORT)
    )


def conflict_page(conflict: Conflict) -> Content:
    """Two claims side by side, and why somebody has to decide."""

    def claim(name: str, fact: Fact) -> Content:
        return NEWLINE.join(
            [
                content_line(name, "bold $accent"),
                content_line(f"{fact.subject} · {fact.attribute}", "$foreground-muted"),
                content(fact.value, "bold", limit=QUOTE),
                content_line(f"id {fact.id} · told {when(fact.recorded_at)} · trust {fact.trust}", "$foreground-muted"),
                *([content(f"“{fact.text}”", "italic", limit=QUOTE)] if fact.text else []),
            ]
        )

    why = content_line(f"Why it is asked: {conflict.reason or 'they may contradict each other'}", "$foreground-muted")
    return Content("\n\n").join([claim("New", conflict.newer), claim("Old", conflict.older), why])
