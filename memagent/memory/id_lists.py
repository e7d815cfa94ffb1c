"""Lists of row ids as one statement parameter, so that the statement's text stays the same whatever the length of the
list."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection


def ids_in(connection: Connection, name: str = "ids") -> str:
    """The right-hand side of `id in ...` for a parameter made by `ids_text`."""
    if connection.dialect.name == "sqlite":
        return f"(select value from json_each(:{name}))"
    return f"(select value::bigint from json_array_elements_text(cast(:{name} as json)))"


def ids_text(ids: Iterable[int]) -> str:
    """The parameter: a JSON array of integers."""
    return f"[{','.join(map(str, ids))}]"
