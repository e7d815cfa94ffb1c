"""Every error memagent raises on purpose, in one tree.

    MemagentError
    ├── InputError          what the person typed or passed is wrong            exit 2
    │   └── NotFoundError   an id, session, space or file that is not there     exit 4
    ├── StoreError          the database cannot be used as it is                exit 3
    │   ├── StoreBusyError      another process holds it
    │   ├── StoreReadOnlyError  the file or folder cannot be written
    │   ├── StoreVersionError   made by a newer memagent, or not ours
    │   └── StoreFullError      no space left on the device
    ├── QueryError          a read-only SQL query was refused or stopped        exit 5
    ├── ModelError          a model cannot be loaded or fails in mid-reply      exit 6
    └── Cancelled           the person stopped it                               exit 130

Each error carries one sentence (what was wrong) and a hint (what to do); only `memagent.cli` and `tui` turn
them into text. A tool failure that the model can mend is a `ToolResult`, not an exception.
"""

from __future__ import annotations


class MemagentError(Exception):
    """Base of all errors raised on purpose; `message` is one sentence, `hint` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(MemagentError):
    """What the person typed or passed is wrong."""

    exit_code = 2


class NotFoundError(InputError):
    """An id, session, space or file that does not exist."""

    exit_code = 4


class StoreError(MemagentError):
    """The database cannot be used as it is."""

    exit_code = 3


class StoreBusyError(StoreError):
    """Another process holds the database longer than we are willing to wait."""


class StoreReadOnlyError(StoreError):
    """The database file, or the folder it is in, cannot be written."""


class StoreVersionError(StoreError):
    """The database was made by a newer memagent, or is not one of ours."""


class StoreFullError(StoreError):
    """No space is left on the device; what was acknowledged before is safe."""


class QueryError(MemagentError):
    """A read-only SQL query was refused, failed, or was stopped at a limit."""

    exit_code = 5


class ModelError(MemagentError):
    """A model cannot be loaded, or failed in the middle of a reply."""

    exit_code = 6


class Cancelled(MemagentError):
    """The person stopped what was running; everything acknowledged before is kept."""

    exit_code = 130
