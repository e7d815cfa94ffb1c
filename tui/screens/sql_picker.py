"""The window in which a query is chosen from many: examples, or what was run before."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.dialogs import Dialog
from tui.text import content, content_line


class PickDialog(Dialog[str]):
    """A list of queries with a word about each, and the highlighted one in full."""

    def __init__(self, title: str, queries: Sequence[tuple[str, str]]) -> None:
        super().__init__(classes="dialog -large")
        self._title, self._queries = title, queries

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = content_line(self._title)
            window.border_subtitle = content_line("Enter takes it into the editor · Esc leave")
            with Horizontal():
                yield OptionList(id="queries", markup=False)
                with VerticalScroll(id="query"):
                    yield Static("", markup=False)

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.add_options(Option(content_line(about, limit=90)) for _, about in self._queries)
        options.focus()
        options.highlighted = 0

    @on(OptionList.OptionHighlighted)
    def show(self, event: OptionList.OptionHighlighted) -> None:
        """Show the query in full."""
        self.query_one("#query Static", Static).update(content(self._queries[event.option_index][0]))

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the chosen query."""
        self.dismiss(self._queries[event.option_index][0])
