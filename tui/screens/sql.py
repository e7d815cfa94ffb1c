"""The SQL screen: the schema, an editor, and what came of a query; reading only, through the guarded path."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.timer import Timer
from textual.widgets import DataTable, OptionList, Static, Tree

from memagent.errors import InputError, MemagentError
from memagent.memory.schema import Relation
from memagent.memory.sql import Cell
from tui.dialogs import AskDialog, TextDialog
from tui.page import Page
from tui.screens.sql_data import CELL, Answer, export, history, query, schema, whole_cell
from tui.screens.sql_editor import Completions, SqlEditor
from tui.screens.sql_picker import PickDialog
from tui.screens.sql_text import EXAMPLES
from tui.text import cell, content_line

BATCH = 500  # rows mounted at a time; the table takes 0.1 s for them
SHOWN = 80  # characters of a cell in the table
READY = "F5 runs the statement at the cursor · F7 examples · F8 history · nothing can be changed from here"


class SqlScreen(Page):
    """Read the memory with SQL. Nothing can be changed from here."""

    PLACE = "sql"
    BINDING_GROUP_TITLE = "SQL"
    HELP = """
# SQL
Everything the agent knows is in one database, and this is a window into it. **F5** runs the statement at the cursor (or
what is selected). The views *current_facts*, *fact_history*, *conversation* and *operation_log* are made for reading.

Completions open while you type: Tab takes one, Esc closes them, Ctrl+Space opens them. Space shows a cell in full.
Only SELECT is possible; a query that takes too long is stopped with Esc.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,ctrl+j,ctrl+enter", "run_query", "Run", id="sql.run", priority=True, key_display="F5"),
        Binding("escape", "stop", "Stop", id="sql.stop", show=False),
        Binding("f7", "examples", "Examples", id="sql.examples", priority=True, key_display="F7"),
        Binding("f8", "history", "History", id="sql.history", key_display="F8"),
        Binding("ctrl+s", "export", "Export", id="sql.export"),
        Binding("f9", "schema", "Schema", id="sql.schema", key_display="F9"),
        Binding("ctrl+@,ctrl+space", "complete", "Complete", id="sql.complete", show=False),
        Binding("space", "cell", "Cell", id="sql.cell", tooltip="The whole of a cell", show=False),
        Binding("y", "copy", "Copy", id="sql.copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._answer: Answer | None = None
        self._cancel: threading.Event | None = None
        self._started = 0.0
        self._clock: Timer | None = None

    def palette_actions(self) -> list[tuple[str, str, Callable[[], object]]]:
        return [
            ("Run the query", "the statement at the cursor", self.action_run_query),
            ("Stop the query", "that is running", self.action_stop),
            ("Example queries", "to begin with", self.action_examples),
            ("Earlier queries", "what was run before", self.action_history),
            ("Export the rows", "to a CSV or JSON file", self.action_export),
            ("Show or hide the schema", "tables, views and their columns", self.action_schema),
        ]

    def compose_page(self) -> ComposeResult:
        completions = Completions()
        with Horizontal(id="sql"):
            tree: Tree[Relation | str] = Tree("schema", id="schema")
            tree.show_root, tree.auto_expand, tree.guide_depth = False, False, 2
            yield tree
            with Vertical():
                yield SqlEditor(EXAMPLES[0].sql + "\n", completions)
                yield Static(content_line(READY, "$foreground-muted"), id="sql-status", markup=False)
                yield DataTable(id="rows", zebra_stripes=True)
        yield completions

    def on_mount(self) -> None:
        self.query_one(Completions).display = False
        self.query_one(SqlEditor).focus()
        self._load_schema()

    @property
    def rows(self) -> DataTable[Text]:
        """The table of results."""
        return self.query_one("#rows", DataTable)

    def _say(self, words: Content) -> None:
        self.query_one("#sql-status", Static).update(words)

    # --- the schema -------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="schema")
    async def _load_schema(self) -> None:
        with self.memagent.telling():
            found = await self.memagent.run_store(schema)
            self.query_one(SqlEditor).relations = found
            tree: Tree[str] = self.query_one("#schema", Tree)
            tree.clear()
            for view, title in ((True, "views"), (False, "tables")):
                branch = tree.root.add(cell(title, "bold"), expand=True)
                for relation in found:
                    if relation.view == view:
                        node = branch.add(cell(relation.name), data=relation.name)
                        for name, kind in relation.columns:
                            node.add_leaf(cell(name) + cell(f" {kind}", "dim"), data=name)

    @on(Tree.NodeSelected)
    def put_name(self, event: Tree.NodeSelected[str]) -> None:
        """Put the chosen name into the query, or open and close a group."""
        if event.node.data is None:
            event.node.toggle()
            return
        editor = self.query_one(SqlEditor)
        editor.insert(event.node.data)
        editor.focus()

    def action_schema(self) -> None:
        """Show or hide the schema."""
        tree = self.query_one("#schema")
        tree.toggle_class("-shown" if self.has_class("-narrow") else "-hidden")
        self.query_one(SqlEditor).focus()

    # --- running ----------------------------------------------------------------------------------------------------

    def action_run_query(self) -> None:
        """Run the statement at the cursor; stops the one that is running."""
        sql = self.query_one(SqlEditor).statement
        self.query_one(Completions).shut()
        if not sql.strip():
            self._say(content_line("there is no statement at the cursor; F7 shows examples", "$text-warning"))
            return
        self._halt()
        self._cancel = threading.Event()
        self._started = time.monotonic()
        self._clock = self.set_interval(0.1, self._tick)
        self._run_query(sql, self._cancel)

    def _tick(self) -> None:
        if (seconds := time.monotonic() - self._started) > 0.3:
            self._say(content_line(f"running, {seconds:.1f} s · Esc stops it", "$text-warning"))

    def _halt(self) -> bool:
        """Stop what is running; whether there was something."""
        cancel, self._cancel = self._cancel, None
        if self._clock is not None:
            self._clock.stop()
        if cancel is not None:
            cancel.set()
        return cancel is not None

    @work(group="query")
    async def _run_query(self, sql: str, cancel: threading.Event) -> None:
        try:
            answer = await self.memagent.run_store(query, sql, cancel)
        except MemagentError as error:
            if self._cancel is cancel:
                self._halt()
                hint = content_line(f" · {error.hint}", "$foreground-muted") if error.hint else Content("")
                self._say(content_line(error.message, "$text-error", limit=2000) + hint)
            return
        if self._cancel is cancel:
            self._halt()
            self._answer = answer
            self._show()

    def action_stop(self) -> None:
        """Stop the query that is running."""
        if self._halt():
            self._say(content_line("stopped; nothing was changed", "$text-warning"))

    def on_unmount(self) -> None:
        self._halt()

    # --- rows -------------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        answer, table = self._answer, self.rows
        assert answer is not None
        table.clear(columns=True)
        for name in answer.result.columns:
            table.add_column(cell(name, "bold", limit=SHOWN))
        self._mount_rows()
        self.query_one("#sql").add_class("-answered")

    def _mount_rows(self) -> None:
        answer, table = self._answer, self.rows
        assert answer is not None
        mounted = table.row_count
        for row in answer.rows[mounted : mounted + BATCH]:
            table.add_row(*map(_cell, row))
        self._say(_count(answer, min(mounted + BATCH, len(answer.rows))))

    @on(DataTable.CellHighlighted)
    def moved(self, event: DataTable.CellHighlighted) -> None:
        """Mount more rows near the end of those that are."""
        answer = self._answer
        if answer and event.coordinate.row >= self.rows.row_count - 50 and self.rows.row_count < len(answer.rows):
            self._mount_rows()

    @property
    def _at(self) -> tuple[Answer, Coordinate, Cell] | None:
        """The cell under the cursor."""
        answer, at = self._answer, self.rows.cursor_coordinate
        if answer is None or at.row >= len(answer.rows) or at.column >= len(answer.result.columns):
            return None
        return answer, at, answer.rows[at.row][at.column]

    @on(DataTable.CellSelected)
    def action_cell(self) -> None:
        """Show a cell in full."""
        if self._at is not None:
            self._show_cell(*self._at)

    @work(exclusive=True, group="cell")
    async def _show_cell(self, answer: Answer, at: Coordinate, shown: Cell) -> None:
        with self.memagent.telling():
            text, note = await self.memagent.run_store(whole_cell, answer.sql, at.row, at.column, shown)
            title = f"{answer.result.columns[at.column]} · row {at.row + 1:,}"
            self.app.push_screen(TextDialog(title, text, note))

    def action_copy(self) -> None:
        """Copy a cell."""
        if self._at is not None:
            shown = self._at[2]
            self.memagent.copy_text("" if shown is None else str(shown))

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        """Write all rows of the last query to a file."""
        answer = self._answer
        if answer is None:
            self.memagent.tell("run a query first (F5); then its rows can be exported")
            return

        async def attempt(path: str) -> None:
            self.memagent.tell(await self.memagent.run_store(export, answer.sql, path))

        await self.app.push_screen_wait(AskDialog("Export all rows to a new .csv or .json file", "query.csv", attempt))

    # --- queries to begin with --------------------------------------------------------------------------------------

    @work(exclusive=True, group="pick")
    async def action_examples(self) -> None:
        """Choose an example."""
        self._put(await self.app.push_screen_wait(PickDialog("Examples", [(e.sql, e.title) for e in EXAMPLES])))

    @work(exclusive=True, group="pick")
    async def action_history(self) -> None:
        """Choose a query from before."""
        with self.memagent.telling():
            before = await self.memagent.run_store(history)
            if not before:
                raise InputError("no query has been run yet", "F7 shows examples")
            self._put(await self.app.push_screen_wait(PickDialog("History", before)))

    def show_query(self, sql: str) -> None:
        """Put a query into the editor."""
        self._put(sql)

    def _put(self, sql: str | None) -> None:
        """Add a query to the editor, behind what is there, with the cursor in it."""
        editor = self.query_one(SqlEditor)
        if sql is not None:
            kept = editor.text.strip()
            if kept and not kept.endswith(";"):
                kept += ";"
            text = f"{kept}\n\n{sql}\n" if kept and sql.strip() != kept else f"{sql}\n"
            editor.replace(text, editor.document.start, editor.document.end)
            editor.move_cursor((text.rstrip("\n").count("\n"), 0))
        editor.focus()

    def action_complete(self) -> None:
        """Open the completions."""
        self.query_one(SqlEditor).offer()

    @on(OptionList.OptionSelected, "#completions")
    def take(self, event: OptionList.OptionSelected) -> None:
        """A click takes a completion."""
        self.query_one(SqlEditor).complete()


def _cell(value: Cell) -> Text:
    if value is None:
        return cell("NULL", "dim italic")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return cell(value, limit=SHOWN, justify="right" if number else "left")


def _count(answer: Answer, mounted: int) -> Content:
    """How many rows there are, how many of them are shown, what was cut."""
    total, more = len(answer.rows), answer.more
    rows = "1 row" if total == 1 and not more else f"{total:,} rows"
    words = f"{mounted:,} of {'more than ' if more else ''}{rows}" if mounted < total or more else rows
    later = "the next come as you scroll" if mounted < total else "Ctrl+S exports all of them" if more else ""
    cut = f"long cells cut at {CELL:,} characters" if answer.result.truncated and not more else ""
    time_taken = f"{answer.result.milliseconds:,.1f} ms"
    parts: list[Any] = [words, time_taken, later, cut, "space shows a whole cell" if total else ""]
    return content_line(" · ".join(part for part in parts if part), "$foreground-muted")
