"""A program behind a real pseudo-terminal, to type at and to read from."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from types import TracebackType


class Terminal:
    """Runs a command on a pseudo-terminal; `shown` is everything it has put on the screen."""

    def __init__(self, command: list[str]) -> None:
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._ours = ours
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 30.0) -> float:
        """Read until the text is on the screen; the seconds it took. Fails with what is there instead."""
        started = time.perf_counter()
        at = len(self.shown)
        while text not in self.shown[at:]:
            left = seconds - (time.perf_counter() - started)
            assert left > 0, f"{text!r} did not appear in:\n{self.shown}"
            if select.select([self._ours], [], [], left)[0]:
                try:
                    self.shown += os.read(self._ours, 65536).decode(errors="replace")
                except OSError:  # the other end is closed
                    assert text in self.shown[at:], f"it ended without {text!r}:\n{self.shown}"
        return time.perf_counter() - started

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
