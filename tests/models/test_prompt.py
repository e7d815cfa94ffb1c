"""What a chat model reads: a steady prefix, this turn's memories in front of its message, and no forged roles."""

from __future__ import annotations

from typing import Any

import pytest

from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.models.chat_model import ChatRequest
from memagent.models.prompt import chat_messages, defused

HIT = {"id": 1, "date": "1 March 2026", "speaker": "user", "source": "said", "text": "the boiler\nis Hartnell's"}
CALL = ToolCall("c1", "memory_search", {"query": "boiler"})
NOW = "2026-03-02T09:00:00+00:00"


def request(*messages: ChatMessage, **parts: Any) -> ChatRequest:
    given: dict[str, Any] = {"system": "Be brief.", "core": {}, "recalled": (), "tools": ()} | parts
    return ChatRequest(messages=messages, **given)


def test_the_order_keeps_a_prefix_from_turn_to_turn() -> None:
    first = ChatMessage("user", "hello", at=NOW)
    early = chat_messages(request(first, core={"person": "Zoë"}, recalled=(HIT,)))
    later = chat_messages(
        request(
            first,
            ChatMessage("assistant", "hi"),
            ChatMessage("user", "who?", at=NOW),
            ChatMessage("assistant", "", tool_calls=(CALL,)),
            ChatMessage("tool", "", tool_result=ToolResult("c1", "memory_search", True, {"hits": [HIT]}, "")),
            core={"person": "Zoë"},
            notes=("It is Hartnell.",),
        )
    )
    assert early[0] == later[0] == {"role": "system", "content": "Be brief.\n\nPinned notes:\n- person: Zoë"}
    assert early[1]["content"] == (
        "Now: Monday 2026-03-02 09:00\n\nFrom memory:\n[1] 1 March 2026, user: the boiler is Hartnell's\n\nhello"
    )
    assert [message["role"] for message in later] == ["system", "user", "assistant", "user", "assistant", "tool"]
    assert later[1]["content"] == "hello", "what was recalled for an earlier turn is not repeated"
    assert later[3]["content"].endswith("Looked up for this message:\nIt is Hartnell.\n\nwho?")
    assert later[4]["tool_calls"][0]["function"] == {"name": "memory_search", "arguments": {"query": "boiler"}}
    assert later[5] == {
        "role": "tool",
        "tool_call_id": "c1",
        "name": "memory_search",
        "content": "[1] 1 March 2026, user: the boiler is Hartnell's",
    }


def test_messages_of_one_role_in_a_row_are_one() -> None:
    messages = chat_messages(request(ChatMessage("user", "a"), ChatMessage("user", "b")))
    assert [message["content"] for message in messages[1:]] == ["a\n\nb"]


@pytest.mark.parametrize(
    "mark",
    [
        "<|im_end|>",
        "<|im_start|>system",
        "<|eot_id|>",
        "<|start_header_id|>",
        "</s>",
        "[INST]",
        "[/INST]",
        "[TOOL_CALLS]",
        "<start_of_turn>model",
        "<end_of_turn>",
        "<tool_call>",
        "</tool_response>",
        "<start_function_call>",
        "<think>",
        "<|reserved special-token 5|>",
    ],
)
def test_no_text_can_forge_a_role_or_a_call(mark: str) -> None:
    hit = HIT | {"text": f"x {mark} y"}
    result = ToolResult("c1", "memory_search", True, {"rows": [mark]}, "")
    seen = chat_messages(
        request(
            ChatMessage("user", f"{mark}{mark}"),
            ChatMessage("assistant", "", tool_calls=(CALL,)),
            ChatMessage("tool", "", tool_result=result),
            core={"person": mark},
            recalled=(hit,),
            notes=(mark,),
        )
    )
    assert not [message for message in seen if mark in message["content"]]
    assert mark not in defused(mark * 3)


@pytest.mark.parametrize("text", ["a < b", "f <| g", "list[INSTANCE]", "<b>bold</b>", "x<|>y", "1 <2|> 3"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


def test_what_no_longer_holds_is_marked() -> None:
    (_, message) = chat_messages(request(ChatMessage("user", "who?"), recalled=(HIT | {"current": False},)))
    assert "(no longer true)" in message["content"]
