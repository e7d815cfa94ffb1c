"""A program behind a real pseudo-terminal, to type at and to read from."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable
from types import TracebackType


def _take_terminal() -> None:
    """In the child: own the terminal, or Ctrl+C is a mere character, and heed it even where a parent ignores it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Runs a command on a pseudo-terminal; `shown` is everything it has put on the screen."""

    def __init__(self, command: list[str]) -> None:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self._ours = ours
        self.shown = ""
        self._read = 0

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 30.0) -> float:
        """Read until the text is on the screen, after what was waited for before; the seconds it took."""
        started = time.perf_counter()
        while text not in self.shown[self._read :]:
            left = seconds - (time.perf_counter() - started)
            assert left > 0, f"{text!r} did not appear in:\n{self.shown}"
            if select.select([self._ours], [], [], left)[0]:
                try:
                    self.shown += os.read(self._ours, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    assert text in self.shown[self._read :], f"it ended without {text!r}:\n{self.shown}"
        self._read = self.shown.index(text, self._read) + len(text)
        return time.perf_counter() - started

    def press_until(self, key: str, done: Callable[[], bool], seconds: float = 60.0, every: float = 1.0) -> None:
        """Press a key, again every so many seconds, until something has come of it.

        A signal that arrives in the moment between readline's prompt and its waiting is noticed at the next key only.
        """
        deadline = time.perf_counter() + seconds
        while not done():
            assert time.perf_counter() < deadline, f"nothing came of {key!r}:\n{self.shown}"
            self.type(key)
            self.read_for(every, done)

    def read_for(self, seconds: float, done: Callable[[], bool]) -> None:
        """Read what comes within some time, or until there is enough."""
        deadline = time.perf_counter() + seconds
        while not done() and (left := deadline - time.perf_counter()) > 0:
            if select.select([self._ours], [], [], min(left, 0.1))[0]:
                with contextlib.suppress(OSError):  # the other end is closed
                    self.shown += os.read(self._ours, 65536).decode(errors="replace")

    def end(self, seconds: float = 30.0) -> int:
        """Wait for the program to end; its exit code."""
        return self.process.wait(seconds)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)
