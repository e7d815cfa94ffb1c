"""`memagent sql`: read the database with SQL, through the same guarded path that the model's own tool takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from memagent.cli.app import App, pass_app, read_text
from memagent.cli.group import Command
from memagent.cli.screen import csv_out, json_out, note, plain, table
from memagent.errors import InputError

if TYPE_CHECKING:
    from memagent.memory.sql import QueryResult


@click.command(cls=Command)
@click.argument("query_text", metavar="QUERY")
@click.option("--json", "as_json", is_flag=True, help="JSON: a list of objects.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV.")
@click.option("--max-rows", type=click.IntRange(1, 1_000_000), default=500, show_default=True, help="At most.")
@click.option("--seconds", type=click.FloatRange(0.01, 3600), default=10.0, show_default=True, help="Stop after.")
@pass_app
def sql(app: App, query_text: str, as_json: bool, as_csv: bool, max_rows: int, seconds: float) -> None:
    """Read the database with one query.

    For example: memagent sql 'select * from current_facts'   (QUERY '-' is read from standard input.)

    Views: current_facts, fact_history, conversation, operation_log. Nothing can be changed from here.
    """
    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other", "leave one of them out")
    result = query(app, read_text(query_text), max_rows=max_rows, seconds=seconds)
    if as_json:
        json_out([dict(zip(result.columns, plain(row), strict=True)) for row in result.rows])
    elif as_csv:
        csv_out(result.columns, result.rows)
    else:
        show_result(result)
    if result.truncated:
        note(f"cut off at {len(result.rows)} rows or at long cells; --max-rows allows more", dim=False)


def query(app: App, text: str, *, max_rows: int = 500, seconds: float = 10.0) -> QueryResult:
    """Run one read-only query over all tables. Raises QueryError, InputError."""
    if not text.strip():
        raise InputError("the query is empty", "try: select * from current_facts limit 10")
    from memagent.memory.sql import read_only_query

    return read_only_query(app.settings.store_url, text, space=None, max_rows=max_rows, seconds=seconds)


def show_result(result: QueryResult) -> None:
    """Rows as a table on stdout, their number on stderr."""
    table(result.columns, [plain(row) for row in result.rows])
    note(f"{len(result.rows)} rows, {result.milliseconds:.1f} ms")
