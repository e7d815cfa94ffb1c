"""Fills the model's window: a stable prefix, recalled memories, then the newest turns that fit.

Tokens are counted by the model. What does not fit falls out from the oldest side and stays searchable. Of this turn,
what the person said always goes in, then calls with their results; the longest texts are cut where they would not fit,
and a call is never parted from its result.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from memagent.conversation import ChatMessage, ContextUsage
from memagent.errors import InputError
from memagent.memory.records import CoreBlock, Message
from memagent.models.chat_model import ChatModel, ChatRequest
from memagent.models.prompt import PER_MESSAGE, render_hit, render_message

SYSTEM = (
    "You are memagent. You remember what the person tells you across conversations, in a database that you reach only "
    "through the tools. Store what they tell you with memory_add, correct it with memory_update, erase it with "
    "memory_forget, and look it up with memory_search before you answer. Say only what memory or the person said; if "
    "you were never told, say that you don't know."
)
RECALLED_SHARE = 0.35  # of what is left after the prefix
REPLY_SHARE = 8  # one part in this many is kept free for the reply
LEAST = 16  # tokens that a cut text keeps
CUT = " […]"
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """A request that fits, and how the window was used."""

    request: ChatRequest
    usage: ContextUsage


class Counter:
    """Token counts of texts, each counted once."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = self._model.count_tokens([text])[0]
        return self._known[text]


def fill(
    model: ChatModel,
    count: Counter,
    *,
    core: Sequence[CoreBlock],
    recalled: Sequence[Mapping[str, Any]],
    history: Sequence[Message],
    turn: Sequence[ChatMessage],
    tools: Sequence[Mapping[str, Any]],
) -> Window:
    """Build the request for one step of a turn. `history` is oldest first; `turn` is what was said now and since."""
    reserved = model.context_tokens // REPLY_SHARE
    room = model.context_tokens - reserved
    blocks = {block.label: block.content for block in core if block.content}
    system = count(SYSTEM) + count(json.dumps(list(tools), ensure_ascii=False)) + PER_MESSAGE
    pinned = sum(count(f"{label}: {content}") for label, content in blocks.items())
    left = room - system - pinned
    if left < room // 4:
        raise InputError(
            f"a window of {model.context_tokens} tokens is too small for the tools and the pinned notes",
            "use a larger context_tokens, or shorten the pinned notes",
        )
    this_turn, used = _fit_turn(turn, count, left)
    left -= used
    shown, used_recalled = _take(recalled, lambda hit: count(render_hit(hit)), int(left * RECALLED_SHARE))
    left -= used_recalled
    newest, used_recent = _take(list(reversed(history)), lambda m: count(m.content) + PER_MESSAGE, left)
    recent = [ChatMessage(m.role, m.content, at=m.created_at.isoformat()) for m in reversed(newest)]
    usage = ContextUsage(
        window=model.context_tokens,
        system=system,
        core=pinned,
        recalled=used_recalled,
        recent=used_recent + used,
        reserved=reserved,
        dropped_messages=len(history) - len(newest),
        exact=model.exact_counts,
    )
    request = ChatRequest(SYSTEM, blocks, tuple(shown), (*recent, *this_turn), tuple(tools))
    return Window(request, usage)


def _take(items: Sequence[T], cost: Callable[[T], int], room: int) -> tuple[list[T], int]:
    """The longest head of `items` that fits, and what it costs."""
    taken: list[T] = []
    used = 0
    for item in items:
        price = cost(item)
        if used + price > room:
            break
        taken.append(item)
        used += price
    return taken, used


def _fit_turn(turn: Sequence[ChatMessage], count: Counter, room: int) -> tuple[list[ChatMessage], int]:
    """This turn's messages within `room`: the longest are cut, then the oldest calls go, each with its results."""
    messages = list(turn)
    costs = [count(render_message(message)) + PER_MESSAGE for message in messages]
    for index in sorted(range(len(messages)), key=costs.__getitem__, reverse=True):
        over = sum(costs) - room
        if over <= 0 or costs[index] - PER_MESSAGE <= LEAST:
            break
        messages[index] = _shortened(messages[index], count, max(costs[index] - over - PER_MESSAGE, LEAST))
        costs[index] = count(render_message(messages[index])) + PER_MESSAGE
    while sum(costs) > room and len(messages) > 1:
        end = next((at for at in range(2, len(messages)) if messages[at].role != "tool"), len(messages))
        del messages[1:end], costs[1:end]
    if sum(costs) > room:
        raise InputError("the window is too small for what was said in this turn", "use a larger context_tokens")
    return messages, sum(costs)


def _shortened(message: ChatMessage, count: Counter, room: int) -> ChatMessage:
    """A message whose text is cut at its end so as to cost at most `room`, where cutting it can do that."""
    result = message.tool_result
    if result is not None and result.content.get("hits"):
        hits, _ = _take(result.content["hits"], lambda hit: count(render_hit(hit)), room)
        return replace(message, tool_result=replace(result, content={**result.content, "hits": hits}))
    whole = message.content if result is None else json.dumps(dict(result.content), ensure_ascii=False)
    if not whole:
        return message

    def cut(size: int) -> ChatMessage:
        if result is None:
            return replace(message, content=whole[:size] + CUT)
        return replace(message, tool_result=replace(result, content={"cut": whole[:size] + CUT}))

    size = bisect_right(range(len(whole)), room, key=lambda size: count(render_message(cut(size))))
    return cut(max(size - 1, 0))
