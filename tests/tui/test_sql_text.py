"""Statements at the cursor and completions, without a screen."""

from __future__ import annotations

import pytest

from memagent.memory.schema import Relation, relations
from memagent.memory.sql import read_only_query
from memagent.memory.sql_sqlite import _FUNCTIONS as ALLOWED
from memagent.memory.store import MemoryStore
from tui.screens.sql_text import EXAMPLES, FUNCTIONS, choices, statement_at, statements, word_before

SCHEMA = (
    Relation("current_facts", True, (("id", "integer"), ("subject", "text"), ("value", "text"))),
    Relation("messages", False, (("id", "integer"), ("content", "text"), ("session_id", "integer"))),
)


def texts(before: str, statement: str | None = None) -> list[str]:
    return [choice.text for choice in choices(before, statement or before, SCHEMA)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ;; \n;", []),
        ("select 1", ["select 1"]),
        ("select 1;select 2 ; ", ["select 1;", "select 2 ;"]),
        ("select ';' ;\nselect \"a;b\";", ["select ';' ;", 'select "a;b";']),
        ("select 1 -- no; end\n, 2;", ["select 1 -- no; end\n, 2;"]),
        ("/* ; */ select 1; select [a;b]", ["/* ; */ select 1;", "select [a;b]"]),
        ("select 'open; string", ["select 'open; string"]),
    ],
)
def test_statements_end_at_semicolons_outside_of_strings_and_comments(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in statements(text)] == expected


def test_the_statement_at_the_cursor() -> None:
    text = "\nselect 1;\n\n  select 2;  "
    at = {offset: statement_at(text, offset) for offset in range(len(text) + 1)}
    first, second = statements(text)
    assert at[0] == at[5] == at[10] == at[11] == first  # before, in, behind and between: the one before
    assert at[12] == at[14] == at[len(text)] == second
    assert statement_at("  \n", 1) is None


def test_completions_know_what_can_stand_there() -> None:
    assert texts("sel")[0] == "select"
    assert texts("select * from cur")[0] == "current_facts"
    assert texts("select sub", "select sub from current_facts")[0] == "subject"
    assert texts("select f.", "select f. from current_facts f") == ["id", "subject", "value"]
    assert texts("select m.con", "select m.con from current_facts f join messages as m")[0] == "content"
    assert texts("select messages.")[0] == "id"
    assert texts("select cfct")[0] == "current_facts"  # letters in order
    assert texts("select x.") == [] and texts("select ") == [] and texts("limit 1") == []


def test_a_whole_word_is_left_alone() -> None:
    assert texts("select") == []
    assert "intersect" not in texts("in") or texts("in")[0] != "in"


@pytest.mark.parametrize("before", ["select 'sel", 'select "sel', "-- sel", "/* sel", "select 'it''s sel"])
def test_strings_and_comments_are_not_completed(before: str) -> None:
    assert texts(before) == [] or before == 'select "sel'


def test_the_word_before_the_cursor() -> None:
    assert word_before("select f.val") == ("val", "f")
    assert word_before("a,  ") == ("", "")
    assert word_before("é_1") == ("é_1", "")


def test_what_is_offered_can_be_used() -> None:
    assert set(FUNCTIONS) <= ALLOWED | {"json_each"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_example_runs(store: MemoryStore, example: object) -> None:
    sql = example.sql  # type: ignore[attr-defined]
    assert len(statements(sql)) == 1
    assert read_only_query(store.url, sql, space=None).columns
    for relation in relations(store.database):
        assert relation.columns
