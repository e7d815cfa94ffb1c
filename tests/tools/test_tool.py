"""One function gives schema, validation and behaviour; what a model can mend is a result, not an exception."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

import pytest

from memagent.conversation import ToolCall, ToolReturned, event_from_dict, event_to_dict
from memagent.errors import InputError
from memagent.memory.records import FactDraft, Hit
from memagent.memory.store import MemoryStore
from memagent.tools.registry import TOOLS, run_tool
from memagent.tools.tool import Outcome, Tool, ToolContext, tool


@tool(text="words", n="count")
def echo(
    context: ToolContext,
    words: str,
    count: int = 1,
    share: float = 1.0,
    loud: bool = False,
    tone: Literal["plain", "warm"] = "plain",
    when: str | None = None,
) -> Outcome:
    """Say it
    again."""
    if words == "no":
        raise InputError("that cannot be said", "say something else")
    if words == "fault":
        raise RuntimeError("ours")
    return Outcome({"given": [words, count, share, loud, tone, when]}, f"said {words}")


@pytest.fixture
def context(store: MemoryStore) -> ToolContext:
    return ToolContext(store, store.start_session().id)


def given(within: ToolContext, /, **arguments: object) -> list[object]:
    result = echo.run(within, ToolCall("1", "echo", arguments))
    assert result.ok, result.words
    values = result.content["given"]
    assert isinstance(values, list)
    return values


def refusal(within: ToolContext, /, **arguments: object) -> str:
    result = echo.run(within, ToolCall("1", "echo", arguments))
    assert not result.ok and result.change is None and result.operation_id is None
    return str(result.content["error"])


def test_the_schema_is_read_off_the_signature_and_the_docstring() -> None:
    assert echo.schema() == {
        "type": "function",
        "function": {
            "name": "echo",
            "description": "Say it again.",
            "parameters": {
                "type": "object",
                "properties": {
                    "words": {"type": "string"},
                    "count": {"type": "integer"},
                    "share": {"type": "number"},
                    "loud": {"type": "boolean"},
                    "tone": {"type": "string", "enum": ["plain", "warm"]},
                    "when": {"type": "string"},
                },
                "required": ["words"],
            },
        },
    }


@pytest.mark.parametrize("item", TOOLS.values(), ids=lambda item: item.name)
def test_every_tool_says_what_it_does_and_its_aliases_lead_to_arguments(item: Tool) -> None:
    properties = item.parameters["properties"]
    assert item.description
    assert set(item.parameters["required"]) <= set(properties)
    assert set(item.aliases.values()) <= set(properties)
    assert not set(item.aliases) & set(properties), "an alias hides an argument"


def test_the_model_may_call_eight_tools() -> None:
    assert list(TOOLS) == [
        "memory_add",
        "memory_search",
        "memory_update",
        "memory_end",
        "memory_forget",
        "core_memory_edit",
        "sql_query",
        "calculate",
    ]


def test_aliases_and_absent_arguments(context: ToolContext) -> None:
    assert given(context, text="hello", n=2) == ["hello", 2, 1.0, False, "plain", None]
    assert given(context, words="hello", count=None, when=None) == ["hello", 1, 1.0, False, "plain", None]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"words": 7}, ["7", 1, 1.0, False, "plain", None]),
        ({"words": "a", "count": "3"}, ["a", 3, 1.0, False, "plain", None]),
        ({"words": "a", "count": 3.0}, ["a", 3, 1.0, False, "plain", None]),
        ({"words": "a", "count": "3.0"}, ["a", 3, 1.0, False, "plain", None]),
        ({"words": "a", "share": "0.5"}, ["a", 1, 0.5, False, "plain", None]),
        ({"words": "a", "loud": True}, ["a", 1, 1.0, True, "plain", None]),
        ({"words": "a", "loud": "true"}, ["a", 1, 1.0, True, "plain", None]),
        ({"words": "a", "loud": "False"}, ["a", 1, 1.0, False, "plain", None]),
        ({"words": "a", "loud": 0}, ["a", 1, 1.0, False, "plain", None]),
        ({"words": "a", "tone": "warm"}, ["a", 1, 1.0, False, "warm", None]),
    ],
)
def test_values_are_brought_to_their_type(
    context: ToolContext, arguments: dict[str, object], expected: list[object]
) -> None:
    values = given(context, **arguments)
    assert values == expected
    assert [type(value) for value in values] == [type(value) for value in expected]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "words"),
        ({"words": None}, "words"),
        ({"words": "a", "volume": 3}, "volume"),
        ({"words": "a", "context": 3}, "context"),
        ({"words": "a", "count": "many"}, "count"),
        ({"words": "a", "count": 2.5}, "count"),
        ({"words": "a", "count": True}, "count"),
        ({"words": "a", "count": float("inf")}, "count"),
        ({"words": "a", "count": [1]}, "count"),
        ({"words": "a", "share": "half"}, "share"),
        ({"words": "a", "loud": "perhaps"}, "loud"),
        ({"words": "a", "loud": 2}, "loud"),
        ({"words": "a", "tone": "rude"}, "tone"),
        ({"words": ["a", "b"]}, "words"),
        ({"words": {"a": "b"}}, "words"),
    ],
)
def test_a_malformed_argument_is_named(context: ToolContext, arguments: dict[str, object], named: str) -> None:
    assert named in refusal(context, **arguments)


def test_an_input_error_of_the_behaviour_is_a_result(context: ToolContext) -> None:
    result = echo.run(context, ToolCall("9", "echo", {"words": "no"}))
    assert (result.call_id, result.name, result.ok) == ("9", "echo", False)
    assert result.content == {"error": "that cannot be said", "hint": "say something else"}
    assert result.words == "echo: that cannot be said (say something else)"


def test_a_fault_of_ours_stays_an_exception(context: ToolContext) -> None:
    with pytest.raises(RuntimeError, match="ours"):
        echo.run(context, ToolCall("1", "echo", {"words": "fault"}))


def test_an_unknown_tool_is_a_result_that_names_the_known_ones(context: ToolContext) -> None:
    result = run_tool(context, ToolCall("1", "memory_delete", {"id": 1}))
    assert not result.ok
    assert "memory_delete" in result.content["error"]
    assert all(name in result.content["hint"] for name in TOOLS)


def hit(kind: Literal["fact", "message"], row: int) -> Hit:
    return Hit(kind, row, "words", datetime(2026, 3, 1, tzinfo=UTC), 1.0, {})


def test_a_row_keeps_its_number_within_a_turn(context: ToolContext) -> None:
    assert [context.show(hit("fact", 70)), context.show(hit("message", 70)), context.show(hit("fact", 9))] == [1, 2, 3]
    assert context.show(hit("fact", 70)) == 1
    assert context.shown[2].kind == "message"


def test_a_number_that_was_taken_back_is_not_given_again(context: ToolContext) -> None:
    for row in (70, 71, 72):
        context.show(hit("fact", row))
    del context.shown[1], context.shown[3]
    assert context.show(hit("fact", 73)) == 4
    assert context.shown[2].id == 71


def test_facts_are_named_by_shown_numbers_never_by_row_ids(context: ToolContext) -> None:
    for number in range(3):
        context.store.add_fact(FactDraft("user", f"code {number}", f"value {number}"), asked_by="user")
    last = context.store.facts(limit=1)[0]
    context.show(Hit("fact", last.id, last.text, last.recorded_at, 1.0, {}, fact=last))
    assert context.fact_shown(1) == last
    with pytest.raises(InputError, match=f"no memory with id {last.id}.*shown: 1"):
        context.fact_shown(last.id)


def test_a_message_is_no_fact(context: ToolContext) -> None:
    context.show(hit("message", 5))
    with pytest.raises(InputError, match="not a fact"):
        context.fact_shown(1)


def test_a_result_names_the_statements_that_the_store_ran_and_not_their_values(store: MemoryStore) -> None:
    call = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})
    result = run_tool(ToolContext(store, store.start_session().id), call)
    assert any(statement.startswith("insert into facts (") for statement in result.sql)
    assert not any("Hartnell" in statement for statement in result.sql)
    event = ToolReturned(call, result)
    assert event_from_dict(json.loads(json.dumps(event_to_dict(event)))) == event
