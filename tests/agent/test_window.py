"""The window is never overfull, keeps the newest turns, and never parts a call from its result."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memagent.agent.window import CUT, SYSTEM, Counter, Window, fill
from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.errors import InputError
from memagent.memory.records import CoreBlock, Message
from memagent.models.chat_model import ChatRequest
from memagent.models.prompt import PER_MESSAGE, render_hit, render_message
from memagent.models.scripted import ScriptedModel

START = datetime(2026, 3, 2, tzinfo=UTC)
TOOLS = ({"type": "function", "function": {"name": "memory_search"}},)
PREFIX = len(SYSTEM.split()) + len(json.dumps(list(TOOLS)).split()) + PER_MESSAGE


def words(count: int, letter: str = "w") -> str:
    return " ".join([letter] * count)


def spoken(sizes: Sequence[int]) -> list[Message]:
    return [
        Message(n, 1, n, "assistant" if n % 2 else "user", "", words(size), 0, START + timedelta(minutes=n))
        for n, size in enumerate(sizes)
    ]


def hit(number: int, size: int) -> dict[str, Any]:
    return {"id": number, "date": "1 March 2026", "speaker": "", "source": "said", "text": words(size)}


def called(number: int, content: dict[str, Any]) -> list[ChatMessage]:
    call = ToolCall(f"c{number}", "memory_search", {"query": "w w"})
    return [
        ChatMessage("assistant", "", tool_calls=(call,)),
        ChatMessage("tool", "", tool_result=ToolResult(call.id, call.name, True, content, "done")),
    ]


def filled(
    tokens: int,
    *,
    history: Sequence[int] = (),
    recalled: Sequence[int] = (),
    turn: Sequence[ChatMessage] = (ChatMessage("user", "hello"),),
    pinned: int = 0,
) -> Window:
    model = ScriptedModel(context_tokens=tokens)
    core = [CoreBlock("person", words(pinned), 2000, 1, START), CoreBlock("plan", "", 2000, 1, START)]
    return fill(
        model,
        Counter(model),
        core=core,
        recalled=[hit(number, size) for number, size in enumerate(recalled, 1)],
        history=spoken(history),
        turn=turn,
        tools=TOOLS,
    )


def cost(window: Window) -> int:
    """The tokens of a request, counted anew from the request alone."""
    request = window.request
    texts = [request.system, json.dumps(list(request.tools)), *(f"{k}: {v}" for k, v in request.core.items())]
    texts += [render_hit(item) for item in request.recalled] + [render_message(item) for item in request.messages]
    return sum(len(text.split()) for text in texts) + PER_MESSAGE * (1 + len(request.messages))


SIZES = st.integers(1, 400)
RESULTS = st.one_of(
    st.lists(SIZES, max_size=12).map(lambda sizes: {"hits": [hit(n, size) for n, size in enumerate(sizes, 1)]}),
    st.integers(0, 3000).map(lambda size: {"rows": [[words(size, "r")]], "truncated": False}),
)


@example(tokens=300, history=[], recalled=[], said=1, results=[{"hits": []}] * 12 + [{"rows": [[""]]}], pinned=1)
@given(
    tokens=st.integers(300, 4000),
    history=st.lists(SIZES, max_size=30),
    recalled=st.lists(SIZES, max_size=8),
    said=st.integers(1, 5000),
    results=st.lists(RESULTS, max_size=24),
    pinned=st.integers(0, 60),
)
def test_the_budget_is_never_exceeded_and_its_parts_add_up(
    tokens: int, history: list[int], recalled: list[int], said: int, results: list[dict[str, Any]], pinned: int
) -> None:
    turn = [ChatMessage("user", words(said, "s"))]
    for number, content in enumerate(results):
        turn += called(number, content)
    window = filled(tokens, history=history, recalled=recalled, turn=turn, pinned=pinned)
    usage = window.usage
    assert cost(window) == usage.used
    assert usage.used + usage.reserved <= usage.window == tokens
    assert usage.reserved >= tokens // 8
    messages = window.request.messages
    calls = {call.id for message in messages for call in message.tool_calls}
    answers = {message.tool_result.call_id for message in messages if message.tool_result is not None}
    assert calls == answers, "a call was parted from its result"
    newest_said = [message for message in messages if message.role == "user"][-1]
    assert newest_said.content.startswith("s")
    kept = len(messages) - sum(message.role == "tool" or bool(message.tool_calls) for message in messages) - 1
    assert usage.dropped_messages == len(history) - kept
    assert [message.content for message in messages[:kept]] == [words(size) for size in history[len(history) - kept :]]
    assert (
        list(window.request.recalled)
        == [hit(n, size) for n, size in enumerate(recalled, 1)][: len(window.request.recalled)]
    )


def test_the_newest_turns_are_kept_in_order_and_as_many_as_fit() -> None:
    window = filled(1000, history=[50] * 40)
    usage = window.usage
    kept = len(window.request.messages) - 1
    assert 0 < kept < 40 and usage.dropped_messages == 40 - kept
    assert usage.window - usage.reserved - usage.used < 50 + PER_MESSAGE, "one more would have fitted"
    times = [message.at for message in window.request.messages[:kept]]
    assert times == [message.created_at.isoformat() for message in spoken([50] * 40)[-kept:]]


def test_everything_is_kept_when_it_fits() -> None:
    window = filled(2000, history=[10] * 6, recalled=[10, 10], pinned=5)
    assert len(window.request.messages) == 7 and window.usage.dropped_messages == 0
    assert len(window.request.recalled) == 2
    assert window.request.core == {"person": words(5)}, "an empty block costs nothing"


def test_recalled_memories_leave_room_for_the_conversation() -> None:
    window = filled(1000, history=[20] * 40, recalled=[40] * 50)
    assert 0 < window.usage.recalled < window.usage.recent


def test_a_prefix_that_leaves_no_room_is_a_clear_error() -> None:
    with pytest.raises(InputError, match="window of 100 tokens is too small") as error:
        filled(100)
    assert "context_tokens" in error.value.hint
    with pytest.raises(InputError, match="pinned notes"):
        filled(600, pinned=400)


def test_a_message_of_ten_megabytes_is_cut_to_what_fits() -> None:
    started = time.process_time()
    window = filled(600, turn=[ChatMessage("user", "word " * 2_000_000)])
    (message,) = window.request.messages
    assert message.content.startswith("word word") and message.content.endswith(CUT)
    usage = window.usage
    assert usage.window - usage.reserved - 12 <= usage.used <= usage.window - usage.reserved
    assert time.process_time() - started < 20


def test_one_endless_word_at_the_end_does_not_slow_the_cut() -> None:
    room = 600 - 600 // 8 - PREFIX - PER_MESSAGE
    model = ScriptedModel(context_tokens=600)
    counted: list[str] = []
    count = Counter(model)

    class Counting(Counter):
        def __call__(self, text: str) -> int:
            counted.append(text)
            return count(text)

    text = words(room) + " " + "x" * 90_000
    window = fill(
        model, Counting(model), core=[], recalled=[], history=[], turn=[ChatMessage("user", text)], tools=TOOLS
    )
    assert len(counted) < 60
    assert window.usage.used <= 600 - 600 // 8


def test_a_long_result_is_cut_and_keeps_its_call() -> None:
    turn = [ChatMessage("user", "how many?"), *called(1, {"rows": [[words(5000)]]})]
    window = filled(600, turn=turn)
    _, asked, answered = window.request.messages
    assert asked.tool_calls[0].id == "c1"
    assert answered.tool_result is not None and answered.tool_result.ok
    assert answered.tool_result.content["cut"].endswith(CUT)
    assert window.request.messages[0].content == "how many?"


def test_of_many_hits_the_best_are_kept_whole() -> None:
    hits = [hit(number, 30) for number in range(1, 41)]
    window = filled(600, turn=[ChatMessage("user", "who?"), *called(1, {"query": "w", "hits": hits})])
    result = window.request.messages[-1].tool_result
    assert result is not None
    kept = result.content["hits"]
    assert 0 < len(kept) < 40 and kept == hits[: len(kept)]


def test_when_calls_do_not_fit_the_oldest_go_with_their_results() -> None:
    turn = [ChatMessage("user", "go on")]
    for number in range(40):
        turn += called(number, {"value": words(20)})
    window = filled(700, turn=turn)
    kept = [message.tool_result.call_id for message in window.request.messages if message.tool_result is not None]
    assert kept == [f"c{number}" for number in range(40 - len(kept), 40)] and kept


def live(tokens: int, history: Sequence[int]) -> Window:
    model = ScriptedModel(context_tokens=tokens, live=True)
    said = [ChatMessage("user", "hello")]
    return fill(model, Counter(model), core=[], recalled=[], history=spoken(history), turn=said, tools=TOOLS)


def test_for_a_model_that_keeps_what_it_has_read_the_window_moves_rarely() -> None:
    starts = [live(1000, [20] * size).request.messages[0].at for size in range(60, 92, 2)]
    moves = sum(before != after for before, after in zip(starts, starts[1:], strict=False))
    assert moves <= 5, "a prefix that changes with each turn would be read anew each time"
    plain = [filled(1000, history=[20] * size).request.messages[0].at for size in range(60, 92, 2)]
    assert len(set(plain)) == 16


@pytest.mark.parametrize("history", [[20] * 61, [150] * 9, [500] * 3, [900] * 2, [3, 400, 400, 3]])
def test_for_a_chat_template_the_window_begins_with_the_person(history: list[int]) -> None:
    window = live(1000, history)
    assert window.request.messages[0].role == "user"
    assert window.usage.used + window.usage.reserved <= 1000
    fitting = len(filled(1000, history=history).request.messages)
    assert len(window.request.messages) >= fitting // 2


class Framed(ScriptedModel):
    """A model whose template puts more around messages than its texts cost, and more around the first."""

    def count_prompt(self, request: ChatRequest) -> int:
        return super().count_prompt(request) + 9 * len(request.messages) + 13 * bool(request.tools)


@pytest.mark.parametrize("size", [5, 40, 90])
def test_what_a_template_puts_around_messages_counts(size: int) -> None:
    model = Framed(context_tokens=1000)
    window = fill(
        model,
        Counter(model),
        core=[],
        recalled=[hit(1, 10)],
        history=spoken([size] * 60),
        turn=[ChatMessage("user", "hello"), *called(1, {"rows": [[words(30)]]})],
        tools=TOOLS,
    )
    usage = window.usage
    assert model.count_prompt(window.request) == usage.used, "the parts add up to what the model gets"
    assert usage.window - usage.reserved - size - 30 <= usage.used <= usage.window - usage.reserved


def test_what_of_this_turn_had_no_room_is_told() -> None:
    turn = [ChatMessage("user", "how many?"), *called(1, {"rows": [[words(900)]]})]
    assert filled(600, turn=turn).usage.lost == (0, 1)
    turn = [ChatMessage("user", "go on"), *(m for n in range(40) for m in called(n, {"value": words(20)}))]
    usage = filled(700, turn=turn, recalled=[900]).usage
    assert usage.dropped_calls > 5 and usage.dropped_hits == 1
