"""The tools that compute instead of remembering: read-only SQL over the person's memory, and exact arithmetic."""

from __future__ import annotations

from memagent.errors import InputError, QueryError
from memagent.memory.sql import read_only_query
from memagent.tools.calculator import evaluate
from memagent.tools.tool import Outcome, ToolContext, tool

MAX_ROWS = 50
SECONDS = 1.0


@tool(sql="query", statement="query")
def sql_query(context: ToolContext, query: str) -> Outcome:
    """Run one read-only SELECT over this memory: views current_facts, fact_history, conversation, operation_log."""
    store = context.store
    try:
        result = read_only_query(store.url, query, space=store.space, max_rows=MAX_ROWS, seconds=SECONDS)
    except QueryError as error:
        raise InputError(error.message, error.hint) from error
    rows = [list(row) for row in result.rows]
    content = {"columns": list(result.columns), "rows": rows, "truncated": result.truncated}
    count = f"{len(rows)} of more" if result.truncated else str(len(rows))
    return Outcome(content, f"queried memory: {count} row{'' if len(rows) == 1 else 's'}")


@tool(expr="expression", formula="expression", query="expression", text="expression")
def calculate(context: ToolContext, expression: str) -> Outcome:
    """Exact arithmetic, percentages, units, dates and durations, in symbols or words ("15% of 84", "6 weeks after 3
    May")."""
    result = evaluate(expression, context.store.clock.now())
    return Outcome({"expression": expression, "value": result.value_text}, f"calculated {result.value_text}")
