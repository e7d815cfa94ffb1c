"""A copy of an SQLite store, made while it is in use. PostgreSQL has its own tools for this."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from memagent.errors import InputError, NotFoundError
from memagent.memory.failures import translate

PAGES_AT_ONCE = 256


def backup(store: Path, target: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Copy the store into the new file `target`, complete and consistent; returns its size in bytes.

    `progress` gets pages done and pages in all. Nothing is overwritten, and a copy that fails half-way is removed.
    Raises InputError, NotFoundError and StoreError.
    """
    if not store.exists():
        raise NotFoundError(f"there is no store at {store}", "start one with `memagent chat`, or check --store")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        raise InputError(f"{target} exists already", "name a new file; nothing is overwritten") from None
    except OSError as error:
        raise translate(error, str(target)) from error
    try:
        with (
            closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _, left, total: progress(total - left, total))
    except BaseException as error:
        target.unlink()
        if isinstance(error, sqlite3.Error):
            raise translate(error, str(store)) from error
        raise
    return target.stat().st_size
