"""Where a message is written: several lines, the history of what was said, and long pastes kept out of the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
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
        Binding("enter", "send", "Send", id="chat.send", priority=True),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", id="chat.newline"),
        Binding("up", "earlier", "", id="chat.earlier", show=False),
        Binding("down", "later", "", id="chat.later", show=False),
        Binding("pageup", "screen.scroll_transcript(-1)", "", id="chat.page_up", show=False),
        Binding("pagedown", "screen.scroll_transcript(1)", "", id="chat.page_down", show=False),
    ]

    class Sent(Message):
        """The person sends `text`."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, id: str | None = None) -> None:
        super().__init__(
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder="Say something to remember, or ask…",
        )
        self._history: list[str] = []
        self._at: int | None = None
        self._draft = ""
        self._pastes: dict[int, str] = {}

    @property
    def message(self) -> str:
        """What would be sent, with pastes in full."""
        return PASTE.sub(lambda mark: self._pastes.get(int(mark[1]), mark[0]), self.text)

    def remember_only(self, said: Sequence[str]) -> None:
        """The history is these messages, oldest first."""
        self._history, self._at = list(said), None

    def sent(self, text: str) -> None:
        """The message is on its way: empty the input, and keep the message in the history."""
        if not self._history or self._history[-1] != text:
            self._history.append(text)
        self._at, self._draft = None, ""
        self._pastes.clear()
        self.clear()

    def put(self, text: str) -> None:
        """Replace what is written, the cursor at its end."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        if self.message.strip():
            self.post_message(self.Sent(self.message))

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
            await super()._on_paste(event)
            return
        event.prevent_default()
        number = len(self._pastes) + 1
        self._pastes[number] = event.text.replace("\r\n", "\n").replace("\r", "\n")
        self.insert(f"[pasted #{number}: {lines:,} lines, {len(event.text):,} characters]")
