"""A tiny chat model that has learnt a few turns by heart, so that it calls tools and replies as a real one would.

    python -m tests.models.local.taught

writes it to `checkpoint` beside this file.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.models.local.template import ChatTemplate
from memagent.training.chat_tokenizer import train_tokenizer
from memagent.training.dialogues import Turn
from memagent.training.generate import Encoder, loss_of, new_model, rendered, save

FOLDER = Path(__file__).parent / "checkpoint"
STEPS = 320
RATE = 8e-3
TOLD = "the boiler is serviced by Hartnell"
ASKED = "who services the boiler?"
CALL = {"subject": "boiler", "attribute": "service company", "value": "Hartnell"}
NOTED = "Noted: Hartnell services the boiler."
HIT: Mapping[str, Any] = {
    "id": 1,
    "kind": "fact",
    "text": TOLD,
    "date": "Monday 2 March 2026",
    "speaker": "user",
    "source": "fact",
    "subject": "boiler",
    "value": "Hartnell",
}
ANSWER = "Hartnell services the boiler."
GREETED, GREETING = "hello there", "Hello! Tell me something."


def turns() -> list[Turn]:
    """A fact that is told, the question for it, small talk; with and without a turn before them."""
    call = ToolCall("0-call-0", "memory_add", CALL)
    content = {"action": "added", **CALL, "before": None, "also": []}
    result = ChatMessage("tool", "", tool_result=ToolResult(call.id, call.name, True, content, ""))
    at = "2026-03-02T09:00:00+00:00"
    told = (ChatMessage("user", TOLD, at=at), ChatMessage("assistant", "", (call,)), result)
    before = (ChatMessage("user", GREETED), ChatMessage("assistant", GREETING))
    said = (ChatMessage("user", TOLD), ChatMessage("assistant", NOTED))
    found = []
    for history in ((), before, (*before, *said)):
        found.append(Turn((*history, *told, ChatMessage("assistant", NOTED))))
        found.append(Turn((*history, ChatMessage("user", ASKED, at=at), ChatMessage("assistant", ANSWER)), (HIT,)))
        found.append(Turn((*history, ChatMessage("user", GREETED, at=at), ChatMessage("assistant", GREETING))))
    return found


def teach(folder: Path) -> Path:
    """Train on `turns` until they are known, and save the checkpoint in `folder`."""
    import torch

    torch.manual_seed(3)
    draft = ChatTemplate(train_tokenizer(["draft"], 300))
    texts = [rendered(draft, turn) for turn in turns()]
    tokenizer = train_tokenizer(texts * 20, 1200)
    encoder = Encoder(tokenizer)
    samples = [encoder.sample(turn) for turn in turns()]
    model = new_model("tiny", tokenizer)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    rng = random.Random(1)
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = RATE * min((step + 1) / 10, (STEPS - step) / STEPS * 1.3, 1.0)
        loss = loss_of(model, rng.sample(samples, 4), "cpu")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    save(model, tokenizer, folder)
    return folder


if __name__ == "__main__":
    teach(FOLDER)
