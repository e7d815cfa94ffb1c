"""The application: opens the agent behind the first frame, holds the four screens and what they all need.

Screens reach the store through `run_store`, which runs a call in a thread and waits, without blocking the screen, until
the store is open; around it stands `with app.telling():`, which turns errors of ours into a notification.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal

from memagent.config import Settings
from memagent.errors import MemagentError
from tui.text import block

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.memory.records import Operation
    from memagent.memory.store import MemoryStore

LOG = logging.getLogger(__name__)
POLL = 1.0  # seconds between looks at the operation log
P = ParamSpec("P")
T = TypeVar("T")


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


class MemagentApp(App[int]):
    """The terminal interface. `opener` makes the agent, in a thread; the default opens what the settings name."""

    TITLE = "memagent"
    CSS_PATH: ClassVar[Any] = [
        "styles/app.tcss",
        "styles/chat.tcss",
        "styles/memories.tcss",
        "styles/sql.tcss",
        "styles/sessions.tcss",
    ]
    MODES: ClassVar[Any] = {"chat": _chat, "memories": _memories, "sql": _sql, "sessions": _sessions}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", show=False, priority=True),
    ]

    def __init__(self, settings: Settings, opener: Callable[[Settings], Agent] = _open) -> None:
        super().__init__()
        self.settings = settings
        self._opener = opener
        self._agent: Agent | None = None
        self._opened = asyncio.Event()
        self._fault: MemagentError | None = None
        self._newest_operation = 0
        self._polling = threading.Lock()
        self.memory_changed: Signal[list[Operation]] = Signal(self, "memory changed")

    # --- the agent and its store ------------------------------------------------------------------------------------

    @property
    def agent(self) -> Agent:
        """The agent. Raises MemagentError while it is not open, and when it could not be opened."""
        if self._agent is None:
            raise self._fault or MemagentError("the memory is still being opened", "try again in a moment")
        return self._agent

    @property
    def store(self) -> MemoryStore:
        """The store; its calls block, so use it in threads only. Raises MemagentError like `agent`."""
        return self.agent.store

    async def run_store(self, call: Callable[Concatenate[MemoryStore, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call(store, *args, **kwargs)` in a thread, as soon as the store is open. Raises what the call raises.

        Use it within `with app.telling():`, so that the person is told what went wrong.
        """
        await self._opened.wait()
        return await asyncio.to_thread(call, self.store, *args, **kwargs)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Errors of ours that leave the block become a notification, and end there."""
        try:
            yield
        except MemagentError as error:
            self.tell_error(error)

    def tell_error(self, error: MemagentError) -> None:
        """One sentence and what to do about it."""
        self.tell(error.message + (f"\n{error.hint}" if error.hint else ""), severity="error")

    def tell(self, words: str, *, severity: Any = "information", timeout: float | None = None) -> None:
        """A notification, never parsed as markup."""
        self.notify(block(words, 600), severity=severity, markup=False, timeout=timeout)

    def on_mount(self) -> None:
        self.switch_mode("chat")
        self._open_agent()

    @work(thread=True, exit_on_error=False, group="open")
    def _open_agent(self) -> None:
        try:
            agent = self._opener(self.settings)
            newest = agent.store.operations(limit=1)
        except MemagentError as error:
            self.call_from_thread(self._not_opened, error)
            return
        self._newest_operation = newest[0].id if newest else 0
        self.call_from_thread(self._is_open, agent)

    def _is_open(self, agent: Agent) -> None:
        self._agent = agent
        self._opened.set()
        self.set_interval(POLL, self.look_for_changes)

    def _not_opened(self, error: MemagentError) -> None:
        self._fault = error
        self._opened.set()
        self.tell_error(error)

    @work(thread=True, exit_on_error=False, group="poll")
    def look_for_changes(self) -> None:
        """Publish what the operation log has gained, whoever wrote it."""
        with self._polling:
            fresh = self.store.operations(since_id=self._newest_operation)
            if not fresh:
                return
            self._newest_operation = fresh[0].id
        self.call_from_thread(self.memory_changed.publish, fresh)

    # --- going from place to place ----------------------------------------------------------------------------------

    def action_go(self, place: str) -> None:
        """Show one of the four screens."""
        self.switch_mode(place)

    def resume_session(self, session_id: int) -> None:
        """Show the chat, with this conversation in it."""

    def show_memory(self, fact_id: int) -> None:
        """Show one memory in the browser."""

    def copy_text(self, text: str) -> None:
        """Put a text on the clipboard and say how."""
        self.copy_to_clipboard(text)
