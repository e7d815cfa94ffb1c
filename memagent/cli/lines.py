"""Reading what a person types: editing, several pasted lines as one message, and text that is not UTF-8.

The line history stays in memory. On disk it would keep words that the person has asked the store to forget.
"""

from __future__ import annotations

import contextlib
import select
import sys


class LineReader:
    """Messages from the terminal, or one from each line of a pipe."""

    def __init__(self, prompt: str = "> ") -> None:
        self.interactive = sys.stdin.isatty() and sys.stdout.isatty()
        self._prompt = prompt
        self._pastes_whole = False
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(errors="surrogateescape")
        if self.interactive:
            self._set_up_editing()

    def _set_up_editing(self) -> None:
        with contextlib.suppress(ImportError):
            import readline

            if "libedit" not in (readline.__doc__ or ""):
                readline.parse_and_bind("set enable-bracketed-paste on")
                self._pastes_whole = True

    def read(self) -> str | None:
        """The next message, None at the end. Raises KeyboardInterrupt."""
        if not self.interactive:
            line = sys.stdin.readline()
            return line.removesuffix("\n") if line else None
        try:
            lines = [input(self._prompt)]
            while not self._pastes_whole and _waiting():
                lines.append(input())
        except EOFError:
            return None
        return "\n".join(lines)


def _waiting() -> bool:
    """Whether more input is there already, as after a paste into a terminal that does not bracket it."""
    if sys.platform == "win32":
        return False
    return bool(select.select([sys.stdin], [], [], 0.02)[0])
