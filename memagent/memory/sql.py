"""Read-only SQL over the store, for people (`memagent sql`) and for the model's own tool.

Two scopes. `space=None` is the person's: every table may be read. `space="x"` is the model's: the four views, and in
them the rows of that space only. Nothing can be written, attached, loaded or configured in either, a query ends at its
time limit, and rows and cells are capped. How: `sql_sqlite` and `sql_postgres`.

Imports neither SQLAlchemy nor numpy: `memagent sql` must start in a fraction of a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from memagent.errors import Cancelled, InputError, NotFoundError, QueryError

VIEWS = ("current_facts", "fact_history", "conversation", "operation_log")
MAX_SQL = 20_000  # characters

Cell = None | bool | int | float | str


@dataclass(frozen=True)
class QueryResult:
    """What a query gave.

    `truncated` says that rows, or parts of long cells, were left out. A BLOB is shown as its size. `milliseconds` is
    wall time from opening the database to the last row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    truncated: bool
    milliseconds: float


@dataclass(frozen=True)
class Limits:
    """How much a query may take: rows, characters a cell, seconds, and an event that stops it."""

    max_rows: int
    max_cell: int
    seconds: float
    cancel: threading.Event | None

    def stopped(self, deadline: float) -> bool:
        """Whether to stop now; `deadline` is in seconds of `time.monotonic`."""
        return time.monotonic() >= deadline or self.cancelled

    @property
    def cancelled(self) -> bool:
        return self.cancel is not None and self.cancel.is_set()

    def stop_error(self) -> QueryError | Cancelled:
        """The error for a query that was stopped."""
        if self.cancelled:
            return Cancelled("the query was cancelled", "nothing was changed")
        return QueryError(
            f"the query was stopped after {self.seconds:g} seconds", "narrow it with WHERE or LIMIT, or join fewer rows"
        )

    def clip(self, value: object) -> tuple[Cell, bool]:
        """A cell as it is shown, and whether something of it was left out."""
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(value)} bytes>", True
        if value is not None and not isinstance(value, int | float | str):
            value = str(value)
        if isinstance(value, str) and len(value) > self.max_cell:
            return value[: self.max_cell] + "…", True
        return value, False

    def take(self, cursor: Iterable[Iterable[object]]) -> tuple[tuple[tuple[Cell, ...], ...], bool]:
        """Rows as they are shown, and whether rows or parts of cells were left out."""
        taken: list[tuple[Cell, ...]] = []
        truncated = False
        for row in cursor:
            if len(taken) == self.max_rows:
                return tuple(taken), True
            cells = [self.clip(value) for value in row]
            truncated = truncated or any(cut for _, cut in cells)
            taken.append(tuple(cell for cell, _ in cells))
        return tuple(taken), truncated


def read_only_query(
    url: str,
    sql: str,
    *,
    space: str | None,
    max_rows: int = 500,
    seconds: float = 1.0,
    max_cell: int = 2000,
    cancel: threading.Event | None = None,
) -> QueryResult:
    """Run one SELECT on the store at `url` (`sqlite:///path` or `postgresql://...`).

    `space=None` reads every table; a name reads the four views, restricted to that space. At most `max_rows` rows
    come back, `max_cell` characters of each cell, within `seconds`. Raises QueryError (refused, wrong, stopped at a
    limit), Cancelled (`cancel` was set), StoreError (busy, or a server that cannot be reached), NotFoundError (no such
    file) and InputError (not a URL of a store).
    """
    if max_rows < 1 or max_cell < 1 or seconds <= 0:
        raise InputError("the limits of a query must be positive", "give max_rows, max_cell and seconds above zero")
    if not sql.strip(" \t\r\n;"):
        raise QueryError("the query is empty", "try: select * from current_facts limit 10")
    if len(sql) > MAX_SQL:
        raise QueryError(f"the query is longer than {MAX_SQL:,} characters", "ask for less at a time")
    if "\0" in sql or (space is not None and "\0" in space):
        raise QueryError("the query holds a NUL character", "leave it out")
    if not sql.isascii() and sql != sql.encode("utf-8", "replace").decode("utf-8"):
        raise QueryError("the query holds characters that are no text", "write it in UTF-8")
    limits = Limits(max_rows, max_cell, seconds, cancel)
    if limits.cancelled:
        raise limits.stop_error()
    started = time.perf_counter()
    columns, rows, truncated = _run(url, sql, space, limits)
    return QueryResult(columns, rows, truncated, (time.perf_counter() - started) * 1000)


Rows = tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...], bool]


def _run(url: str, sql: str, space: str | None, limits: Limits) -> Rows:
    scheme, separator, rest = url.partition("://")
    backend = scheme.partition("+")[0]
    if backend == "sqlite" and separator and rest.startswith("/"):
        from memagent.memory.sql_sqlite import run

        path = unquote(rest[1:].partition("?")[0])
        if not path or path == ":memory:":
            raise InputError("a database in memory cannot be opened twice", "give the path of a file: sqlite:///path")
        return run(path, sql, space, limits)
    if backend in ("postgresql", "postgres") and separator:
        from memagent.memory.sql_postgres import run as run_postgres

        return run_postgres(f"postgresql://{rest}", sql, space, limits)
    raise InputError(
        f"{_without_password(url)!r} is not the URL of a store",
        "write sqlite:///path/to/memory.db or postgresql://user@host/name",
    )


def _without_password(url: str) -> str:
    head, separator, host = url.rpartition("@")
    return f"…@{host}" if separator and head else url[:80]


def missing_file(path: str) -> NotFoundError:
    """The error for a database file that is not there."""
    return NotFoundError(f"there is no database at {path}", "start `memagent chat` once, or give another --store")
