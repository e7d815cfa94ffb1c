"""The SQL editor: highlighting, and completions that open while a word is typed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import OptionList, TextArea
from textual.widgets.option_list import Option

from memagent.memory.schema import Relation
from tui.screens.sql_text import Choice, choices, statement_at, word_before
from tui.text import content_line
from tui.widgets import Area

HEIGHT = 8  # lines of the completion list
TYPED = {"underscore", "full_stop"}


class Completions(OptionList, can_focus=False):
    """The list under the cursor. The editor keeps the focus and moves in it."""

    class Chosen(Message):
        """A completion was clicked."""

    def __init__(self) -> None:
        super().__init__(id="completions", markup=False, compact=True)
        self.choices: Sequence[Choice] = ()
        self.touched = False  # the person has moved in it

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def open(self, offered: Sequence[Choice], at: Offset) -> None:
        """Show the list with its corner at a place of the screen."""
        self.choices, self.touched = offered, False
        self.clear_options()
        width = max(len(choice.text) for choice in offered)
        self.add_options(
            Option(content_line(f"{choice.text:{width}}  ") + content_line(choice.sort, "$foreground-muted"))
            for choice in offered
        )
        self.highlighted = 0
        self.absolute_offset = at
        self.display = True

    def shut(self) -> None:
        """Hide the list."""
        self.display = False

    def move(self, step: int) -> None:
        """Highlight another completion; the list is a ring."""
        self.touched = True
        self.highlighted = ((self.highlighted or 0) + step) % len(self.choices)

    @property
    def choice(self) -> Choice:
        """The highlighted completion."""
        return self.choices[self.highlighted or 0]


class SqlEditor(Area):
    """An editor for SQL. `relations` are what completions offer."""

    def __init__(self, text: str, completions: Completions) -> None:
        super().__init__(
            text, language="sql", show_line_numbers=True, soft_wrap=False, tab_behavior="focus", id="editor"
        )
        self.relations: Sequence[Relation] = ()
        self._completions = completions
        self._typed = False

    @property
    def offset_of_cursor(self) -> int:
        """How many characters stand before the cursor."""
        row, column = self.cursor_location
        return sum(len(self.document.get_line(number)) + 1 for number in range(row)) + column

    @property
    def statement(self) -> str:
        """The selected text, or else the statement at the cursor; empty where there is none."""
        if self.selected_text.strip():
            return self.selected_text
        span = statement_at(self.text, self.offset_of_cursor)
        return self.text[span[0] : span[1]] if span else ""

    async def _on_key(self, event: events.Key) -> None:
        shown = self._completions
        self._typed = bool(event.is_printable and event.character and (event.character.isalnum() or event.key in TYPED))
        if not shown.is_open:
            await super()._on_key(event)
            return
        if event.key in ("up", "down"):
            shown.move(-1 if event.key == "up" else 1)
        elif event.key == "tab" or (event.key == "enter" and shown.touched):
            self.complete()
        elif event.key == "escape":
            shown.shut()
        else:
            if not self._typed and event.key != "backspace":
                shown.shut()
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    @on(TextArea.Changed)
    def offer_while_typing(self) -> None:
        """Offer completions after a letter, and again while a list is open."""
        if self._typed or self._completions.is_open:
            self.offer()
        self._typed = False

    def offer(self) -> None:
        """Offer completions for the word before the cursor."""
        before = self.text[: self.offset_of_cursor]
        span = statement_at(self.text, len(before))
        begin, end = span if span else (0, len(self.text))
        found = choices(before[min(begin, len(before)) :], self.text[begin:end], self.relations)
        if found and self.has_focus:
            word, _ = word_before(before)
            at = self.cursor_screen_offset
            self._completions.open(found, Offset(max(at.x - len(word) - 2, 0), at.y + 1))
        else:
            self._completions.shut()

    def complete(self) -> None:
        """Put the highlighted completion in place of the word before the cursor."""
        word, _ = word_before(self.text[: self.offset_of_cursor])
        row, column = self.cursor_location
        self._completions.shut()
        self.replace(self._completions.choice.text, (row, column - len(word)), (row, column))

    def on_blur(self) -> None:
        self._completions.shut()
