"""The window in which a person decides between claims that may contradict each other."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from memagent.memory.conflicts import Resolution
from memagent.memory.records import Conflict
from memagent.memory.store import MemoryStore
from tui.dialogs import Dialog
from tui.screens.memory_view import conflict_page
from tui.text import content, content_line


class ConflictDialog(Dialog[int]):
    """The queued conflicts; its result is how many were decided."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "decide('keep_new')", "Keep the new", id="conflicts.new"),
        Binding("o", "decide('keep_old')", "Keep the old", id="conflicts.old"),
        Binding("b", "decide('keep_both')", "Keep both", id="conflicts.both"),
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog -large")
        self._waiting: list[Conflict] = []
        self._decided = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = content_line("Which of them holds?")
            window.border_subtitle = content_line("n keep the new · o keep the old · b keep both · Esc leave")
            with Horizontal():
                yield OptionList(id="conflicts", markup=False)
                with VerticalScroll(id="conflict"):
                    yield Static("", id="conflict-page", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()
        self._load()

    def action_close(self) -> None:
        self.dismiss(self._decided)

    @work(exclusive=True, group="conflicts")
    async def _load(self) -> None:
        with self.memagent.telling():
            self._waiting = await self.memagent.run_store(MemoryStore.conflicts)
            options = self.query_one(OptionList)
            place = options.highlighted or 0
            options.clear_options()
            options.add_options(
                Option(content_line(f"{c.newer.subject} · {c.newer.attribute}", limit=60)) for c in self._waiting
            )
            if self._waiting:
                options.highlighted = min(place, len(self._waiting) - 1)
            else:
                self.query_one("#conflict-page", Static).update(content("Nothing waits for a decision."))

    @on(OptionList.OptionHighlighted)
    def show(self, event: OptionList.OptionHighlighted) -> None:
        """Show both sides."""
        if event.option_index < len(self._waiting):
            self.query_one("#conflict-page", Static).update(conflict_page(self._waiting[event.option_index]))

    @work(exclusive=True, group="decide")
    async def action_decide(self, resolution: Resolution) -> None:
        """Decide the highlighted conflict."""
        place = self.query_one(OptionList).highlighted
        if place is None or place >= len(self._waiting):
            return
        with self.memagent.telling():
            await self.memagent.run_store(MemoryStore.resolve_conflict, self._waiting[place].id, resolution)
            self._decided += 1
        self._load()
