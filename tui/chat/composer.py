"""Where a message is written: several lines, the history of what was said, and long pastes kept out of the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

LONG_LINES = 12
LONG_CHARACTERS = 1500
PASTE = re.compile(r"\[pasted #(\d+): [^\]\n]*\]")


class Composer(TextArea):
    """The input. A long paste stands in it as one short mark and is put back when the message is sent."""

    HELP = """
## Your message

- **Enter** sends, **Ctrl+J** begins a new line
- **Up** and **Down** at the first and last line go through what you said before
- a long paste is shown as one mark and sent whole
- **Esc** stops a reply; what was said stays
- **PageUp**, **PageDown** scroll the conversation
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="chat.send"),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", id="chat.newline"),
        Binding("up", "earlier", "Said before", id="chat.earlier", show=False),
        Binding("down", "later", "Said later", id="chat.later", show=False),
        Binding("pageup", "screen.scroll_transcript(-1)", "Scroll up", id="chat.page_up", show=False),
        Binding("pagedown", "screen.scroll_transcript(1)", "Scroll down", id="chat.page_down", show=False),
    ]

    def __init__(self, take: Callable[[str], bool], *, send_keys: str = "enter", id: str | None = None) -> None:
        """`take` is given each message that is sent; where it returns False the message stays in the input."""
        super().__init__(
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder="Say something to remember, or ask…",
        )
        self._take = take
        self._send_keys = frozenset(key.strip() for key in send_keys.split(","))
        self._history: list[str] = []
        self._at: int | None = None
        self._draft = ""
        self._pastes: dict[int, str] = {}

    @property
    def message(self) -> str:
        """What would be sent: lines end in line feeds, pastes are in full."""
        written = "\n".join(self.document.lines)
        return PASTE.sub(lambda mark: self._pastes.get(int(mark[1]), mark[0]), written)

    def remember_only(self, said: Sequence[str]) -> None:
        """The history is these messages, oldest first."""
        self._history, self._at = list(said), None

    def put(self, text: str) -> None:
        """Replace what is written, the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        """Sends within the input's own queue: what is typed before and after the key is on the right side of it."""
        if event.key in self._send_keys:
            event.stop()
            event.prevent_default()
            self.action_send()

    def action_send(self) -> None:
        """Send what is written."""
        text = self.message
        if not text.strip() or not self._take(text):
            return
        if not self._history or self._history[-1] != text:
            self._history.append(text)
        self._at, self._draft = None, ""
        self._pastes.clear()
        self.clear()

    def action_newline(self) -> None:
        self.insert("\n")

    def action_earlier(self) -> None:
        if self.cursor_location[0] > 0 or not self._history:
            self.action_cursor_up()
            return
        if self._at is None:
            self._at, self._draft = len(self._history), self.text
        if self._at > 0:
            self._at -= 1
            self.put(self._history[self._at])

    def action_later(self) -> None:
        if self._at is None or self.cursor_location[0] < self.document.line_count - 1:
            self.action_cursor_down()
            return
        self._at += 1
        if self._at < len(self._history):
            self.put(self._history[self._at])
        else:
            self._at = None
            self.put(self._draft)

    async def _on_paste(self, event: events.Paste) -> None:
        lines = event.text.count("\n") + 1
        if lines <= LONG_LINES and len(event.text) <= LONG_CHARACTERS:
            return  # the toolkit goes on with its own handler
        event.prevent_default()
        number = len(self._pastes) + 1
        self._pastes[number] = event.text.replace("\r\n", "\n").replace("\r", "\n")
        self.insert(f"[pasted #{number}: {lines:,} lines, {len(event.text):,} characters]")
