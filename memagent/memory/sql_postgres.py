"""The guarded path on PostgreSQL.

Every query is the body of a cursor (so it can only be one SELECT or VALUES) in a READ ONLY transaction with a statement
timeout, which is rolled back. PostgreSQL has no authorizer, so the model's scope rests on three things: TEMP views with
a security barrier, restricted to the space, are all that the search path shows; names of schemas and of the catalog are
refused; and only listed functions may be called, since a function can run SQL of its own.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from memagent.errors import QueryError, StoreError
from memagent.memory.sql import VIEWS, Limits, Rows

if TYPE_CHECKING:
    from psycopg import Connection

_TOKENS = re.compile(
    r"""(?P<space>\s+|--[^\n]*)|(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")|(?P<word>[^\W\d]\w*)|
    (?P<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)|(?P<bad>/\*|\*/|\$|'|"|\\)|(?P<sign>.)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_PREFIXES = ("e", "u", "b", "x", "n")  # of strings with other rules: E'..', U&'..'
# Words of the grammar that a parenthesis may follow.
_GRAMMAR = """
    all and any as between by case cast distinct else except exists filter from group having in intersect is
    join lateral like limit not offset on or order over partition select some then union using values when where
    with within ilike row array extract interval numeric decimal varchar char character timestamp time date
    integer bigint text boolean
"""
_FUNCTIONS = """
    abs age array_agg array_length avg bool_and bool_or btrim ceil ceiling char_length coalesce concat concat_ws
    count cume_dist current_date current_timestamp date_part date_trunc dense_rank div every exp first_value
    floor format greatest initcap json_agg json_array_elements json_array_elements_text json_array_length
    json_each json_each_text json_extract_path json_extract_path_text json_object_keys json_typeof jsonb_agg
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_object_keys jsonb_typeof lag last_value lead least left
    length ln log lower ltrim make_date make_interval max md5 min mod now nth_value ntile nullif octet_length
    percent_rank position power random rank regexp_match regexp_matches regexp_replace replace reverse right
    round row_number row_to_json rtrim sign split_part sqrt strpos string_agg substr substring sum to_char
    to_date to_json to_jsonb to_number to_timestamp translate trim trunc upper
"""
_CALLABLE = frozenset(_GRAMMAR.split()) | frozenset(_FUNCTIONS.split())


def run(url: str, sql: str, space: str | None, limits: Limits) -> Rows:
    """Run one query; see `memagent.memory.sql.read_only_query`."""
    try:
        import psycopg
    except ImportError:
        raise QueryError(
            "PostgreSQL needs a driver that is not installed", "pip install 'memagent[postgres]'"
        ) from None
    statement = sql.strip().rstrip(";").rstrip()
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except psycopg.Error as error:
        raise StoreError(f"the database cannot be reached: {_first_line(error)}", "is the server running?") from error
    with connection, _cancelled_by(connection, limits):
        try:
            _check(statement, None if space is None else _schemas(connection))
            _close_doors(connection, space, limits)
            return _rows(connection, statement, limits)
        except psycopg.errors.QueryCanceled:
            raise limits.stop_error() from None
        except psycopg.Error as error:
            raise _explain(connection, error, statement, space) from error
        finally:
            if not connection.closed:
                connection.rollback()


def _check(statement: str, schemas: frozenset[str] | None) -> None:
    """Refuse what the cursor would not; with `schemas` (the model's scope) all that could lead out of the views."""
    model = schemas is not None
    words: list[tuple[str, str]] = []
    for match in _TOKENS.finditer(statement):
        kind, text = match.lastgroup or "", match.group()
        if kind == "sign" and text == ";":
            raise QueryError("only one statement at a time", "leave out everything after the first semicolon")
        if kind == "space":
            continue
        if model and (kind == "bad" or (kind in ("string", "quoted") and _has_prefix(statement, match.start()))):
            raise QueryError(
                "comments, escapes and dollar quotes are not possible here", "write text in 'single quotes'"
            )
        words.append((kind, text))
    if schemas is None:
        return
    previous = ""
    for (kind, text), (_, following) in zip(words, [*words[1:], ("", "")], strict=True):
        name = text.strip('"').lower()
        if kind in ("word", "quoted"):
            if name.startswith("pg_") or name in schemas:
                raise QueryError(
                    f"reading {name} is not possible here", f"one SELECT over the views {', '.join(VIEWS)}"
                )
            named_here = previous in ("with", "recursive", "as")  # a CTE or an alias with its columns: no call
            if following == "(" and not named_here and (kind == "quoted" or name not in _CALLABLE):
                raise QueryError(f"the function {name}() is not available here", "use ordinary SQL functions")
        previous = name


def _schemas(connection: Connection[Any]) -> frozenset[str]:
    return frozenset(name.lower() for (name,) in connection.execute("SELECT nspname FROM pg_namespace"))


def _has_prefix(statement: str, start: int) -> bool:
    before = statement[max(0, start - 2) : start].lower()
    return bool(before) and (before[-1] == "&" or (before[-1] in _PREFIXES and not before[:-1].isalnum()))


def _close_doors(connection: Connection[Any], space: str | None, limits: Limits) -> None:
    from psycopg import sql as compose

    execute = connection.execute
    if space is not None:
        for view in VIEWS:
            execute(
                compose.SQL(
                    "CREATE TEMP VIEW {name} WITH (security_barrier) AS SELECT * FROM {name} WHERE space = {space}"
                ).format(name=compose.Identifier(view), space=compose.Literal(space))
            )
        execute("SET LOCAL search_path = pg_temp")
    execute("SET LOCAL standard_conforming_strings = on")
    execute("SET TRANSACTION READ ONLY")
    execute("SET LOCAL jit = off")  # compiling cannot be interrupted, and takes a second for a hopeless plan
    execute(compose.SQL("SET LOCAL statement_timeout = {}").format(compose.Literal(max(1, int(limits.seconds * 1000)))))


def _rows(connection: Connection[Any], statement: str, limits: Limits) -> Rows:
    # binary: the extended protocol, which takes one statement only
    connection.execute(f"DECLARE answer NO SCROLL CURSOR FOR {statement}".encode(), binary=True)
    cursor = connection.execute(f"FETCH FORWARD {limits.max_rows + 1} FROM answer".encode())
    columns = tuple(column.name for column in cursor.description or ())
    return columns, *limits.take(cursor)


@contextmanager
def _cancelled_by(connection: Connection[Any], limits: Limits) -> Iterator[None]:
    """Cancels what runs on the connection when the event is set."""
    if limits.cancel is None:
        yield
        return
    done = threading.Event()
    event = limits.cancel

    def watch() -> None:
        while not done.is_set():
            if event.wait(0.05) and not done.is_set():
                connection.cancel_safe()
                time.sleep(0.05)

    watcher = threading.Thread(target=watch, name="memagent-sql-cancel", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _explain(connection: Connection[Any], error: Any, statement: str, space: str | None) -> QueryError:
    message = _first_line(error)
    used = [view for view in VIEWS if re.search(rf"\b{view}\b", statement, re.IGNORECASE)]
    hint = f"one SELECT over the views {', '.join(VIEWS)}"
    if type(error).__name__ == "UndefinedColumn" and used:
        connection.rollback()
        known = []
        for view in used:
            rows = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 ORDER BY attnum",
                (view,),
            ).fetchall()
            known.append(f"columns of {view} are {', '.join(name for (name,) in rows)}")
        return QueryError(f"{message}; {'; '.join(known)}", "text goes in 'single quotes'")
    if type(error).__name__ == "UndefinedTable":
        return QueryError(f"{message}; there are {', '.join(VIEWS)}", hint)
    return QueryError(message, hint if space is not None else "one SELECT over the tables and views")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
