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

from memagent.conversation import ChatMessage, ContextUsage, ToolCall, ToolResult
from memagent.errors import InputError
from memagent.memory.records import CoreBlock, Message
from memagent.models.chat_model import ChatModel, ChatRequest
from memagent.models.prompt import render_hit, render_message

SYSTEM = (
    "You are memagent. You remember what the person tells you across conversations, in a database that you reach only "
    "through the tools. Store what they tell you with memory_add, correct it with memory_update, erase it with "
    "memory_forget, and look it up with memory_search before you answer. Say only what memory or the person said; if "
    "you were never told, say that you don't know."
)
RECALLED_SHARE = 0.35  # of what is left after the prefix
REPLY_SHARE = 8  # one part in this many is kept free for the reply
KNOWN = 4096  # counts that are kept
LEAST = 16  # tokens that a cut text keeps
CUT = " […]"
STEADY = 8  # messages; the window moves by as many at once for models that keep what they have read
T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """A request that fits, and how the window was used."""

    request: ChatRequest
    usage: ContextUsage


class Counter:
    """Token counts of texts and messages for one model, each counted once."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self._known: dict[str, int] = {}
        self._frames: dict[str, int] = {}

    def counts_for(self, model: ChatModel) -> bool:
        return self._model is model

    def __call__(self, text: str) -> int:
        if not self._model.exact_counts:  # an estimate that learns: what it said before does not hold for ever
            return self._model.count_tokens([text])[0]
        if text not in self._known:
            if len(self._known) > KNOWN:
                self._known.clear()
            self._known[text] = self._model.count_tokens([text])[0]
        return self._known[text]

    def message(self, message: ChatMessage) -> int:
        """What a message adds to a prompt: its text, and the frame that the model's template puts around its role."""
        return self(render_message(message)) + self.frame(message)

    def frame(self, message: ChatMessage) -> int:
        """Tokens of role, separators and marks; measured once for each kind of message."""
        kind = f"{message.role}{len(message.tool_calls)}"
        if kind not in self._frames:
            before, sample = _sample(message)
            bare = ChatRequest("", {}, (), tuple(before), ())
            added = self._model.count_prompt(replace(bare, messages=(*before, sample))) - self._model.count_prompt(bare)
            self._frames[kind] = max(added - self(render_message(sample)), 0)
        return self._frames[kind]


def _sample(message: ChatMessage) -> tuple[list[ChatMessage], ChatMessage]:
    """A short message of the same kind, and what must stand in front of it in a template."""
    said, calls = ChatMessage("user", "hello"), tuple(ToolCall(f"c{n}", "f") for n, _ in enumerate(message.tool_calls))
    if message.tool_result is not None:
        asked = ChatMessage("assistant", "", tool_calls=(ToolCall("c0", "f"),))
        return [said, asked], ChatMessage("tool", "", tool_result=ToolResult("c0", "f", True, {"a": "b"}, ""))
    if message.role == "user":
        return [said, ChatMessage("assistant", "hello")], said
    return [said], ChatMessage(message.role, "" if calls else "hello", tool_calls=calls)


def fill(
    model: ChatModel,
    count: Counter,
    *,
    core: Sequence[CoreBlock],
    recalled: Sequence[Mapping[str, Any]],
    history: Sequence[Message],
    turn: Sequence[ChatMessage],
    tools: Sequence[Mapping[str, Any]],
    system: str = SYSTEM,
    notes: Sequence[str] = (),
) -> Window:
    """Build the request for one step of a turn. `history` is oldest first; `turn` is what was said now and since.

    Parts are chosen by what they cost alone; then the whole is counted as the model will get it, and while it is over
    its room the oldest goes. Raises InputError where not even this turn's message fits.
    """
    reserved = model.context_tokens // REPLY_SHARE
    room = model.context_tokens - reserved
    blocks = {block.label: block.content for block in core if block.content}
    bare = ChatRequest(system, {}, (), (replace(turn[0], at=None),), tuple(tools), reply_tokens=reserved)
    prefix = model.count_prompt(bare) - count.message(turn[0])
    pinned = model.count_prompt(replace(bare, core=blocks)) - prefix - count.message(turn[0]) if blocks else 0
    left = room - prefix - pinned
    if left < room // 4:
        raise InputError(
            f"a window of {model.context_tokens} tokens is too small for the tools and the pinned notes",
            "use a larger context_tokens, or shorten the pinned notes",
        )
    this_turn, used, cut = _fit_turn(turn, count, left - _dated(model, count, turn[0]))
    left -= used + sum(map(count, notes)) + _dated(model, count, turn[0])
    shown, used_recalled = _take(recalled, lambda hit: count(render_hit(hit)), int(max(left, 0) * RECALLED_SHARE))
    left -= used_recalled
    spoken = [ChatMessage(m.role, m.content, at=m.created_at.isoformat()) for m in history]
    newest, _ = _take(spoken[::-1], count.message, left)
    start = _steady(history, len(history) - len(newest)) if model.live else len(history) - len(newest)
    request = replace(bare, core=blocks, recalled=tuple(shown), notes=tuple(notes))
    request = replace(request, messages=(*spoken[start:], *this_turn))
    request, total = _within(model, request, len(this_turn), room)
    core_and_recalled = model.count_prompt(replace(request, messages=(request.messages[-len(this_turn)],)))
    recalled_tokens = core_and_recalled - count.message(request.messages[-len(this_turn)]) - prefix - pinned
    usage = ContextUsage(
        window=model.context_tokens,
        system=prefix,
        core=pinned,
        recalled=max(recalled_tokens, 0),
        recent=total - prefix - pinned - max(recalled_tokens, 0),
        reserved=reserved,
        dropped_messages=len(history) - (len(request.messages) - len(this_turn)),
        exact=model.exact_counts,
        dropped_hits=len(recalled) - len(request.recalled),
        dropped_calls=_calls(turn) - _calls(this_turn),
        cut_messages=cut,
    )
    return Window(request, usage)


def _calls(messages: Sequence[ChatMessage]) -> int:
    return sum(len(message.tool_calls) for message in messages)


def _dated(model: ChatModel, count: Counter, said: ChatMessage) -> int:
    """What the date in front of this turn's message costs, for models that read one."""
    bare = ChatRequest("", {}, (), (said,), ())
    return max(model.count_prompt(bare) - model.count_prompt(replace(bare, messages=(replace(said, at=None),))), 0)


def _steady(history: Sequence[Message], start: int) -> int:
    """A later start of what is kept, on a boundary that stays the same for some turns, with a message of the person.

    The prefix of the prompt is then the same from turn to turn, and a model need not read it anew.
    """
    if start == 0:
        return 0
    opens = [at for at in range(start, len(history)) if history[at].role == "user"]
    steady = [
        at for at in opens if history[at].position % STEADY == 0 and len(history) - at >= (len(history) - start) / 2
    ]
    return (steady or opens or [len(history)])[0]


def _within(model: ChatModel, request: ChatRequest, turn: int, room: int) -> tuple[ChatRequest, int]:
    """The request without its oldest messages, then without its last hits, until the whole fits; and its tokens.

    Raises InputError where the turn alone does not.
    """
    while (total := model.count_prompt(request)) > room:
        if len(request.messages) > turn:
            rest = request.messages[1:]
            while len(rest) > turn and rest[0].role != "user":
                rest = rest[1:]
            request = replace(request, messages=rest)
        elif request.recalled:
            request = replace(request, recalled=request.recalled[:-1])
        elif request.notes:
            request = replace(request, notes=request.notes[:-1])
        else:
            raise InputError("the window is too small for what was said in this turn", "use a larger context_tokens")
    return request, total


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


def _fit_turn(turn: Sequence[ChatMessage], count: Counter, room: int) -> tuple[list[ChatMessage], int, int]:
    """This turn's messages within `room`: the longest are cut, then the oldest calls go, each with its results.

    Returns them, what they cost, and how many were cut.
    """
    messages = list(turn)
    costs = [count.message(message) for message in messages]
    cut = 0
    for index in sorted(range(len(messages)), key=costs.__getitem__, reverse=True):
        over, frame = sum(costs) - room, count.frame(messages[index])
        if over <= 0 or costs[index] - frame <= LEAST:
            break
        messages[index] = _shortened(messages[index], count, max(costs[index] - over - frame, LEAST))
        costs[index] = count.message(messages[index])
        cut += 1
    while sum(costs) > room and len(messages) > 1:
        end = next((at for at in range(2, len(messages)) if messages[at].role != "tool"), len(messages))
        del messages[1:end], costs[1:end]
    if sum(costs) > room:
        raise InputError("the window is too small for what was said in this turn", "use a larger context_tokens")
    return messages, sum(costs), cut


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
