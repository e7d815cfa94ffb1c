"""Widgets that all screens use: fields that no text can upset, and a table that fits its columns to its width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.widgets import DataTable, Input, TextArea
from textual.widgets.text_area import Edit, EditResult

from memagent.escape import one_line, visible


class Field(Input):
    """One line of input. Control characters in it are written out: a terminal would obey them."""

    def validate_value(self, value: str) -> str:
        return one_line(value)


class Area(TextArea):
    """Several lines of input. Control characters in it are written out: a terminal would obey them."""

    def load_text(self, text: str) -> None:
        super().load_text(visible(text))

    def edit(self, edit: Edit) -> EditResult:
        edit.text = visible(edit.text)
        return super().edit(edit)


@dataclass(frozen=True)
class Column:
    """A column of a `FitTable`: at least `width` cells wide, and `share` parts of the room that is left."""

    name: str
    width: int
    share: int = 0
    narrow: bool = True  # shown in a narrow table too


NARROW = 60  # cells; a narrower table leaves out the columns that are not for it


class FitTable(DataTable[Text]):
    """A table of rows whose columns share its width. Rows keep their order, each has a key of its own.

    Cells must come from `tui.text.cell`.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self._specs: Sequence[Column] = ()
        self._cells: list[tuple[str, Sequence[Text]]] = []

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor; None in an empty table."""
        return self._cells[self.cursor_row][0] if 0 <= self.cursor_row < len(self._cells) else None

    def fill(self, columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[Text]]], *, key: str | None) -> None:
        """Show these rows, the cursor on the row with `key`, or near where it was; without a key on the first."""
        self._specs, self._cells = columns, list(rows)
        if key is None:
            self.move_cursor(row=0)
            self.scroll_home(animate=False)
        self._show(key)

    def extend(self, rows: Sequence[tuple[str, Sequence[Text]]]) -> None:
        """Add rows at the end."""
        shown = self._shown()
        for row_key, cells in rows:
            self._cells.append((row_key, cells))
            self.add_row(*(cells[number] for number in shown), key=row_key)

    def on_resize(self, event: events.Resize) -> None:
        if self._specs:
            self._show(self.key)

    def _shown(self) -> list[int]:
        narrow = self.size.width < NARROW
        return [number for number, column in enumerate(self._specs) if column.narrow or not narrow]

    def _show(self, key: str | None) -> None:
        place, scroll = self.cursor_row, self.scroll_y
        with self.app.batch_update():
            self.clear(columns=True)
            shown = self._shown()
            specs = [self._specs[number] for number in shown]
            room = self.size.width - self.styles.scrollbar_size_vertical - 2 * self.cell_padding * len(specs)
            room -= sum(column.width for column in specs)
            shares = sum(column.share for column in specs) or 1
            for column in specs:
                extra = max(room, 0) * column.share // shares
                self.add_column(Text(column.name), width=column.width + extra)
            for row_key, cells in self._cells:
                self.add_row(*(cells[number] for number in shown), key=row_key)
            found = next((n for n, (row_key, _) in enumerate(self._cells) if row_key == key), None)
            if self._cells:
                self.move_cursor(row=min(place, len(self._cells) - 1) if found is None else found, scroll=False)
                self.scroll_to(y=scroll, animate=False)
                self.call_after_refresh(self._scroll_cursor_into_view)
