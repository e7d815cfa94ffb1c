"""An application with an agent: opened in a thread behind the first frame, used from threads, closed at the end.

Screens reach the store through `run_store`, which runs a call in a thread and waits, without blocking the screen, until
the store is open; around it stands `with app.telling():`, which turns errors of ours into a notification.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.app import App
from textual.signal import Signal

from memagent.config import Settings
from memagent.errors import MemagentError, StoreError
from tui.text import block

if TYPE_CHECKING:
    from memagent.agent.assemble import Agent
    from memagent.memory.records import Operation
    from memagent.memory.store import MemoryStore

LOG = logging.getLogger("memagent.tui")
POLL = 1.0  # seconds between looks at the operation log
P = ParamSpec("P")
T = TypeVar("T")


class AgentApp(App[int]):
    """The part of the application that holds the agent. `opener` makes it, in a thread."""

    def __init__(self, settings: Settings, opener: Callable[[Settings], Agent]) -> None:
        super().__init__()
        self.settings = settings
        self.routed = False  # whether specialists work beside another chat model, by `settings.mode`
        self.model_state = "opening the memory"
        self.memory_changed: Signal[list[Operation]] = Signal(self, "memory changed")
        self._opener = opener
        self._agent: Agent | None = None
        self._opened = asyncio.Event()
        self._fault: MemagentError | None = None
        self._newest_operation = 0
        self._polling = threading.Lock()

    @abstractmethod  # without ABC, whose metaclass is not Textual's: it is mypy that refuses an application without it
    def show_state(self) -> None:
        """Show, on every screen, the model's state."""

    # --- what screens use -------------------------------------------------------------------------------------------

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

    @property
    def store_words(self) -> str:
        """Where the memory is, for a person."""
        return str(self.settings.store_path or "the configured SQL server")

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
        self.tell(error.message + (f"\n{error.hint}" if error.hint else ""), severity="error", timeout=12)

    def tell(self, words: str, *, severity: Any = "information", timeout: float | None = None) -> None:
        """A notification, never parsed as markup."""
        self.notify(block(words, 600), severity=severity, markup=False, timeout=timeout)

    # --- opening and watching it -------------------------------------------------------------------------------------

    @work(thread=True, exit_on_error=False, group="open")
    def _open_agent(self) -> None:
        from memagent.models.choose import is_shipped

        try:
            agent = self._opener(self.settings)
            newest = agent.store.operations(limit=1)
        except MemagentError as error:
            self.call_from_thread(self._not_opened, error)
            return
        except Exception as fault:  # nobody is above this thread; the traceback goes to the log
            LOG.exception("the memory cannot be opened: %s: %s", type(fault).__name__, fault)
            hint = "for the cause run: memagent doctor"
            self.call_from_thread(self._not_opened, StoreError(f"the memory cannot be opened: {fault}", hint))
            return
        self._newest_operation = newest[0].id if newest else 0
        self.call_from_thread(self._is_open, agent)
        agent.ready.wait()
        try:
            _ = agent.model
            self.routed = not is_shipped(self.settings)
        except MemagentError as error:
            self.call_from_thread(self._model_failed, error)
        else:
            self.call_from_thread(self._set_state, "ready")

    def _is_open(self, agent: Agent) -> None:
        self._agent = agent
        self._opened.set()
        if self.model_state != "ready":
            self._set_state("ready" if agent.ready.is_set() else "loading the model")
        self.set_interval(POLL, self.look_for_changes)

    def _not_opened(self, error: MemagentError) -> None:
        self._fault = error
        self._opened.set()
        self._set_state("the memory cannot be opened")
        self.tell_error(error)

    def _model_failed(self, error: MemagentError) -> None:
        self._set_state("the model did not load")
        self.tell_error(error)

    def _set_state(self, state: str) -> None:
        self.model_state = state
        self.show_state()

    @work(thread=True, exit_on_error=False, group="poll")
    def look_for_changes(self) -> None:
        """Publish what the operation log has gained, whoever wrote it."""
        with self._polling:
            try:
                fresh = self.store.operations(since_id=self._newest_operation, limit=200)
            except MemagentError as error:
                LOG.info("the operation log could not be read: %s", error)  # a busy store is asked again in a second
                return
            if not fresh:
                return
            self._newest_operation = fresh[0].id
        self.call_from_thread(self.memory_changed.publish, fresh)
