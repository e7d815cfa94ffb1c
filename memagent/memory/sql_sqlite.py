"""The guarded path on SQLite: layers that each stop what the others let through.

1. The file is opened `mode=ro` with `query_only` and `trusted_schema=off`.
2. `setlimit`: nothing can be attached; lengths, depths and numbers of terms are bounded.
3. An authorizer allows SELECT, reading, and listed functions; in the model's scope reading goes through views.
4. A progress handler, and the authorizer while the statement is compiled, end the query at its deadline; what neither
   sees, CTEs that multiply, is counted first (`sql_expansion`).
5. Rows are taken one by one up to a cap.
6. instr, replace and trim are replaced: SQLite's own take 7 s for one call on 1 MB, which nothing can interrupt.

The model's scope. For each view `v` there is a TEMP view of unguessable name with the body of `v`, and a TEMP view
`v` that keeps the rows of one space of it. Tables may be read from inside the unguessable ones only. A check that the
reading view is *called* `current_facts` would not do: that of `with current_facts as (select * from facts) ...` is too.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from memagent.errors import Cancelled, QueryError, StoreBusyError
from memagent.memory.sql import VIEWS, Limits, Rows, missing_file
from memagent.memory.sql_expansion import MOST, expansion

_FUNCTION_NAMES = """
    abs avg bm25 cast ceil ceiling char coalesce count cume_dist current_date current_time current_timestamp
    date datetime dense_rank first_value floor glob group_concat hex highlight ifnull iif instr json json_array
    json_array_length json_each json_extract json_group_array json_group_object json_object json_quote json_tree
    json_type json_valid julianday lag last_value lead length like lower ltrim match max min mod nth_value ntile
    nullif percent_rank pow power quote random rank replace round row_number rtrim sign snippet soundex
    sqlite_version sqrt strftime substr substring sum time total trim trunc typeof unicode unixepoch unlikely
    upper -> ->>
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_LENGTHS = {"person": 16_000_000, "model": 4_000_000}  # bytes of one value; a message may be 10 MB
_JSON_TABLES = ("json_each", "json_tree")
_NEEDLE = 1000  # characters that instr, replace and trim look for at most
_TICK = 10_000  # virtual machine instructions between two looks at the clock: about 0.2 ms
_ALLOWED = sqlite3.SQLITE_OK
_DENIED = sqlite3.SQLITE_DENY


def run(path: str, sql: str, space: str | None, limits: Limits) -> Rows:
    """Run one query; see `memagent.memory.sql.read_only_query`."""
    if not Path(path).is_file():
        raise missing_file(path)
    if expansion(sql) > MOST:
        raise QueryError("the CTEs of the query name each other too often", "write out fewer of them")
    deadline = time.monotonic() + limits.seconds
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(Path(path).absolute()))}?mode=ro",
            uri=True,
            isolation_level=None,
            timeout=min(limits.seconds, 1.0),
        )
    except sqlite3.Error as error:
        raise QueryError(f"{path} cannot be opened: {error}", "is it a file that you may read?") from error
    with closing(connection):
        guard = _Guard(connection, sql, space, limits, deadline)
        try:
            guard.close_doors()
            return _rows(connection.execute(sql), limits)
        except (sqlite3.Error, sqlite3.Warning, MemoryError) as error:
            raise guard.explain(error) from error


def _rows(cursor: sqlite3.Cursor, limits: Limits) -> Rows:
    if cursor.description is None:
        raise QueryError("that is not a query", "write one SELECT statement")
    columns = tuple(column[0] for column in cursor.description)
    return columns, *limits.take(cursor)


class _Guard:
    """One connection made safe, and what it refused."""

    def __init__(
        self, connection: sqlite3.Connection, sql: str, space: str | None, limits: Limits, deadline: float
    ) -> None:
        self._connection = connection
        self._sql = sql
        self._space = space
        self._limits = limits
        self._deadline = deadline
        self._columns: dict[str, tuple[str, ...]] = {}
        self._hidden: frozenset[str] = frozenset()
        self._refused = ""
        self._misuse = ""

    def close_doors(self) -> None:
        """Everything that needs an open connection first, the authorizer last."""
        connection = self._connection
        connection.text_factory = self._text
        connection.execute("PRAGMA trusted_schema = off")
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        for name, arguments, function in _replacements(self):
            connection.create_function(name, arguments, function, deterministic=True)
        objects = connection.execute(
            "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')"
        ).fetchall()
        if self._space is None:
            self._learn_columns([name for name, _, _ in objects])
            if self._says("match"):  # an FTS5 table can only be opened before there is an authorizer
                for name, _, definition in objects:
                    if re.match(
                        r"create virtual table\b.*\busing\s+fts5\b", definition or "", re.IGNORECASE | re.DOTALL
                    ):
                        connection.execute(f"SELECT 1 FROM {_name(name)} LIMIT 0").fetchall()
        else:
            self._make_views({name: definition for name, kind, definition in objects if kind == "view"}, self._space)
            self._learn_columns([name for name in VIEWS if name in {row[0] for row in objects}])
        for name in _JSON_TABLES:
            if self._says(name):  # and so can these
                connection.execute(f"SELECT 1 FROM {name}('[]')").fetchall()
        self._names = {name.lower() for name, _, _ in objects} | self._hidden
        connection.execute("PRAGMA query_only = on")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LENGTHS["person" if self._space is None else "model"])
        for limit, value in (
            (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
            (sqlite3.SQLITE_LIMIT_COLUMN, 100),
            (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
            (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 10),
            (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 50),
            (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
            (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
        ):
            connection.setlimit(limit, value)
        connection.set_progress_handler(lambda: int(self._limits.stopped(self._deadline)), _TICK)
        connection.set_authorizer(self._authorize)

    def _make_views(self, definitions: dict[str, str], space: str) -> None:
        hidden = []
        for name in VIEWS:
            body = re.match(
                rf"\s*create\s+view\s+\W?{name}\W?\s+as\b(.*)", definitions.get(name, ""), re.IGNORECASE | re.DOTALL
            )
            if body is None:
                continue
            secret = f"{name}_{secrets.token_hex(16)}"
            self._connection.execute(f"CREATE TEMP VIEW {secret} AS {body[1]}")
            mine = space.replace("'", "''")
            self._connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {secret} WHERE space = '{mine}'")
            hidden.append(secret)
        self._hidden = frozenset(hidden)
        if not hidden:
            raise QueryError("this database has none of the views", "start `memagent chat` once to bring it up to date")

    def _learn_columns(self, names: list[str]) -> None:
        for name in names:
            try:
                rows = self._connection.execute(f"PRAGMA table_info({_name(name)})").fetchall()
            except sqlite3.Error:  # a broken view has no columns to suggest
                continue
            self._columns[name] = tuple(str(row[1]) for row in rows)

    def _authorize(
        self, action: int, first: str | None, second: str | None, database: str | None, source: str | None
    ) -> int:
        if self._limits.stopped(self._deadline):
            return _DENIED
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return _ALLOWED
        if action == sqlite3.SQLITE_READ:
            if self._space is None or self._may_read(first or "", second or "", database, source or ""):
                return _ALLOWED
            return self._refuse(f"reading {first} is not possible here")
        if action == sqlite3.SQLITE_FUNCTION:
            if (second or "").lower() in _FUNCTIONS:
                return _ALLOWED
            return self._refuse(f"the function {second}() is not available here")
        if action == sqlite3.SQLITE_PRAGMA and first == "data_version" and not second and self._space is None:
            return _ALLOWED  # FTS5 asks for it
        return self._refuse(_FORBIDDEN.get(action, "only SELECT is possible here"))

    def _says(self, word: str) -> bool:
        """Whether the query may name `word`: SQLite knows no escapes in names."""
        return re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", self._sql, re.IGNORECASE) is not None

    def _may_read(self, table: str, column: str, database: str | None, source: str) -> bool:
        """In the model's scope: whether this read stays within the views of the space."""
        if source in self._hidden or table in self._hidden:
            return True
        if table in VIEWS:
            return database == "temp"
        if database is None and column == "":
            # No column of it is used: a CTE, or a table that a view joins (which the query then does not name).
            name = table.lower()
            return not name.startswith(("sqlite_", "pragma_")) and (name not in self._names or not self._says(name))
        return table in _JSON_TABLES

    def _refuse(self, reason: str) -> int:
        self._refused = self._refused or reason
        return _DENIED

    def misuse(self, reason: str) -> ValueError:
        """Remembered because SQLite swallows what a function of ours raises."""
        self._misuse = reason
        return ValueError(reason)

    @staticmethod
    def _text(data: bytes) -> str:
        return data.decode("utf-8", "replace")

    def explain(self, error: Exception) -> QueryError | StoreBusyError | Cancelled:
        """What went wrong, in words that help to mend the query."""
        message = str(error)
        if "locked" in message or "busy" in message:
            return StoreBusyError("another process holds the database", "try again in a moment")
        if self._limits.stopped(self._deadline):
            return self._limits.stop_error()
        if self._misuse:
            return QueryError(self._misuse, "ask for less at a time")
        if self._refused:
            return QueryError(self._refused, self._where_to_look())
        if "one statement at a time" in message:
            return QueryError("only one statement at a time", "leave out everything after the first semicolon")
        if "too big" in message or isinstance(error, MemoryError):
            return QueryError("a value of the result is too long", "leave that column out, or filter on its length()")
        if "malformed" in message or "not a database" in message:
            return QueryError(f"the file is not a sound database: {message}", "look at it with `memagent db check`")
        return self._suggest(message)

    def _suggest(self, message: str) -> QueryError:
        column = re.match(r"no such column: (.+)", message)
        if column:
            used = [name for name in self._columns if self._says(name)]
            known = "; ".join(f"columns of {name} are {', '.join(self._columns[name])}" for name in used[:3])
            hint = "text goes in 'single quotes'" if known else self._where_to_look()
            return QueryError(f"{message}; {known}" if known else message, hint)
        if message.startswith("no such table: "):
            shown = [name for name in self._columns if name in VIEWS] or list(self._columns)[:8]
            return QueryError(f"{message}; there are {', '.join(shown)}", self._where_to_look())
        return QueryError(message, self._where_to_look())

    def _where_to_look(self) -> str:
        if self._space is None:
            return "one SELECT over the tables and views; try: select name from sqlite_master"
        return f"one SELECT over the views {', '.join(VIEWS)}"


_FORBIDDEN = {
    sqlite3.SQLITE_ATTACH: "ATTACH is not possible here",
    sqlite3.SQLITE_DETACH: "DETACH is not possible here",
    sqlite3.SQLITE_PRAGMA: "PRAGMA is not possible here",
    sqlite3.SQLITE_TRANSACTION: "transactions are not possible here",
    sqlite3.SQLITE_SAVEPOINT: "transactions are not possible here",
}


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _replacements(guard: _Guard) -> list[tuple[str, int, Callable[..., str | int | None]]]:
    """Bounded twins of the functions whose cost is the product of two lengths."""

    def text(value: object) -> str:
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def needle(value: object) -> str:
        sought = text(value)
        if len(sought) > _NEEDLE:
            raise guard.misuse(f"instr, replace and trim look for at most {_NEEDLE} characters")
        return sought

    def instr(where: object, what: object) -> int | None:
        return None if where is None or what is None else text(where).find(needle(what)) + 1

    def replace(where: object, what: object, by: object) -> str | None:
        if where is None or what is None or by is None:
            return None
        whole, sought, new = text(where), needle(what), text(by)
        if not sought:
            return whole
        if len(whole) + whole.count(sought) * (len(new) - len(sought)) > _LENGTHS["model"]:
            raise guard.misuse("the result of replace is too long")
        return whole.replace(sought, new)

    def trimmer(strip: Callable[[str, str], str]) -> Callable[[object, object], str | None]:
        def trim(where: object, what: object) -> str | None:
            if where is None or what is None:
                return None
            return strip(text(where), needle(what)) if text(what) else text(where)

        return trim

    return [
        ("instr", 2, instr),
        ("replace", 3, replace),
        ("trim", 2, trimmer(str.strip)),
        ("ltrim", 2, trimmer(str.lstrip)),
        ("rtrim", 2, trimmer(str.rstrip)),
    ]
