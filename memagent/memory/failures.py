"""What the database drivers raise, in memagent's own words."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from memagent.errors import (
    InputError,
    MemagentError,
    NotFoundError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
)

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
_BUSY_STATES = {"55P03", "57014", "40001", "40P01"}  # lock not available, timeout, serialisation, deadlock
_FULL_STATES = {"53100", "53200"}
_READ_ONLY_STATES = {"25006", "42501"}


def is_from_database(error: BaseException) -> bool:
    """Whether SQLAlchemy or a driver raised it."""
    driver = type(error).__module__.partition(".")[0]
    return isinstance(error, (SQLAlchemyError, sqlite3.Error)) or driver == "psycopg"


def translate(error: BaseException, where: str) -> MemagentError:
    """The memagent error for what SQLAlchemy or a driver raised about the store at `where`."""
    driver = getattr(error, "orig", None) or error
    if isinstance(driver, OSError):
        return _from_system(driver, where)
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None or isinstance(driver, sqlite3.Error):
        return _from_sqlite(driver, code, where)
    return _from_server(driver, where)


def _from_sqlite(error: BaseException, code: int | None, where: str) -> MemagentError:
    primary = (code or 0) & 0xFF
    if primary in _BUSY:
        return StoreBusyError(f"{where} is in use by another process", "try again, or stop the other process")
    if primary in _READ_ONLY:
        return StoreReadOnlyError(f"{where} cannot be written", "check the permissions of the file and of its folder")
    if primary == sqlite3.SQLITE_FULL:
        return StoreFullError(
            f"there is no space left to write {where}", "free some space and try again; what was stored before is safe"
        )
    if primary == sqlite3.SQLITE_CANTOPEN:
        return StoreReadOnlyError(f"{where} cannot be opened", "check that its folder exists and may be written")
    if primary == sqlite3.SQLITE_NOTADB:
        return StoreVersionError(f"{where} is not a database", "choose another file with --store")
    if primary == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{where} is damaged ({error})", "restore a backup, or run `memagent db check`")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"{where} cannot be read or written ({error})", "check the disk and its free space")
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return _dangling()
    if primary == sqlite3.SQLITE_TOOBIG:
        return InputError("the text is too long to store (the limit is 1 GB)", "split it")
    return StoreError(f"the store refused the operation ({error})", "run `memagent doctor`")


def _from_system(error: OSError, where: str) -> MemagentError:
    if error.errno == errno.ENOSPC:
        return StoreFullError(f"there is no space left to create {where}", "free some space and try again")
    detail = (error.strerror or "unknown error").lower()
    return StoreReadOnlyError(f"{where} cannot be created ({detail})", "choose another folder with --store")


def _from_server(error: BaseException, where: str) -> MemagentError:
    state = getattr(error, "sqlstate", None) or ""
    detail = " ".join(str(error).split())[:200]
    if state in _BUSY_STATES:
        return StoreBusyError(f"{where} is busy ({detail})", "try again")
    if state in _READ_ONLY_STATES:
        return StoreReadOnlyError(f"{where} cannot be written ({detail})", "check the rights of the database user")
    if state in _FULL_STATES:
        return StoreFullError(f"{where} has no space left", "free some space; what was stored before is safe")
    if state == "23503":
        return _dangling()
    if not state or state.startswith(("08", "28", "3D", "57P")):
        return StoreError(f"{where} cannot be reached ({detail})", "check the URL and that the server is running")
    return StoreError(f"the store refused the operation ({detail})", "run `memagent doctor`")


def _dangling() -> NotFoundError:
    return NotFoundError(
        "a session or message that this refers to is not there (any more)", "see `memagent sessions list`"
    )
