"""Starting and ending the application: what happens around the screen."""

from __future__ import annotations

import codecs
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType, ModuleType
from typing import TYPE_CHECKING

from memagent.config import Settings
from tui.app import MemagentApp

if TYPE_CHECKING:
    from memagent.memory.store import MemoryStore

PATIENCE = 5.0  # seconds that an orderly end may take when the terminal has gone
SWITCH = 0.0005  # seconds after which a thread that computes gives way to the screen; Python's own is ten times that
SIGNALS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGTERM") if hasattr(signal, name))


def run(settings: Settings, *, session_id: int | None = None, go_on: bool = False) -> int:
    """Run the application until the person leaves or the terminal is gone; the exit code.

    Begins with a new conversation, with conversation `session_id`, or (`go_on`) with the latest.
    """

    def first(store: MemoryStore) -> int | None:
        if session_id is not None:
            return session_id
        latest = store.latest_session() if go_on else None
        return latest.id if latest is not None else None

    return run_app(MemagentApp(settings, first=first))


def _replacing_decoder(encoding: str) -> Callable[[], codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), errors="replace")


def tolerate_any_bytes() -> None:
    """Bytes from the terminal that are not UTF-8 become U+FFFD; Textual's own decoder would end the application."""
    if sys.platform != "win32":
        setattr(linux_driver(), "getincrementaldecoder", _replacing_decoder)  # noqa: B010


def linux_driver() -> ModuleType:
    """The module of Textual that reads the terminal."""
    return importlib.import_module("textual.drivers.linux_driver")


def run_app(app: MemagentApp) -> int:
    """Run an application; what is running is stopped, and the store is closed, however it ends.

    Raises what ended it, where that was a fault of ours.
    """
    tolerate_any_bytes()
    sys.setswitchinterval(SWITCH)
    warnings = ScreenWarnings(app)
    logger = logging.getLogger("memagent")
    logger.addHandler(warnings)
    ending = Ending(app)
    try:
        app.run()
    finally:
        logger.removeHandler(warnings)
        app.close()
        ending.over()
    if app.fault is not None:
        raise app.fault
    return ending.exit_code or app.return_code or 0


class ScreenWarnings(logging.Handler):
    """Warnings of the program, as notifications: a line on stderr would be lost behind the screen."""

    def __init__(self, app: MemagentApp) -> None:
        super().__init__(logging.WARNING)
        self._app = app

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is None:  # a fault with a traceback is told by whoever caught it
            self._app.call_soon(lambda: self._app.tell(record.getMessage(), severity="warning"))


class Ending:
    """Ends the application in order when the terminal has gone or the process is told to end.

    What was acknowledged is durable already; this stops the turn, whose words are kept, and closes the store.
    """

    def __init__(self, app: MemagentApp) -> None:
        self._app = app
        self._over = threading.Event()
        self.exit_code = 0
        self._before = {number: signal.signal(number, self._told) for number in SIGNALS}

    def over(self) -> None:
        """The application has ended."""
        self._over.set()
        for number, before in self._before.items():
            signal.signal(number, before)

    def _told(self, number: int, frame: FrameType | None) -> None:
        self.exit_code = 128 + number
        if number != signal.SIGTERM:  # nobody reads what is written now, and writing would fail
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        self._app.stop_turn()
        self._app.call_soon(self._app.exit)
        if not self._over.wait(PATIENCE):  # the screen is stuck in a write that will never end
            self._app.close()
            os._exit(self.exit_code)
