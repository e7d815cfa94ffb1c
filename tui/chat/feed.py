"""The memory feed: every operation on memory, as it happens, whoever asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.chat.cards import TONES
from tui.text import content_line
from tui.views import FeedItem, feed_items

if TYPE_CHECKING:
    from memagent.memory.records import Operation

KEPT = 200


class MemoryFeed(OptionList):
    """The newest operations, the latest at the bottom."""

    HELP = """
## Memory feed

Every operation on memory, as it happens: by the agent, by you, by another window or program on the same store.

- **Up**, **Down** move; **Enter** shows the memory in the browser
- **u** takes the operation back
- a line in *italics* is from elsewhere, not from this conversation
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("u", "undo", "Undo", id="feed.undo")]

    class Asked(Message):
        """The person wants to see a memory, or to take an operation back."""

        def __init__(self, *, fact_id: int | None = None, undo: int | None = None) -> None:
            super().__init__()
            self.fact_id = fact_id
            self.undo = undo

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self.border_title = "Memory, live"
        self.border_subtitle = "nothing yet"
        self._items: list[FeedItem] = []

    @property
    def items(self) -> Sequence[FeedItem]:
        """What is shown, oldest first."""
        return self._items

    def show(self, operations: Sequence[Operation], session_id: int | None) -> None:
        """Show these operations, given newest first, and nothing else."""
        self._items = []
        self.clear_options()
        self.add(operations, session_id)

    def add(self, operations: Sequence[Operation], session_id: int | None) -> None:
        """Add operations, given newest first; one that is shown already is not added again."""
        newest = self._items[-1].operation_id if self._items else 0
        fresh = [item for item in feed_items(operations, session_id) if item.operation_id > newest]
        if not fresh:
            return
        at_end = self.is_vertical_scroll_end or not self._items
        self._items += fresh
        if len(self._items) > KEPT:
            del self._items[: len(self._items) - KEPT]
            self.clear_options()
            fresh = self._items
        self.add_options([Option(_prompt(item), id=str(item.operation_id)) for item in fresh])
        self.border_subtitle = f"{len(self._items)} operations" if len(self._items) > 1 else "1 operation"
        if at_end:
            self.call_after_refresh(self.scroll_end, animate=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        fact_id = self._items[event.option_index].fact_id
        if fact_id is not None:
            self.post_message(self.Asked(fact_id=fact_id))

    def action_undo(self) -> None:
        if self.highlighted is not None:
            self.post_message(self.Asked(undo=self._items[self.highlighted].operation_id))


def _prompt(item: FeedItem) -> Content:
    style = TONES[item.tone]
    parts = [
        Content.styled(f"{item.sign} ", f"bold {style}"),
        content_line(item.words, style if item.here else f"italic {style}"),
    ]
    if item.before is not None:
        parts += [Content.styled("\n  was ", "$foreground 45%"), content_line(item.before, "$text-error strike")]
    return Content.assemble(*parts, "\n", Content.styled(f"  {item.note}", "$foreground 45%"), "\n")
