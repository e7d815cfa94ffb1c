"""The line below the input: what the model is at, how full its window is, how long the latest turn took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from textual.timer import Timer
from textual.widgets import Static

from memagent.conversation import ContextUsage, Event, Finished, Thinking
from tui.chat.cards import Consent
from tui.chat.feed import MemoryFeed
from tui.text import content_line
from tui.views import milliseconds

SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StatusLine(Static):
    """Spins from `begin` to `end`, and says what the events of the turn told. `model_state` is asked each time."""

    def __init__(self, model_state: Callable[[], str], id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._model_state = model_state
        self._began: float | None = None
        self._usage: ContextUsage | None = None
        self._finished: Finished | None = None
        self._thinking: Thinking | None = None
        self._thinking_since = 0.0
        self._spinner: Timer | None = None

    def on_mount(self) -> None:
        self._spinner = self.set_interval(0.1, self.show, pause=True)

    def reset(self, usage: ContextUsage | None) -> None:
        """Another conversation is shown, the latest turn of which filled the window so."""
        self._usage, self._finished = usage, None

    def begin(self) -> None:
        """A turn has begun."""
        self._began, self._finished, self._thinking = time.monotonic(), None, None
        if self._spinner is not None:
            self._spinner.resume()

    def note(self, event: Event) -> None:
        """Take what an event of the turn tells."""
        if isinstance(event, ContextUsage):
            self._usage = event
        elif isinstance(event, Thinking):
            self._thinking, self._thinking_since = event, time.monotonic()
        elif isinstance(event, Finished):
            self._finished = event

    def end(self) -> None:
        """The turn is over."""
        self._began = None
        if self._spinner is not None:
            self._spinner.pause()

    def show(self) -> None:
        """Show what holds now."""
        parts = []
        if self._began is not None:
            seconds = time.monotonic() - self._began
            sign = SPIN[int(seconds * 10) % len(SPIN)]
            parts.append(f"{sign} {self._doing()}… {seconds:.0f} s, Esc stops")
        else:
            parts.append(f"● {self._model_state()}")
        if self._usage is not None:
            parts.append(f"{self._usage.used:,}/{self._usage.window:,} tokens")
        if self._finished is not None:
            parts.append(milliseconds(self._finished.milliseconds))
        items = self.screen.query_one(MemoryFeed).items
        if items and self.screen.has_class("-narrow"):
            parts.append(f"{items[-1].sign} {items[-1].words}")
        self.update(content_line(" · ".join(parts)))

    def _doing(self) -> str:
        """What the model is at, with what is left of its budget where it thinks longer."""
        if self._model_state() != "ready":
            return self._model_state()
        waits = self.screen.query(Consent)
        if self._thinking is None or waits:
            return "a write waits for your answer" if waits else "thinking"
        spent = self._thinking.seconds + time.monotonic() - self._thinking_since
        return replace(self._thinking, seconds=spent).budget
