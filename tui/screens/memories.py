"""The memories screen: find what is known, see where it came from, add, edit, pin, forget, undo, decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import DataTable, Input, Select, Static

from memagent.errors import InputError, MemagentError
from memagent.memory.records import Fact, Kind, Mode, Operation, State
from memagent.memory.store import MemoryStore
from memagent.tools.memory_tools import change_words
from tui.confirm import Confirm
from tui.page import Page
from tui.screens.conflicts import ConflictDialog
from tui.screens.memory_data import PAGE, Detail, Found, Row, Wanted, detail, find
from tui.screens.memory_form import AddDialog, EditDialog
from tui.screens.memory_view import MODES, columns, detail_page, empty_words, operation_words, row_cells, status
from tui.text import content_line
from tui.widgets import Field, FitTable

PAUSE = 0.12  # seconds of quiet before a search or a page is loaded
STATES = {"current": "current", "retired": "replaced", "all": "all"}
QUIET = {"query", "search"}  # operations that change nothing


class MemoriesScreen(Page):
    """What is known. Every letter below works while the list has the focus; Tab leaves the search field."""

    PLACE = "memories"
    BINDING_GROUP_TITLE = "Memories"
    HELP = """
# Memories
Type to search. *keyword* finds words, also while they are being typed; *vector* finds what means the same; the default
does both. The list shows which of them found a memory, and how well.

The page beside the list shows one memory: its value, when it holds and when it was told, every earlier version, the
message it came from, and the answers it was used in.

*Forget* (d, twice) erases a memory for good, with its history and the words in your messages. Everything else can be
taken back with u.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "search", "Search", id="memories.search", key_display="/"),
        Binding("m", "mode", "Mode", id="memories.mode", tooltip="Search by keyword, by vector, or by both"),
        Binding("a", "add", "Add", id="memories.add"),
        Binding("e,enter", "edit", "Edit", id="memories.edit", key_display="e"),
        Binding("p", "pin", "Pin", id="memories.pin", tooltip="Keep in every prompt"),
        Binding("d", "forget", "Forget", id="memories.forget", key_display="d d"),
        Binding("u", "undo", "Undo", id="memories.undo"),
        Binding("c", "conflicts", "Decide", id="memories.conflicts", show=False),
        Binding("s", "source", "Source", id="memories.source", tooltip="Go to the conversation", show=False),
        Binding("y", "copy", "Copy", id="memories.copy", show=False),
        Binding("r", "reload", "Reload", id="memories.reload", show=False),
        Binding("escape", "clear", "Clear", id="memories.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._wanted = Wanted()
        self._found: Found | None = None
        self._detail: Detail | None = None
        self._limit = PAGE
        self._show: int | None = None  # a fact to put the cursor on
        self._guest: int | None = None  # a fact that is listed wherever it stands
        self._top = True  # the next list is another one, to be read from its top
        self._confirm = Confirm(self)
        self._pause: Timer | None = None
        self._stale = False

    def palette_actions(self) -> list[tuple[str, str, Callable[[], object]]]:
        return [
            ("Add a memory", "subject, attribute and value", self.action_add),
            ("Edit this memory", "another value, kind or time", self.action_edit),
            ("Pin this memory", "keep it in every prompt, or no longer", self.action_pin),
            ("Forget this memory", "for good; asks again", self.action_forget),
            ("Undo the last change", "of all memories", self.action_undo),
            ("Decide between memories", "that may contradict each other", self.action_conflicts),
            ("Go to where this was said", "the conversation it came from", self.action_source),
            ("Clear the filters", "show all memories", self.action_clear),
        ]

    def compose_page(self) -> ComposeResult:
        with Vertical(id="memories"):
            with Horizontal(classes="filters"):
                yield Field(placeholder="Search memories", id="search", compact=True)
                yield Select(
                    [(name, mode) for mode, name in MODES.items()],
                    value="hybrid", allow_blank=False, compact=True, id="mode",
                )  # fmt: skip
            with Horizontal(classes="filters more"):
                kinds = [("any kind", ""), *((kind, kind) for kind in get_args(Kind))]
                yield Select(kinds, value="", allow_blank=False, compact=True, id="kind")
                yield Field(placeholder="subject", id="about", compact=True)
                yield Field(placeholder="since, e.g. last week", id="since", compact=True)
                yield Field(placeholder="until", id="until", compact=True)
                states = [(name, state) for state, name in STATES.items()]
                yield Select(states, value="current", allow_blank=False, compact=True, id="state")
            yield Static("opening the memory …", id="memories-status", markup=False)
            with Horizontal(id="memories-body"):
                yield FitTable(id="facts")
                with VerticalScroll(id="detail"):
                    yield Static("", id="detail-page", markup=False)

    def on_mount(self) -> None:
        self.memagent.memory_changed.subscribe(self, self._memory_changed)
        self.query_one("#facts").focus()
        self.reload()

    def on_screen_resume(self) -> None:
        if self._stale:
            self.reload()

    def _memory_changed(self, operations: list[Operation]) -> None:
        if {operation.name for operation in operations} <= QUIET:
            return
        if self.is_current:
            self.reload()
        else:
            self._stale = True

    # --- the list ---------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    @on(Select.Changed)
    def filters_changed(self) -> None:
        """Search again, as soon as the typing pauses."""
        wanted = self._read_filters()
        if wanted == self._wanted:
            return
        self._wanted, self._limit, self._top, self._guest = wanted, PAGE, True, None
        self._after_pause(self.reload)

    def _after_pause(self, action: Any) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, action)

    def _read_filters(self) -> Wanted:
        def typed(name: str) -> str:
            return self.query_one(f"#{name}", Field).value

        def chosen(name: str) -> str:
            return str(self.query_one(f"#{name}", Select).value)

        return Wanted(
            typed("search"),
            cast(Mode, chosen("mode")),
            cast(Kind, chosen("kind")) or None,
            typed("about"),
            typed("since"),
            typed("until"),
            cast(State, chosen("state")),
        )

    @work(exclusive=True, group="list")
    async def reload(self) -> None:
        """Read the list anew; the cursor stays on its memory."""
        wanted, limit = self._wanted, self._limit
        self._stale = False
        try:
            found = await self.memagent.run_store(find, wanted, limit, self._guest)
        except MemagentError as error:
            self._say(content_line(f"{error.message}; {error.hint}", "$error"))
            return
        self._found = found
        table = self.query_one(FitTable)
        key = None if self._top else table.key if self._show is None else str(self._show)
        self._show, self._top = None, False
        cells = [(str(row.fact.id), row_cells(row, wanted)) for row in found.rows]
        table.fill(columns(wanted), cells, key=key)
        self._say(status(found, wanted))
        if not found.rows:
            self._detail = None
            self.query_one("#detail-page", Static).update(empty_words(wanted))
        else:
            self._load_detail()

    def _say(self, words: Any) -> None:
        self.query_one("#memories-status", Static).update(words)

    @property
    def fact(self) -> Fact | None:
        """The memory under the cursor."""
        row = self._row
        return None if row is None else row.fact

    @property
    def _row(self) -> Row | None:
        key = self.query_one(FitTable).key
        rows = self._found.rows if self._found else ()
        return next((row for row in rows if str(row.fact.id) == key), None)

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        """Show the memory under the cursor; near the end of a list that has more, load more."""
        found = self._found
        if self.fact is not None and self._detail is not None and self.fact.id != self._detail.fact.id:
            self._confirm.keep(None)
        if found is None:
            return
        if self._detail is None or self.fact is None or self._detail.fact.id != self.fact.id:
            self._after_pause(self._load_detail)
        whole = self._wanted.searches or self._guest is not None
        if found.more and not whole and event.cursor_row >= len(found.rows) - 10:
            self._limit = len(found.rows) + PAGE
            self.reload()

    @work(exclusive=True, group="detail")
    async def _load_detail(self) -> None:
        fact = self.fact
        if fact is None:
            return
        with self.memagent.telling():
            shown = await self.memagent.run_store(detail, fact.id)
            if self._detail is None or self._detail.fact.id != fact.id:
                self.query_one("#detail", VerticalScroll).scroll_home(animate=False)
            self._detail = shown
            self.query_one("#detail-page", Static).update(detail_page(shown))

    def show_fact(self, fact_id: int) -> None:
        """Put the cursor on a memory, whatever the filters were."""
        self._reset(Wanted(mode=self._wanted.mode, state="all"))
        self._show, self._guest, self._top = fact_id, fact_id, False
        self.reload()

    def _reset(self, wanted: Wanted) -> None:
        with self.prevent(Input.Changed, Select.Changed):
            for name in ("search", "about", "since", "until"):
                self.query_one(f"#{name}", Field).value = ""
            self.query_one("#kind", Select).value = wanted.kind or ""
            self.query_one("#state", Select).value = wanted.state
        self._wanted, self._limit, self._guest = wanted, PAGE, None

    # --- what the keys do -------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Go to the search field."""
        self.query_one("#search").focus()

    @on(Input.Submitted)
    def to_the_list(self) -> None:
        """Enter in a field goes to what was found."""
        self.query_one(FitTable).focus()

    def action_mode(self) -> None:
        """The next way of searching."""
        select: Select[str] = self.query_one("#mode", Select)
        modes = list(MODES)
        select.value = modes[(modes.index(str(select.value)) + 1) % len(modes)]

    def action_clear(self) -> None:
        """Clear the search and the filters, and go to the list."""
        self._confirm.keep(None)
        self._top = self._guest is not None
        self._reset(Wanted(mode=self._wanted.mode))
        self.query_one(FitTable).focus()
        self.reload()

    def action_reload(self) -> None:
        """Read the list anew."""
        self.reload()

    @on(DataTable.RowSelected)
    def chosen(self) -> None:
        """Enter or a second click edits."""
        self.action_edit()

    @work
    async def action_add(self) -> None:
        """Add a memory by hand."""
        change = await self.app.push_screen_wait(AddDialog())
        if change is not None and change.after is not None:
            self._show = change.after.id
            self._told(change_words(change))

    @work
    async def action_edit(self) -> None:
        """Give the memory another value, kind or time."""
        fact = self._need_current()
        if fact is not None:
            change = await self.app.push_screen_wait(EditDialog(fact))
            if change is not None and change.after is not None:
                self._show = change.after.id
                self._told(change_words(change))

    def _need_current(self) -> Fact | None:
        fact = self.fact
        if fact is None:
            self.memagent.tell("there is no memory under the cursor")
        elif fact.ended:
            self.memagent.tell(f"memory {fact.id} has ended; undo (u) brings it back", severity="warning")
        elif not fact.current:
            self.memagent.tell(f"memory {fact.id} has been replaced; edit the one that replaced it", severity="warning")
        else:
            return fact
        return None

    @work(exclusive=True, group="write")
    async def action_pin(self) -> None:
        """Keep the memory in every prompt, or no longer."""
        fact = self.fact
        if fact is None:
            return
        with self.memagent.telling():
            pinned = await self.memagent.run_store(MemoryStore.pin_fact, fact.id, not fact.pinned)
            self._told(f"memory {fact.id} is {'pinned' if pinned.pinned else 'no longer pinned'}")

    def action_forget(self) -> None:
        """Erase the memory for good; asks for a second press."""
        fact = self.fact
        if fact is None:
            return
        if self._confirm.pressed(("forget", fact.id)):
            self._forget(fact)
        else:
            self._confirm.ask(f"Press d again to erase {fact.subject} · {fact.attribute} for good, with its history.")

    @work(exclusive=True, group="write")
    async def _forget(self, fact: Fact) -> None:
        with self.memagent.telling():
            change = await self.memagent.run_store(MemoryStore.forget_fact, fact.id, asked_by="user")
            self._told(f"{change_words(change)} · {fact.subject} · {fact.attribute}")

    @work(exclusive=True, group="write")
    async def action_undo(self) -> None:
        """Take back the last change; after a forget, which is final, only on a second press."""
        with self.memagent.telling():
            last, newest = await self.memagent.run_store(_last_changes)
            if newest.name == "forget" and newest.id > last.id and not self._confirm.pressed(("undo", last.id)):
                final = "Forgetting is final: nothing of it is left. Press u again to take back the change before it:"
                self._confirm.ask(f"{final} {_in_words(last)}")
                return
            change = await self.memagent.run_store(MemoryStore.undo, last.id, asked_by="user")
            if change.after is not None:
                self._show = change.after.id
            self._told(f"took back: {_in_words(last)}")

    def _told(self, words: str) -> None:
        self.memagent.tell(words)
        self.memagent.look_for_changes()
        self.reload()

    @work
    async def action_conflicts(self) -> None:
        """Decide between claims that may contradict each other."""
        decided = await self.app.push_screen_wait(ConflictDialog())
        if decided:
            self._told("1 decision made" if decided == 1 else f"{decided} decisions made")

    def action_source(self) -> None:
        """Go to the conversation in which the memory was told."""
        messages = [source.message for source in self._detail.sources if source.message] if self._detail else []
        if messages:
            self.memagent.resume_session(messages[-1].session_id)
        else:
            self.memagent.tell("this memory was not told in a conversation that is still there")

    def action_copy(self) -> None:
        """Copy the value."""
        if self.fact is not None:
            self.memagent.copy_text(self.fact.value)


def _last_changes(store: MemoryStore) -> tuple[Operation, Operation]:
    """The newest change that can be taken back, and the newest change."""
    forgotten = store.operations(name="forget", limit=1)
    try:
        last = store.last_change()
    except InputError as error:
        raise InputError("forgetting is final: nothing of it is left", "") if forgotten else error from None
    return last, max([last, *forgotten], key=lambda operation: operation.id)


def _in_words(operation: Operation) -> str:
    return f"{operation.name} {operation_words(operation)}"
