"""The application: holds the four screens, goes from one to the other, and does what is asked for on all of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memagent.config import MemoryMode, Mode, Settings
from memagent.errors import MemagentError
from tui.agent_app import AgentApp
from tui.commands import WAYS, commands
from tui.page import Page, TopBar
from tui.themes import DAY, DEFAULT, NIGHT
from tui.views import model_words

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.memory.store import MemoryStore

AFTER_FIRST_FRAME = 0.05  # seconds; opening the agent at once would hold the first frame up


def _open(settings: Settings) -> Agent:
    from memagent.agent.assemble import open_agent

    return open_agent(settings)


def _chat() -> Screen[Any]:
    from tui.chat.screen import ChatScreen

    return ChatScreen()


def _memories() -> Screen[Any]:
    from tui.screens.memories import MemoriesScreen

    return MemoriesScreen()


def _sql() -> Screen[Any]:
    from tui.screens.sql import SqlScreen

    return SqlScreen()


def _sessions() -> Screen[Any]:
    from tui.screens.sessions import SessionsScreen

    return SessionsScreen()


class MemagentApp(AgentApp):
    """The terminal interface. `opener` makes the agent, in a thread; `first` chooses the conversation to begin with."""

    TITLE = "memagent"
    ENABLE_COMMAND_PALETTE = True
    CSS_PATH: ClassVar[Any] = [f"styles/{name}.tcss" for name in ("app", "chat", "memories", "sql", "sessions")]
    MODES: ClassVar[Any] = {"chat": _chat, "memories": _memories, "sql": _sql, "sessions": _sessions}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", id="app.help", priority=True),
        Binding("ctrl+q", "quit", "Quit", id="app.quit", show=False, priority=True),
    ]

    def __init__(
        self,
        settings: Settings,
        opener: Callable[[Settings], Agent] = _open,
        first: Callable[[MemoryStore], int | None] = lambda store: None,
    ) -> None:
        super().__init__(settings, opener)
        self.first_session = first
        self.memory_mode: MemoryMode = settings.memory
        self._loop_running: asyncio.AbstractEventLoop | None = None
        self.turn_cancel: threading.Event | None = None
        self.register_theme(NIGHT)
        self.register_theme(DAY)
        known = settings.theme is not None and settings.theme in self.available_themes
        self.theme = settings.theme if known and settings.theme else DEFAULT  # before the styles are read: once, then

    # --- life -------------------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        self._loop_running = asyncio.get_running_loop()
        self._take_preferences()
        await self.switch_mode("chat")
        self.show_state()
        self.set_timer(AFTER_FIRST_FRAME, self._open_agent)

    def _take_preferences(self) -> None:
        wanted = self.settings.theme
        if wanted is not None and wanted not in self.available_themes:
            known = ", ".join(sorted(self.available_themes))
            self.tell(f"there is no theme {wanted!r}\nthemes: {known}", severity="warning", timeout=12)
        self.set_keymap(dict(self.settings.keys))
        if self.settings.keys:
            self._check_keys()

    @work(thread=True, exit_on_error=False, group="keys")
    def _check_keys(self) -> None:
        from tui.keys import unknown_actions

        unknown = unknown_actions(self.settings.keys)
        if unknown:
            words = f"[keys] names no action of ours: {', '.join(unknown)}\nF1 shows the actions' names"
            self.call_from_thread(self.tell, words, severity="warning", timeout=12)

    def show_state(self) -> None:
        """Show, on every screen, the model's state and the memory mode."""
        model = model_words(self._agent.model_name if self._agent is not None else self.settings.model)
        state = "" if self.model_state == "ready" else f" ({self.model_state})"
        mode = f" · mode {self.settings.mode}" if self.routed else ""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, Page) and screen.is_mounted:
                    screen.query_one(TopBar).status = f"{model}{state} · memory {self.memory_mode}{mode}"
                    screen.show_state()

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call it in the screen's thread, from any thread; not at all before the start and after the end."""
        if self._loop_running is not None and not self._loop_running.is_closed():
            self._loop_running.call_soon_threadsafe(call)

    def stop_turn(self) -> None:
        """Stop the turn that is running, if there is one; from any thread."""
        if self.turn_cancel is not None:
            self.turn_cancel.set()

    @property
    def fault(self) -> Exception | None:
        """What ended the application, if it was a fault of ours."""
        return self._exception

    def _fatal_error(self) -> None:
        """Replaces Textual's, which prints the traceback with all local values: words out of memory among them."""
        self._close_messages_no_wait()

    def close(self) -> None:
        """Close the agent, when the application has ended."""
        self.stop_turn()
        if self._agent is not None:
            self._agent.close()

    # --- going from place to place ----------------------------------------------------------------------------------

    async def action_go(self, place: str) -> None:
        """Show one of the four screens."""
        await self.switch_mode(place)
        self.show_state()

    @work
    async def resume_session(self, session_id: int) -> None:
        """Show the chat, with this conversation in it."""
        from tui.chat.screen import ChatScreen

        await self.action_go("chat")
        if isinstance(self.screen, ChatScreen):
            with self.telling():
                await self.screen.load(session_id)

    @work
    async def show_memory(self, fact_id: int) -> None:
        """Show one memory in the browser."""
        from tui.screens.memories import MemoriesScreen

        await self.action_go("memories")
        if isinstance(self.screen, MemoriesScreen):
            self.screen.show_fact(fact_id)

    @work
    async def show_sql(self, query: str) -> None:
        """Put a query into the SQL screen."""
        from tui.screens.sql import SqlScreen

        await self.action_go("sql")
        if isinstance(self.screen, SqlScreen):
            self.screen.show_query(query)

    # --- what holds everywhere --------------------------------------------------------------------------------------

    def set_memory_mode(self, mode: MemoryMode) -> None:
        """What the agent may do with memory from the next turn on; kept for this run."""
        meanings = {
            "on": "the agent reads and writes",
            "ask": "each write waits for your consent",
            "read-only": "the agent reads, and writes nothing",
            "off": "no recall, no tools; what is said is kept all the same",
        }
        self.memory_mode = mode
        self.show_state()
        self.tell(f"memory {mode}: {meanings[mode]}", timeout=4)

    @work(thread=True, exclusive=True, exit_on_error=False, group="mode")
    def set_mode(self, mode: Mode) -> None:
        """Who uses memory beside another chat model, from the next turn on; kept for this run."""
        settings = replace(self.settings, mode=mode)
        try:
            self.agent.route(settings)  # may load the specialists
        except MemagentError as error:
            self.call_from_thread(self.tell_error, error)
            return
        self.settings = settings
        self.call_from_thread(self.show_state)
        self.call_from_thread(self.tell, f"mode {mode}: {WAYS[mode][0].lower()}{WAYS[mode][1:]}", timeout=4)

    @work(thread=True, exit_on_error=False, group="copy")
    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard and say how."""
        from tui.clipboard import copy_natively, native_tool

        tool = native_tool()
        size = f"{len(text):,} characters"
        if tool is not None and copy_natively(text, tool):
            self.call_from_thread(self.tell, f"copied {size} with {tool[0]}", timeout=3)
            return
        self.call_from_thread(self.copy_to_clipboard, text)
        words = f"copied {size} through the terminal (OSC 52); if nothing arrives, the terminal does not allow it"
        self.call_from_thread(self.tell, words, timeout=5)

    def choose_theme(self, name: str) -> None:
        """Use a theme, and keep the choice in the configuration."""
        from memagent.config import write_setting

        self.theme = name
        with self.telling():
            write_setting(self.settings.home, "theme", name)

    def action_help(self) -> None:
        """Help for the focused part, with its keys."""
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen(self.screen))

    def action_help_quit(self) -> None:
        """Ctrl+C: stops a reply; otherwise a word on how to leave."""
        from tui.chat.screen import ChatScreen

        if isinstance(self.screen, ChatScreen) and self.screen.busy:
            self.screen.action_stop()
        else:
            self.tell("Ctrl+Q leaves; nothing is lost", timeout=4)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        return commands(self, screen)

    def handle_bindings_clash(self, clashed_bindings: set[Binding], node: Any) -> None:
        """Two actions on one key, by the person's own `[keys]`."""
        names = ", ".join(sorted(str(binding.id or binding.action) for binding in clashed_bindings))
        self.tell(
            f"one key, several actions: {names}\nchange [keys] in {self.settings.config_file}", severity="warning"
        )
