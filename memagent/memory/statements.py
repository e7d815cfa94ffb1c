"""SQL text with named parameters, compiled once per dialect and run by the driver.

SQLAlchemy looks up its compiled form on every `execute`; on the path of a write that look-up costs more than SQLite's
work. Write `:name` for a parameter, on SQLite and PostgreSQL alike. Values go to the driver as they are: JSON columns
take the text of `to_json`, and `from_json` reads them whatever the driver made of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, CursorResult, text
from sqlalchemy.engine import Dialect

AnyRow: TypeAlias = tuple[Any, ...]

_TRACE: ContextVar[dict[str, None] | None] = ContextVar("trace", default=None)


@contextmanager
def traced() -> Iterator[dict[str, None]]:
    """Collects, as keys, the statements that this thread runs within the block: each once, in order, without values."""
    statements: dict[str, None] = {}
    token = _TRACE.set(statements)
    try:
        yield statements
    finally:
        _TRACE.reset(token)


@lru_cache(maxsize=512)
def _compiled(sql: str, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    compiled = text(sql).compile(dialect=dialect)
    order: Sequence[str] | None = compiled.positiontup
    return str(compiled), tuple(order) if order is not None else None


@lru_cache(maxsize=128)
def _insert_sql(table: str, columns: tuple[str, ...], returning: bool) -> str:
    names = ", ".join(columns)
    values = ", ".join(f":{column}" for column in columns)
    return f"insert into {table} ({names}) values ({values})" + (" returning id" if returning else "")


def _note(sql: str) -> None:
    statements = _TRACE.get()
    if statements is not None:
        statements[sql] = None


def _cursor(connection: Connection, sql: str, parameters: dict[str, Any]) -> Any:
    """Run one statement by the driver alone: SQLAlchemy's result costs 60 µs, as much as SQLite's work on the row."""
    _note(sql)
    driver_sql, order = _compiled(sql, connection.dialect)
    cursor = connection.connection.cursor()
    cursor.execute(driver_sql, parameters if order is None else tuple(parameters[name] for name in order))
    return cursor


def run(connection: Connection, sql: str, **parameters: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run one statement; raises what SQLAlchemy or the driver raises: `Database.read` and `write` translate it."""
    _note(sql)
    driver_sql, order = _compiled(sql, connection.dialect)
    if order is None:
        return connection.exec_driver_sql(driver_sql, parameters)
    return connection.exec_driver_sql(driver_sql, tuple(parameters[name] for name in order))


def one(connection: Connection, sql: str, **parameters: Any) -> AnyRow | None:
    """The first row, or None."""
    cursor = _cursor(connection, sql, parameters)
    row: AnyRow | None = cursor.fetchone()
    cursor.close()
    return row


def rows(connection: Connection, sql: str, **parameters: Any) -> list[AnyRow]:
    """All rows."""
    cursor = _cursor(connection, sql, parameters)
    found: list[AnyRow] = cursor.fetchall()
    cursor.close()
    return found


def insert(connection: Connection, table: str, **values: Any) -> int:
    """Insert one row and return its id; `table` and the names of `values` are ours, never input."""
    sqlite = connection.dialect.name == "sqlite"
    cursor = _cursor(connection, _insert_sql(table, tuple(values), not sqlite), values)
    row_id = cursor.lastrowid if sqlite else cursor.fetchone()[0]
    cursor.close()
    return int(row_id)


def to_json(value: Any) -> str:
    """The text form of a JSON column; letters outside ASCII stay readable, so that SQL can find them."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_json(value: Any) -> Any:
    """Inverse of `to_json`; PostgreSQL's driver has already parsed it."""
    return json.loads(value) if isinstance(value, str) else value


def like(fragment: str) -> str:
    """A pattern for `lower(column) like :p escape '!'` that finds `fragment` literally, whatever it holds."""
    escaped = fragment.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"
