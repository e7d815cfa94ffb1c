"""Asking once more before what cannot be taken back: the same key, pressed again within a few seconds."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from textual.timer import Timer

if TYPE_CHECKING:
    from tui.page import Page

PATIENCE = 4.0  # seconds


class Confirm:
    """Remembers what a screen has asked about. Moving elsewhere, or waiting, is a no."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: Hashable | None = None
        self._timer: Timer | None = None

    def pressed(self, about: Hashable) -> bool:
        """Whether this press confirms the one before; if not, it is the first, and `ask` is due."""
        confirmed = self._asked is not None and self._asked == about
        self._forget()
        if not confirmed:
            self._asked = about
            self._timer = self._page.set_timer(PATIENCE, self._forget)
        return confirmed

    def ask(self, words: str) -> None:
        """Say what a second press would do."""
        self._page.memagent.tell(words, severity="warning", timeout=PATIENCE)

    def keep(self, about: Hashable | None) -> None:
        """Something else has come under the cursor: only a question about `about` stays open."""
        if self._asked != about:
            self._forget()

    def _forget(self) -> None:
        self._asked = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
