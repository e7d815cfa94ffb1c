"""Where warnings and tracebacks go: a warning is a line on stderr, a traceback is in `memagent.log` in the home."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from memagent.cli.screen import note, show_error
from memagent.errors import MemagentError

if TYPE_CHECKING:
    from memagent.cli.app import App

LOG_FILE = "memagent.log"


class WarningLines(logging.Handler):
    """Warnings of the program, as one line each; of a fault in a thread, the traceback is logged as well."""

    def __init__(self, app: App) -> None:
        super().__init__(logging.WARNING)
        self._app = app

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        path = log_traceback(fault, self._app) if fault is not None else None
        note(f"warning: {record.getMessage()}" + (f"; traceback: {path}" if path else ""), dim=False)


def show_unexpected(error: BaseException, app: App) -> int:
    """Log the traceback and say in one line where it is; the exit code."""
    path = log_traceback(error, app)
    hint = f"nothing stored is lost; traceback: {path}" if path else "the traceback could not be written to any log"
    show_error(f"unexpected: {type(error).__name__}: {error}", hint)
    return 1


def log_traceback(error: BaseException, app: App) -> Path | None:
    """Append the traceback to the log in the home folder, else in a temporary one; the file, None if neither works."""
    text = "".join(traceback.format_exception(error)) + "\n"
    folders = [Path(tempfile.gettempdir())]
    with contextlib.suppress(MemagentError):  # a setting is wrong: this is not the place to say so
        folders.insert(0, app.settings.home)
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return folder / LOG_FILE
    return None
