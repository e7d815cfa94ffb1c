"""The sessions screen: find a conversation, read it, go on with it, rename, export, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import DataTable, Input, Static

from memagent.export import when
from memagent.memory.records import Operation, Session
from memagent.memory.store import MemoryStore
from tui.chat.transcript import CopyAsked, Earlier, Transcript
from tui.confirm import Confirm
from tui.dialogs import AskDialog
from tui.page import Page
from tui.screens.sessions_data import PAGE, Preview, as_text, export, file_name, find, preview
from tui.text import cell, content, content_line
from tui.widgets import Column, Field, FitTable

PAUSE = 0.15  # seconds of quiet before a search or a preview is loaded
BATCH = 20  # messages at each "load earlier"
COLUMNS = (
    Column("id", 5),
    Column("started", 16),
    Column("title", 14, 1),
    Column("messages", 8),
)
EMPTY = "No conversation yet.\n\nGo to the chat (F2) and say something: everything said is kept here, word for word."


class ConversationTable(FitTable):
    """The list of conversations."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Go on", id="sessions.resume")]


class SessionsScreen(Page):
    """The conversations, word for word."""

    PLACE = "sessions"
    BINDING_GROUP_TITLE = "Sessions"
    HELP = """
# Sessions
Every conversation, word for word. Type to search titles and all that was said; the preview shows where it was found,
and how the conversation ended. **Enter** goes on with it in the chat.

*Delete* (d, twice) erases a conversation. What was learned from it stays among the memories.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "search", "Search", id="sessions.search", key_display="/"),
        Binding("n", "rename", "Rename", id="sessions.rename"),
        Binding("x", "export", "Export", id="sessions.export"),
        Binding("d", "delete", "Delete", id="sessions.delete", key_display="d d"),
        Binding("y", "copy", "Copy", id="sessions.copy", show=False),
        Binding("r", "reload", "Reload", id="sessions.reload", show=False),
        Binding("escape", "clear", "Clear", id="sessions.clear", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._limit = PAGE
        self._top = True  # the next list is another one, to be read from its top
        self._sessions: list[Session] = []
        self._more = False
        self._shown: Preview | None = None
        self._pause: Timer | None = None
        self._loading = asyncio.Lock()
        self._confirm = Confirm(self)

    def palette_actions(self) -> list[tuple[str, str, Callable[[], object]]]:
        return [
            ("Go on with this conversation", "show it in the chat", self.action_resume),
            ("Rename this conversation", "give it a title", self.action_rename),
            ("Export this conversation", "to a Markdown or JSON file", self.action_export),
            ("Copy this conversation", "as Markdown", self.action_copy),
            ("Delete this conversation", "for good; asks again", self.action_delete),
        ]

    def compose_page(self) -> ComposeResult:
        with Vertical(id="sessions"):
            with Horizontal(classes="filters"):
                yield Field(placeholder="Search titles and everything that was said", id="search", compact=True)
            yield Static("opening the memory …", id="sessions-status", markup=False)
            with Horizontal(id="sessions-body"):
                yield ConversationTable(id="conversations")
                with Vertical(id="preview"):
                    yield Static("", id="passages", markup=False)
                    yield Transcript(id="preview-transcript")

    def on_mount(self) -> None:
        self.memagent.memory_changed.subscribe(self, self._memory_changed)
        self.query_one(FitTable).focus()

    def on_screen_resume(self) -> None:
        self._shown = None  # it may have gone on since
        self.reload()

    def _memory_changed(self, operations: list[Operation]) -> None:
        if self.is_current and any(operation.name in ("forget", "delete_session") for operation in operations):
            self._shown = None
            self.reload()

    # --- the list ---------------------------------------------------------------------------------------------------

    @on(Input.Changed, "#search")
    def searched(self, event: Input.Changed) -> None:
        """Search again, as soon as the typing pauses."""
        if event.value != self._text:
            self._text, self._limit, self._top = event.value, PAGE, True
            self._after_pause(self.reload)

    def _after_pause(self, action: Callable[[], Any]) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, action)

    @work(exclusive=True, group="list")
    async def reload(self) -> None:
        """Read the list anew; the cursor stays on its conversation."""
        with self.memagent.telling():
            table = self.query_one(FitTable)
            self._sessions, self._more = await self.memagent.run_store(find, self._text, self._limit)
            key, self._top = None if self._top else table.key, False
            table.fill(COLUMNS, [(str(s.id), _cells(s)) for s in self._sessions], key=key)
            self.query_one("#sessions-status", Static).update(self._count())
            self._load_preview()

    def _count(self) -> Content:
        count = len(self._sessions)
        what = "found" if self._text.strip() else "conversation" if count == 1 else "conversations"
        return content_line(f"the last {count} of more" if self._more else f"{count} {what}", "$foreground-muted")

    @property
    def session(self) -> Session | None:
        """The conversation under the cursor."""
        key = self.query_one(FitTable).key
        return next((session for session in self._sessions if str(session.id) == key), None)

    @on(DataTable.RowHighlighted)
    def moved(self, event: DataTable.RowHighlighted) -> None:
        """Show the conversation under the cursor; near the end of a list that has more, load more."""
        session = self.session
        self._confirm.keep(None if session is None else session.id)
        if session is not None and (self._shown is None or self._shown.session.id != session.id):
            self._after_pause(self._load_preview)
        if self._more and event.cursor_row >= len(self._sessions) - 10:
            self._limit = len(self._sessions) + PAGE
            self.reload()

    @work(group="preview")
    async def _load_preview(self) -> None:
        async with self._loading:  # one after the other: messages that were cancelled half-mounted never go again
            await self._show_preview()

    async def _show_preview(self) -> None:
        session, transcript = self.session, self.query_one("#preview-transcript", Transcript)
        passages = self.query_one("#passages", Static)
        if session is None:
            self._shown = None
            await transcript.show_messages([])
            words = "No conversation has these words." if self._text.strip() else EMPTY
            passages.update(content(words, "$foreground-muted"))
            passages.display = True
            return
        with self.memagent.telling():
            shown = await self.memagent.run_store(preview, session.id, self._text)
            same = self._shown is not None and self._shown.messages == shown.messages
            self._shown = shown
            passages.display = bool(shown.passages)
            passages.update(_passages(shown))
            if not same:
                await transcript.show_messages(shown.messages, earlier=shown.earlier)

    @on(Earlier.Asked)
    @work(group="earlier")
    async def load_earlier(self) -> None:
        """Put older messages into the preview."""
        transcript = self.query_one("#preview-transcript", Transcript)
        async with self._loading:
            shown, oldest = self._shown, transcript.oldest
            if shown is None or oldest is None:
                return
            with self.memagent.telling():
                messages = await self.memagent.run_store(
                    MemoryStore.messages, shown.session.id, before=oldest, limit=BATCH
                )
                first = messages[0].position if messages else 0
                await transcript.show_earlier(messages, earlier=first)

    @on(CopyAsked)
    def copy_message(self, message: CopyAsked) -> None:
        """Copy one message of the preview."""
        self.memagent.copy_text(message.text)

    # --- what the keys do -------------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Go to the search field."""
        self.query_one("#search").focus()

    @on(Input.Submitted, "#search")
    def to_the_list(self) -> None:
        """Enter in the search field goes to what was found."""
        self.query_one(FitTable).focus()

    def action_clear(self) -> None:
        """Clear the search, and go to the list."""
        self._confirm.keep(None)
        self.query_one("#search", Field).value = ""
        self.query_one(FitTable).focus()

    def action_reload(self) -> None:
        """Read the list anew."""
        self._shown = None
        self.reload()

    @on(DataTable.RowSelected)
    def action_resume(self) -> None:
        """Go on with the conversation in the chat."""
        if self.session is not None:
            self.memagent.resume_session(self.session.id)

    @work(exclusive=True, group="dialog")
    async def action_rename(self) -> None:
        """Give the conversation a title."""
        session = self.session
        if session is None:
            return

        async def attempt(title: str) -> None:
            await self.memagent.run_store(MemoryStore.rename_session, session.id, title)

        if await self.app.push_screen_wait(AskDialog("Title of the conversation", session.title, attempt)) is not None:
            self.reload()

    @work(exclusive=True, group="dialog")
    async def action_export(self) -> None:
        """Write the conversation to a file."""
        session = self.session
        if session is None:
            return

        async def attempt(path: str) -> None:
            self.memagent.tell(await self.memagent.run_store(export, session.id, path))

        question = "Export to a new .md or .json file"
        await self.app.push_screen_wait(AskDialog(question, file_name(session), attempt))

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        """Copy the whole conversation as Markdown."""
        if self.session is not None:
            with self.memagent.telling():
                self.memagent.copy_text(await self.memagent.run_store(as_text, self.session.id))

    def action_delete(self) -> None:
        """Erase the conversation; asks for a second press."""
        session = self.session
        if session is None:
            return
        if self._confirm.pressed(session.id):
            self._delete(session)
        else:
            count = "1 message" if session.messages == 1 else f"{session.messages:,} messages"
            self._confirm.ask(f"Press d again to erase “{_title(session)}” with its {count} for good.")

    @work(exclusive=True, group="write")
    async def _delete(self, session: Session) -> None:
        with self.memagent.telling():
            await self.memagent.run_store(MemoryStore.delete_session, session.id)
            self.memagent.tell(f"“{_title(session)}” is erased; what was learned from it stays among the memories")
            self.memagent.look_for_changes()
            self._shown = None
            self.reload()


def _title(session: Session) -> str:
    return session.title or f"session {session.id}"


def _cells(session: Session) -> list[Any]:
    return [
        cell(session.id, "dim", justify="right"),
        cell(when(session.started_at), "dim"),
        cell(session.title or "untitled", "bold" if session.title else "dim italic"),
        cell(f"{session.messages:,}", "dim", justify="right"),
    ]


def _passages(shown: Preview) -> Content:
    lines = [
        content_line(f"{speaker}: ", "$foreground-muted")
        + content_line(before)
        + content_line(match, "bold $warning")
        + content_line(after)
        for speaker, before, match, after in shown.passages
    ]
    return Content("\n").join([content_line("Found in", "bold $accent"), *lines])
