"""What there is to query: the tables and views of the database with their columns, for people who write SQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy

from memagent.memory.database import Database
from memagent.memory.sql import VIEWS


@dataclass(frozen=True)
class Relation:
    """A table or view. `columns` are (name, SQL type) in order; the type is empty where the database tells none."""

    name: str
    view: bool
    columns: tuple[tuple[str, str], ...]


def relations(database: Database) -> tuple[Relation, ...]:
    """The views made for people first, then the tables by name; without what the full text keeps for itself.

    Raises StoreError.
    """
    with database.read() as connection:
        inspector = sqlalchemy.inspect(connection)
        tables = inspector.get_table_names()
        words = [name for name in tables if name.endswith("_words")]
        inner = {name for name in tables for fts in words if name.startswith(f"{fts}_")} | {"alembic_version"}
        known = set(inspector.get_view_names())
        views = [name for name in VIEWS if name in known] + sorted(known - set(VIEWS))
        names = [(name, True) for name in views] + [(name, False) for name in sorted(tables) if name not in inner]
        return tuple(
            Relation(
                name,
                view,
                tuple((column["name"], _type(column["type"])) for column in inspector.get_columns(name)),
            )
            for name, view in names
        )


def _type(kind: object) -> str:
    text = str(kind)
    return "" if text == "NULL" else text.lower()
