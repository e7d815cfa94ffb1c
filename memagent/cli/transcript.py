"""How the events of a turn look in a plain terminal, live and replayed; the reply is data, all else narration."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from memagent.cli.screen import note, one_line, out, visible
from memagent.conversation import (
    ContextUsage,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Recalled,
    TextDelta,
    Thinking,
    ToolCalled,
    ToolReturned,
    Withdrawn,
    event_from_dict,
)

if TYPE_CHECKING:
    from memagent.memory.records import Message


class Transcript:
    """Shows one turn. `stream` prints the reply as it comes; otherwise it is printed whole when the turn has ended.

    `lines_to_stdout` puts the memory operations into the data, where they are what was asked for.
    """

    def __init__(self, *, stream: bool, lines_to_stdout: bool = False) -> None:
        self.stream = stream
        self.lines_to_stdout = lines_to_stdout
        self.usage: ContextUsage | None = None
        self.recalled = 0
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self._shown = ""
        self._thought = False

    def show(self, event: Event) -> None:
        """Show one event."""
        self._end_thought(event)
        match event:
            case TextDelta(text):
                if self.stream:
                    self._shown += text
                    out(visible(text), newline=False)
            case ReasoningDelta(text):
                self._think(text)
            case Withdrawn():
                self._withdraw(event)
            case Thinking():
                self._line("?", event.words)
            case Recalled(_, hits, _):
                self.recalled += len(hits)
                self._line("~", recall_line(event)) if hits else None
            case ToolCalled():
                pass
            case ToolReturned(_, result):
                self._line("+" if result.ok else "!", f"{result.words}  ({result.milliseconds:.0f} ms)")
            case ContextUsage():
                self.usage = event
            case Finished():
                self.finished = event
                self._reply(event)
            case Failed(reason, hint, _):
                self.failed = event
                self._end_line()
                note(f"  {reason}" + (f" {hint}" if hint else ""), dim=False)

    def context_line(self) -> str:
        """How the window was filled and how long the turn took."""
        parts = []
        if self.usage:
            u = self.usage
            about = "" if u.exact else "about "
            parts.append(f"context {about}{u.used} of {u.window} tokens")
            if u.dropped_messages:
                parts.append(f"{u.dropped_messages} earlier messages outside it, searchable")
            if any(u.lost):
                parts.append(f"no room for {u.dropped_calls} calls of this turn, {u.cut_messages} texts cut")
        if self.recalled:
            parts.append(f"{self.recalled} recalled")
        if self.finished:
            parts.append(f"{self.finished.milliseconds:.0f} ms")
            if self.finished.certainty:
                parts.append(self.finished.certainty)
        return "  " + " · ".join(parts)

    def _reply(self, event: Finished) -> None:
        if not self._shown:
            out(visible(event.reply))
            return
        self._end_line()
        self._shown = ""

    def _think(self, text: str) -> None:
        """Show what the model thinks, dimmed, while it does."""
        if self.stream:
            self._end_line()
            self._thought = True
            note(text, newline=False)

    def _end_thought(self, event: Event) -> None:
        if self._thought and not isinstance(event, ReasoningDelta):
            self._thought = False
            note()

    def _withdraw(self, event: Withdrawn) -> None:
        self._end_line()
        self._shown = ""
        if event.words:
            note(f"  (not that: {one_line(event.words)})", dim=False)

    def _line(self, sign: str, words: str) -> None:
        self._end_line()
        line = f"  {sign} {one_line(words)}"
        out(click.style(line, dim=True)) if self.lines_to_stdout else note(line)

    def _end_line(self) -> None:
        if self._shown and not self._shown.endswith("\n"):
            out()
            self._shown += "\n"


def recall_line(event: Recalled) -> str:
    """Automatic recall in words, with the best hit."""
    first = textwrap.shorten(next((str(hit["text"]) for hit in event.hits if hit.get("text")), ""), 70, placeholder="…")
    return f"recalled {len(event.hits)}" + (f": {first}" if first else "")


def replay(messages: Iterable[Message]) -> None:
    """A stored conversation, through the same code that showed it live."""
    for message in messages:
        if message.role == "user":
            out(click.style("> ", bold=True) + visible(message.content))
        shown = Transcript(stream=False)
        for data in message.events:  # of a turn that failed, they are kept with what the person said
            shown.show(event_from_dict(data))
        if message.role == "assistant" and shown.finished is None:
            out(visible(message.content))
