"""A tiny checkpoint that has learnt one conversation by heart: it calls a tool, then says what the tool returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.models.chat_model import ChatRequest
from memagent.models.prompt import chat_messages
from tests.models.local import tiny

CALL = ToolCall("c1", "memory_search", {"query": "boiler"})
RESULT = ToolResult("c1", "memory_search", True, {"found": "Hartnell"}, "")
REPLY = "It is Hartnell."
TOOL = {
    "type": "function",
    "function": {
        "name": "memory_search",
        "description": "Look in memory.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
ASKED = ChatRequest("Be brief.", {}, (), (ChatMessage("user", "who services the boiler?"),), (TOOL,), reply_tokens=80)
TURN = (ChatMessage("assistant", "", tool_calls=(CALL,)), ChatMessage("tool", "", tool_result=RESULT))
ANSWERED = ChatRequest("Be brief.", {}, (), (*ASKED.messages, *TURN), (TOOL,), reply_tokens=80)


def train(folder: Path, *, most_steps: int = 400) -> Path:
    """Make the checkpoint in `folder`. Fails where it has not learnt the conversation after `most_steps`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tiny.save(folder, "qwen3")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    replies = (
        '<tool_call>\n{"name": "memory_search", "arguments": {"query": "boiler"}}\n</tool_call><|im_end|>',
        f"{REPLY}<|im_end|>",
    )
    lessons = [_lesson(tokenizer, request, reply) for request, reply in zip((ASKED, ANSWERED), replies, strict=True)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for step in range(most_steps):
        losses = [model(input_ids=ids, labels=labels).loss for ids, labels in lessons]
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step > 40 and max(float(loss.detach()) for loss in losses) < 0.01:
            break
    else:
        raise AssertionError("the tiny checkpoint has not learnt its conversation")
    model.save_pretrained(folder)
    return folder


def _lesson(tokenizer: Any, request: ChatRequest, reply: str) -> tuple[Any, Any]:
    import torch

    tools = [dict(tool) for tool in request.tools]
    prompt = tokenizer.apply_chat_template(
        chat_messages(request), tools=tools, add_generation_prompt=True, tokenize=False
    )
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = tokenizer(reply, add_special_tokens=False)["input_ids"]
    return torch.tensor([before + after]), torch.tensor([[-100] * len(before) + after])
