"""How the events of a turn look, live and replayed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memagent.cli.transcript import Transcript, replay
from memagent.conversation import (
    ContextUsage,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Recalled,
    TextDelta,
    Thinking,
    ToolCall,
    ToolCalled,
    ToolResult,
    ToolReturned,
    Withdrawn,
    event_to_dict,
)
from memagent.memory.records import Message

CALL = ToolCall("1", "memory_add", {"value": "x"})
TURN: list[Event] = [
    Recalled("boiler", ({"text": "Hartnell does the boiler\x1b[2J", "date": "2 March 2026"},), 1.5),
    ToolCalled(CALL),
    ToolReturned(CALL, ToolResult("1", "memory_add", True, {}, "remembered boiler\u202e", milliseconds=2.4)),
    TextDelta("It is "),
    TextDelta("Hart\x1bnell."),
    ContextUsage(2048, 100, 20, 30, 200, 256, 7),
    Finished("It is Hart\x1bnell.", 41.3, 350, 5, confidence=0.87),
]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def shown(events: list[Event], *, stream: bool, capsys: pytest.CaptureFixture[str]) -> tuple[str, str, Transcript]:
    transcript = Transcript(stream=stream)
    for event in events:
        transcript.show(event)
    captured = capsys.readouterr()
    return captured.out, captured.err, transcript


@pytest.mark.parametrize("stream", [True, False])
def test_the_reply_is_data_and_memory_operations_are_narration(
    stream: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err, transcript = shown(TURN, stream=stream, capsys=capsys)
    assert out == "It is Hart\\x1bnell.\n"
    assert [line.strip() for line in err.splitlines()] == [
        "~ recalled 1: Hartnell does the boiler\\x1b[2J",
        "+ remembered boiler\\u202e  (2 ms)",
    ]
    line = transcript.context_line()
    window = "context 350 of 2048 tokens · 7 earlier messages outside it, searchable"
    assert line.strip() == f"{window} · 1 recalled · 41 ms · 87% sure"


def test_a_reply_that_was_withdrawn_is_followed_by_the_one_that_counts(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [
        TextDelta("It is Acme."),
        Withdrawn(("Ac\x1bme",)),
        Thinking(1, 2, 120, 2000, 3.4, 60.0, "nothing in memory supports “Acme”"),
        TextDelta("I do not know."),
        Finished("I do not know.", 10, 1, 1, grounded=False),
    ]
    out, err, _ = shown(events, stream=True, capsys=capsys)
    assert out.splitlines() == ["It is Acme.", "I do not know."]
    first, second = err.splitlines()
    assert "supports “Ac\\x1bme”" in first
    assert "thinking longer (1 of 2; 120 of 2,000 tokens, 3 of 60 s): nothing in memory supports “Acme”" in second
    out, _, _ = shown(events[1:], stream=False, capsys=capsys)
    assert out == "I do not know.\n"


def test_what_a_model_thinks_is_narration_and_ends_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    events: list[Event] = [
        ReasoningDelta("Hm\x1b, "),
        ReasoningDelta("well."),
        TextDelta("Yes."),
        Finished("Yes.", 1, 1, 1),
    ]
    out, err, _ = shown(events, stream=True, capsys=capsys)
    assert (out, err) == ("Yes.\n", "Hm\\x1b, well.\n")


def test_a_turn_that_failed_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    out, err, transcript = shown(
        [TextDelta("It"), Failed("the model stopped", "try again")], stream=True, capsys=capsys
    )
    assert out == "It\n"
    assert err.strip() == "the model stopped try again"
    assert transcript.failed is not None


def test_a_tool_that_failed_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    result = ToolResult("1", "memory_add", False, {}, "the value is empty")
    _, err, _ = shown([ToolReturned(CALL, result)], stream=True, capsys=capsys)
    assert err.strip().startswith("! the value is empty")


def test_a_stored_conversation_looks_as_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    events = tuple(event_to_dict(event) for event in TURN)
    replay(
        [
            Message(1, 1, 0, "user", "", "who does\x1b it?", 3, NOW),
            Message(2, 1, 1, "assistant", "", "It is Hart\x1bnell.", 3, NOW, events),
            Message(3, 1, 2, "assistant", "", "Without events.", 3, NOW),
        ]
    )
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["> who does\\x1b it?", "It is Hart\\x1bnell.", "Without events."]
    assert "remembered boiler" in captured.err
