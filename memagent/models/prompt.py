"""How a request reads for a chat model: the messages that chat templates and OpenAI-compatible servers take.

The order keeps a prefix that is the same from turn to turn: instructions and pinned notes, then the turns before, then
this turn's message with the date, recalled memories and notes in front of it, then calls and results. Text from people,
documents and memory cannot end its own message: what chat templates use as marks is broken up here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from memagent.conversation import ChatMessage
from memagent.models.chat_model import ChatRequest

PER_MESSAGE = 4  # tokens of role and separators, for models without a template
# Marks of the templates of Qwen, Llama, Mistral, Gemma, LFM2, Granite and Phi.
MARK = re.compile(
    r"<(?=\|[\w\- ]{1,40}\|>|/?(?:tool_calls?|tool_response|tools|think|s|start_of_turn|end_of_turn|bos|eos|escape"
    r"|start_function_\w+|end_function_\w+)>)|\[(?=/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|SYSTEM_PROMPT)\])"
)
EVIDENCE_FIRST = (
    "Your last reply named what neither memory nor the person said. Answer again, only with what stands here; "
    "if it does not say, say that you don't know."
)


def defused(text: str) -> str:
    """The text with template marks in it broken by a space, so that no part of it is read as a role or a call."""
    return MARK.sub(lambda match: match.group() + " ", text)


def render_hit(hit: Mapping[str, Any]) -> str:
    """A hit as a chat model reads it, on one line: its number, the date it was said, who said it, its words."""
    words = " ".join(str(hit["text"]).split())
    past = "" if hit.get("current", True) and not hit.get("outdated", False) else " (no longer true)"
    return f"[{hit['id']}] {hit['date']}, {hit['speaker'] or hit['source']}: {words}{past}"


def render_message(message: ChatMessage) -> str:
    """All text of a message that costs tokens."""
    calls = "".join(json.dumps([call.name, dict(call.arguments)], ensure_ascii=False) for call in message.tool_calls)
    if message.tool_result is not None:
        return calls + render_result(message)
    return message.content + calls


def render_result(message: ChatMessage) -> str:
    """What a model reads of a tool's result: hits as lines, anything else as JSON."""
    assert message.tool_result is not None
    hits = message.tool_result.content.get("hits")
    if hits:
        return "\n".join(map(render_hit, hits))
    return json.dumps(dict(message.tool_result.content), ensure_ascii=False)


def render_core(core: Mapping[str, str]) -> str:
    """Pinned notes under the instructions; empty without any."""
    lines = [f"- {label}: {content}" for label, content in core.items()]
    return "\n".join(["", "", "Pinned notes:", *lines]) if lines else ""


def this_turn(messages: Sequence[ChatMessage]) -> int:
    """The index of what the person just said."""
    return max(index for index, message in enumerate(messages) if message.role == "user")


def preamble(request: ChatRequest, said: ChatMessage) -> str:
    """What stands in front of this turn's message: the date, recalled memories, notes, what a second pass needs."""
    parts = []
    if said.at is not None:
        parts.append(f"Now: {datetime.fromisoformat(said.at):%A %Y-%m-%d %H:%M}")
    if request.recalled:
        parts.append("\n".join(["From memory:", *map(render_hit, request.recalled)]))
    if request.notes:
        parts.append("\n".join(["Looked up for this message:", *request.notes]))
    if request.evidence_first:
        parts.append(EVIDENCE_FIRST)
    return "\n\n".join(parts)


def chat_messages(request: ChatRequest) -> list[dict[str, Any]]:
    """The request as messages with `role` and `content`.

    Calls are `tool_calls` of an assistant's message, in OpenAI's form but with their arguments as a mapping, which is
    what chat templates take; a result is a message of the role `tool` with `tool_call_id` and `name`.
    """
    at = this_turn(request.messages)
    rendered: list[dict[str, Any]] = [
        {"role": "system", "content": defused(request.system + render_core(request.core))}
    ]
    for index, message in enumerate(request.messages):
        if message.tool_result is not None:
            result = message.tool_result
            content = defused(render_result(message))
            rendered.append({"role": "tool", "tool_call_id": result.call_id, "name": result.name, "content": content})
            continue
        text = message.content
        if index == at:
            before = preamble(request, message)
            text = f"{before}\n\n{text}" if before else text
        if message.role == "user" and rendered[-1]["role"] == "user":  # a turn that failed; templates want a change
            rendered[-1]["content"] += "\n\n" + defused(text)
            continue
        entry: dict[str, Any] = {"role": message.role, "content": defused(text)}
        if message.tool_calls:
            entry["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": dict(call.arguments)},
                }
                for call in message.tool_calls
            ]
        rendered.append(entry)
    return rendered


def plain_count(count: Callable[[Sequence[str]], list[int]], request: ChatRequest) -> int:
    """Tokens of a request for a model without a template: all its texts, and PER_MESSAGE for each message."""
    texts = [
        request.system,
        json.dumps(list(request.tools), ensure_ascii=False) if request.tools else "",
        *(f"{label}: {content}" for label, content in request.core.items()),
        *map(render_hit, request.recalled),
        *request.notes,
        *map(render_message, request.messages),
    ]
    return sum(count([text for text in texts if text])) + PER_MESSAGE * (1 + len(request.messages))
