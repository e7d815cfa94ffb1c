"""Calls written in text by any family are read; text that is none is let through, in whatever pieces it comes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.conversation import ReasoningDelta, TextDelta, ToolCall
from memagent.models.call_syntax import MARKS, read_calls
from memagent.models.reply_text import ReplyText

TOOLS = ["memory_add", "memory_search"]
ADD = '{"subject": "user", "value": "a \\"b\\", ü"}'
ADDED = {"subject": "user", "value": 'a "b", ü'}

WRITTEN = [
    ("hermes", f'<tool_call>\n{{"name": "memory_add", "arguments": {ADD}}}\n</tool_call>', [ADDED]),
    (
        "hermes twice",
        f'<tool_call>{{"name": "memory_add", "arguments": {ADD}}}</tool_call>\n<tool_call>\n'
        '{"name": "memory_add", "arguments": {}}</tool_call>',
        [ADDED, {}],
    ),
    ("hermes, unclosed", f'<tool_call>{{"name": "memory_add", "arguments": {ADD}}}', [ADDED]),
    ("hermes, arguments as text", '<tool_call>{"name": "memory_add", "arguments": "{\\"value\\": 1}"}', [{"value": 1}]),
    (
        "qwen xml",
        "<tool_call>\n<function=memory_add>\n<parameter=subject>\nuser\n</parameter>\n<parameter=value>\na "
        '"b", ü\n</parameter>\n</function>\n</tool_call>',
        [ADDED],
    ),
    ("llama", f'{{"name": "memory_add", "parameters": {ADD}}}', [ADDED]),
    ("llama, marked", f'<|python_tag|>{{"name": "memory_add", "parameters": {ADD}}}<|eom_id|>', [ADDED]),
    ("llama, two", '{"name": "memory_add", "parameters": {}}; {"name": "memory_add", "parameters": {}}', [{}, {}]),
    ("fenced", f'```json\n{{"name": "memory_add", "arguments": {ADD}}}\n```', [ADDED]),
    ("lfm2", '<|tool_call_start|>[memory_add(subject="user", value=\'a "b", ü\')]<|tool_call_end|>', [ADDED]),
    ("pythonic", "[memory_add(value=3), memory_add()]", [{"value": 3}, {}]),
    (
        "functiongemma",
        '<start_function_call>call:memory_add{subject:<escape>user<escape>,value:<escape>a "b", ü<escape>}'
        "<end_function_call>",
        [ADDED],
    ),
    ("mistral", f'[TOOL_CALLS][{{"name": "memory_add", "arguments": {ADD}}}]', [ADDED]),
    ("mistral, new", f"[TOOL_CALLS]memory_add[ARGS]{ADD}", [ADDED]),
    ("granite", f'<|tool_call|>[{{"name": "memory_add", "arguments": {ADD}}}]', [ADDED]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
def test_the_calls_of_every_family_are_read(text: str, expected: list[dict[str, Any]]) -> None:
    calls = read_calls(text, TOOLS, "1-")
    assert [(call.name, call.arguments, call.fault) for call in calls] == [
        ("memory_add", args, "") for args in expected
    ]
    assert [call.id for call in calls] == [f"1-call-{number}" for number in range(len(expected))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1, 2]",
        '{"name": "Ana", "parameters": {}}',
        "[print(value=3)]",
        "memory_add(value=3) is how I would store it",
        "[memory_add(open('/etc/passwd'))]",
        "[__import__('os').system('true')]",
        "[" * 5000,
    ],
)
def test_text_is_no_call(text: str) -> None:
    assert read_calls(text, TOOLS) == []


def test_marked_calls_that_cannot_be_read_are_told_to_the_model() -> None:
    (call,) = read_calls('<tool_call>{"name": "memory_add", "arguments": {"value": "Har', TOOLS)
    assert call.name == "memory_add" and "no valid JSON" in call.fault
    (unknown,) = read_calls('<tool_call>{"name": "teleport", "arguments": {}}</tool_call>', TOOLS)
    assert unknown.name == "teleport"


def parted(text: str, cuts: list[int], tools: list[str]) -> list[tuple[str, str]]:
    """The kinds and texts of what comes out, neighbours of one kind joined."""
    reader = ReplyText(tools)
    ends = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    outputs: list[Any] = []
    for start, end in pairwise(ends):
        outputs += reader.feed(text[start:end])
    outputs += reader.end()
    joined: list[tuple[str, str]] = []
    for output in outputs:
        kind = {TextDelta: "said", ReasoningDelta: "thought", ToolCall: "called"}[type(output)]
        words = output.name if isinstance(output, ToolCall) else output.text
        if joined and joined[-1][0] == kind != "called":
            joined[-1] = (kind, joined[-1][1] + words)
        else:
            joined.append((kind, words))
    return joined


CALL = '<tool_call>{"name": "memory_add", "arguments": {}}</tool_call>'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<think>Well <tool_call> or not?</think>\n\nIt is 5 < 6.",
            [("thought", "Well <tool_call> or not?"), ("said", "It is 5 < 6.")],
        ),
        (f"Let me see. {CALL}", [("said", "Let me see. "), ("called", "memory_add")]),
        (f"<think>a</think>{CALL}{CALL}", [("thought", "a"), ("called", "memory_add"), ("called", "memory_add")]),
        ("[1, 2] are numbers", [("said", "[1, 2] are numbers")]),
        ("  \n ", []),
        ("<think>never ends", [("thought", "never ends")]),
        ("a <tool", [("said", "a <tool")]),
    ],
)
@given(cuts=st.lists(st.integers(0, 400), max_size=30))
def test_a_stream_is_parted_alike_wherever_it_is_cut(
    text: str, expected: list[tuple[str, str]], cuts: list[int]
) -> None:
    assert parted(text, cuts, TOOLS) == expected


@given(text=st.text(max_size=60), cuts=st.lists(st.integers(0, 60), max_size=8))
def test_no_text_is_lost(text: str, cuts: list[int]) -> None:
    said = "".join(words for kind, words in parted(text, cuts, []) if kind == "said")
    if "<think>" not in text:
        assert said == text.lstrip() or not text.strip()


PIECES = [*MARKS, "{", "}", '"name"', ":", '"memory_add"', "[", "]", "(", "a=", "<escape>", "call:", ","]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_nothing_that_a_model_writes_breaks_the_reader(pieces: list[str]) -> None:
    for call in read_calls("".join(pieces), TOOLS):
        assert call.name and isinstance(call.arguments, dict)
