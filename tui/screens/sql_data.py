"""What the SQL screen runs: queries through the guarded path, with honest counts; runs in a thread, knows no widget."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from memagent.errors import InputError, MemagentError
from memagent.export import rows_csv, rows_json, write_new
from memagent.memory.schema import Relation, relations
from memagent.memory.sql import Cell, QueryResult, read_only_query
from memagent.memory.store import MemoryStore

FETCH = 50_000  # rows kept; more are counted as "more"
CELL = 2_000  # characters of a cell kept; the whole of it is read when it is opened
WHOLE = 1_000_000
SECONDS = 60.0
EXPORT_ROWS = 1_000_000
LOGGED = "query"  # the name of a query in the operation log, which is the history: what is forgotten leaves it too


@dataclass(frozen=True)
class Answer:
    """What a query gave. `more` says that there are rows beyond these."""

    sql: str
    result: QueryResult
    more: bool

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        return self.result.rows


def schema(store: MemoryStore) -> tuple[Relation, ...]:
    """What there is to query. Raises StoreError."""
    return relations(store.database)


def query(store: MemoryStore, sql: str, cancel: threading.Event) -> Answer:
    """Run a query and log it. Raises QueryError, Cancelled, StoreError."""
    try:
        result = read_only_query(
            store.url, sql, space=None, max_rows=FETCH + 1, seconds=SECONDS, max_cell=CELL, cancel=cancel
        )
    except MemagentError as error:
        _log(store, sql, {"error": error.message}, 0.0)
        raise
    more = len(result.rows) > FETCH
    kept = QueryResult(result.columns, result.rows[:FETCH], result.truncated, result.milliseconds)
    _log(store, sql, {"rows": len(kept.rows), "more": more}, result.milliseconds)
    return Answer(sql, kept, more)


def _log(store: MemoryStore, sql: str, result: dict[str, object], milliseconds: float) -> None:
    arguments = {"query": sql.encode("utf-8", "replace").decode()}
    store.log_operation(LOGGED, asked_by="user", arguments=arguments, result=result, duration_ms=milliseconds)


def history(store: MemoryStore) -> list[tuple[str, str]]:
    """(query, what came of it) of the last queries, newest first, each query once."""
    found: dict[str, str] = {}
    for operation in store.operations(name=LOGGED, limit=500):
        text, result = str(operation.arguments.get("query", "")), operation.result or {}
        came = str(result["error"]) if "error" in result else f"{result.get('rows', 0)} rows"
        if text:
            found.setdefault(text, f"{operation.created_at.astimezone():%Y-%m-%d %H:%M} · {came}")
    return list(found.items())


def whole_cell(store: MemoryStore, sql: str, row: int, column: int, shown: Cell) -> tuple[str, str]:
    """A cell in full, and a word about it where only a part can be had: the row may have changed since."""
    text = "NULL" if shown is None else str(shown)
    if not isinstance(shown, str) or not (len(shown) == CELL + 1 and shown.endswith("…")):
        return text, ""
    inner = sql.strip().rstrip(";")
    one = f"select * from (\n{inner}\n) as whole limit 1 offset {row}"
    try:
        again = read_only_query(store.url, one, space=None, max_rows=1, seconds=SECONDS, max_cell=WHOLE)
        value = again.rows[0][column] if again.rows else None
    except MemagentError:
        value = None
    if isinstance(value, str) and value.startswith(shown[:-1]):
        return value, ""
    return text, f"only the first {CELL:,} characters: the rest could not be read again"


def export(store: MemoryStore, sql: str, path: str) -> str:
    """Write all rows of a query to a new file, CSV or JSON by its ending; what was done, in words.

    Raises InputError for a path that cannot be used, and what `query` raises.
    """
    target = Path(path.strip()).expanduser()
    writers = {".csv": rows_csv, ".json": rows_json}
    if target.suffix.lower() not in writers:
        raise InputError(f"{path.strip() or 'no name'!r} is neither CSV nor JSON", "end the name in .csv or .json")
    if target.exists():
        raise InputError(f"{target} exists already", "name a new file; nothing is overwritten")
    result = read_only_query(store.url, sql, space=None, max_rows=EXPORT_ROWS, seconds=10 * SECONDS, max_cell=WHOLE)
    write_new(target, writers[target.suffix.lower()](result.columns, result.rows))
    cut = f"; cut at {EXPORT_ROWS:,} rows" if len(result.rows) == EXPORT_ROWS else ""
    return f"{len(result.rows):,} rows written to {target.absolute()}{cut}"
