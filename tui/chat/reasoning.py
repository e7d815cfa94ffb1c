"""What a model thinks before it replies: one quiet line that opens to the text; shown while it lasts, never kept."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.text import content
from tui.views import milliseconds

DIM = "$foreground 45%"


class Reasoning(Static, can_focus=True):
    """One stretch of thought."""

    HELP = """
## What the model thought

Before it replied. It is no part of the reply, is not checked, and is not kept.

- **Enter** or **Space** opens it
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "open", "Open", id="reasoning.open")]
    opened = reactive(False, layout=True)

    def __init__(self, opened: bool = False) -> None:
        super().__init__(markup=False, classes="reasoning")
        self.text = ""
        self._began = time.monotonic()
        self._took: float | None = None
        self.set_reactive(Reasoning.opened, opened)

    def on_mount(self) -> None:
        self.update(self._content())

    def watch_opened(self) -> None:
        if self.is_mounted:
            self.update(self._content())

    def add(self, piece: str) -> None:
        """The next piece."""
        self.text += piece
        if self.opened and self.is_mounted:
            self.update(self._content())

    def end(self) -> None:
        """The model goes on to reply, or to call a tool."""
        if self._took is None:
            self._took = (time.monotonic() - self._began) * 1000
            self.update(self._content())

    def _content(self) -> Content:
        took = "thinking…" if self._took is None else f"thought for {milliseconds(self._took)}"
        line = Content.styled(f"{'▾' if self.opened else '▸'} {took}", DIM)
        return Content.assemble(line, "\n", content(self.text.strip(), f"italic {DIM}")) if self.opened else line

    def action_open(self) -> None:
        self.opened = not self.opened

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_open()
