"""What the model would see if a message were sent now, part by part; nothing is stored and no tool runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memagent.agent.assemble import Agent
from memagent.agent.policy import MemoryPolicy
from memagent.agent.recall import recall
from memagent.agent.turn import HISTORY, IN_VIEW
from memagent.agent.window import fill
from memagent.conversation import ChatMessage, ContextUsage
from memagent.memory.records import Message
from memagent.models.prompt import render_hit
from memagent.tools.registry import TOOLS
from memagent.tools.tool import ToolContext

NOTHING_SAID = "…"


@dataclass(frozen=True)
class Part:
    """One part of the prompt, in the order in which the model reads it. `tokens` is what the text alone costs."""

    name: str
    text: str
    tokens: int


@dataclass(frozen=True)
class Preview:
    """The parts, and the window as a turn would report it: its sums include what the template puts around the parts."""

    parts: tuple[Part, ...]
    usage: ContextUsage


def preview(agent: Agent, session_id: int | None, text: str, policy: MemoryPolicy | None = None) -> Preview:
    """The prompt of the next turn of a session, or of a new one. Waits for the model; raises ModelError, InputError.

    What the specialists would look up for another chat model comes on top of what is recalled: looking up is a tool's
    work, and is logged, so it is left to the turn.
    """
    policy = policy or MemoryPolicy()
    history: Sequence[Message] = ()
    if session_id is not None:
        history = [m for m in agent.store.messages(session_id, limit=HISTORY) if m.content]
    before = next((m for m in reversed(history) if m.role == "user"), None)
    hits: tuple[Mapping[str, Any], ...] = ()
    if text and policy.recalls:
        in_view = frozenset(m.id for m in history[-IN_VIEW:])
        hits = recall(ToolContext(agent.store, session_id or 0), text, before, in_view).hits
    routing, count = agent.routing, agent.counter
    said = ChatMessage("user", text or NOTHING_SAID, at=agent.store.clock.now().isoformat())
    window = fill(
        agent.model,
        count,
        core=agent.store.core_blocks() if policy.recalls else [],
        recalled=hits,
        history=history,
        turn=[said],
        tools=tuple(tool.schema() for tool in policy.offered(TOOLS)) if routing.tools else (),
        system=routing.system,
    )
    request = window.request
    parts: list[tuple[str, str]] = []
    if window.usage.system:  # the specialists read neither instructions nor tools
        parts += [("instructions", request.system)]
        parts += [(f"tool {tool['function']['name']}", json.dumps(tool, ensure_ascii=False)) for tool in request.tools]
    parts += [(f"pinned {label}", content) for label, content in request.core.items()]
    parts += [(message.role, message.content) for message in request.messages[:-1]]
    parts += [("recalled", render_hit(hit)) for hit in request.recalled]
    parts += [("message", request.messages[-1].content)] if text else []
    return Preview(tuple(Part(name, words, count(words)) for name, words in parts), window.usage)
