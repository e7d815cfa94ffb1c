"""Five canned turns with a chat model on a scratch store: what works with it, and how fast it is."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from memagent.agent.assemble import Agent
from memagent.agent.routing import Routing
from memagent.agent.turn import run_turn
from memagent.conversation import ContextUsage, Event, Failed, Finished, TextDelta, ToolCall, ToolReturned
from memagent.embedding import Embedder
from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock
from memagent.models.chat_model import ChatModel, ChatRequest, Output, Usage

TURNS = (
    ("my boiler is serviced by a company called Hartnell", "", False),
    ("who services my boiler?", "hartnell", False),
    ("no, that has changed: the boiler is serviced by Brandt now", "", False),
    ("who services my boiler?", "brandt", True),
    ("what is 17 * 23?", "391", False),
)  # what is said, what the reply must hold, whether a new conversation begins
START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


@dataclass(frozen=True)
class Step:
    """One request to the model, as measured."""

    first: float | None  # seconds to the first output
    seconds: float
    pieces: int
    tokens: int
    usage: Usage | None
    calls: tuple[ToolCall, ...]


@dataclass(frozen=True)
class Line:
    """One finding: `state` is ok, missing or failed."""

    name: str
    state: str
    detail: str


class Measured:
    """A chat model that notes what each of its steps took."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.steps: list[Step] = []
        self.name, self.context_tokens = model.name, model.context_tokens
        self.exact_counts, self.live = model.exact_counts, model.live

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._model.count_tokens(texts)

    def count_prompt(self, request: ChatRequest) -> int:
        return self._model.count_prompt(request)

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        started = time.perf_counter()
        first: float | None = None
        outputs: list[Output] = []
        for output in self._model.respond(request):
            if first is None and not isinstance(output, Usage):
                first = time.perf_counter() - started
            outputs.append(output)
            yield output
        seconds = time.perf_counter() - started
        usage = next((output for output in outputs if isinstance(output, Usage)), None)
        pieces = [output.text for output in outputs if isinstance(output, TextDelta)]
        calls = tuple(output for output in outputs if isinstance(output, ToolCall))
        tokens = usage.reply if usage is not None else sum(self._model.count_tokens(["".join(pieces)]))
        self.steps.append(Step(first, seconds, len(pieces), tokens, usage, calls))


@dataclass
class Talk:
    """The canned turns as they went."""

    events: list[list[Event]] = field(default_factory=list)

    def reply(self, number: int) -> str:
        ended = self.events[number][-1]
        return ended.reply if isinstance(ended, Finished) else ""


def check_model(model: ChatModel, embedder: Embedder, routing: Routing, cancel: threading.Event) -> Iterator[Line]:
    """Run the turns and say what works. Raises ModelError where the first turn already fails."""
    measured = Measured(model)
    talk = Talk()
    with tempfile.TemporaryDirectory() as folder:
        store = MemoryStore.open(f"sqlite:///{Path(folder) / 'check.db'}", clock=FixedClock(START))
        agent = Agent(store, model.name)
        agent.give(measured, embedder, routing)
        try:
            session = store.start_session().id
            for number, (text, expected, new) in enumerate(TURNS, 1):
                session = store.start_session().id if new else session
                talk.events.append(list(run_turn(agent, session, text, cancel=cancel)))
                yield _turn_line(number, text, expected, talk.events[-1])
            facts = [fact.value for fact in store.facts()]
        finally:
            agent.close()
    yield from findings(model, measured.steps, talk, facts, routing)


def _turn_line(number: int, text: str, expected: str, events: Sequence[Event]) -> Line:
    ended = events[-1]
    if isinstance(ended, Failed):
        return Line(f"turn {number}", "failed", f"{text} → {ended.reason}")
    assert isinstance(ended, Finished)
    good = expected in ended.reply.casefold()
    return Line(f"turn {number}", "ok" if good else "failed", f"{text} → {ended.reply} ({ended.milliseconds:.0f} ms)")


def findings(
    model: ChatModel, steps: Sequence[Step], talk: Talk, facts: Sequence[str], routing: Routing
) -> Iterator[Line]:
    """What the steps show, one line a property."""
    usages = [event for events in talk.events for event in events if isinstance(event, ContextUsage)]
    counts = "exact" if model.exact_counts else "estimated"
    most = max((usage.used for usage in usages), default=0)
    overrun = any(usage.used + usage.reserved > usage.window for usage in usages)
    yield Line("window", "failed" if overrun else "ok", f"{model.context_tokens} tokens, at most {most} used, {counts}")
    kept = any("Brandt" in value for value in facts)
    yield Line("memory", "ok" if kept else "failed", f"kept: {', '.join(facts) or 'nothing'}")
    yield from _call_lines(steps, talk, routing)
    streamed = max((step.pieces for step in steps), default=0)
    yield Line("streaming", "ok" if streamed > 1 else "missing", f"a reply came in up to {streamed} pieces")
    reused = [step.usage.cached / step.usage.prompt for step in steps[1:] if step.usage and step.usage.prompt]
    told = any(step.usage and step.usage.cached for step in steps)
    detail = f"{statistics.mean(reused):.0%} of the prompt read before" if told else "not reported"
    yield Line("reuse", "ok" if told else "missing", detail)
    yield _speed_line(steps)


def _call_lines(steps: Sequence[Step], talk: Talk, routing: Routing) -> Iterator[Line]:
    own = [call for step in steps for call in step.calls]
    faults = [call.fault for call in own if call.fault]
    results = {
        event.call.id: event.result.ok for events in talk.events for event in events if isinstance(event, ToolReturned)
    }
    ran = sum(results.get(call.id, False) for call in own)
    if not routing.tools:
        yield Line("tools", "missing", "not offered in this mode")
    else:
        names = ", ".join(dict.fromkeys(call.name for call in own))
        detail = f"{len(own)} calls of its own, {ran} succeeded: {names}" if own else "it called none"
        yield Line("tools", "ok" if ran else "missing", detail)
    if own:
        yield Line("grammar", "failed" if faults else "ok", faults[0] if faults else "no malformed call")


def _speed_line(steps: Sequence[Step]) -> Line:
    firsts = [step.first for step in steps if step.first is not None]
    if not firsts:
        return Line("speed", "failed", "it said nothing")
    written = sum(step.tokens for step in steps)
    spent = sum(step.seconds - (step.first or 0.0) for step in steps)
    rate = f", {written / spent:.0f} tokens/s" if spent > 0.05 and written > 20 else ""
    return Line("speed", "ok", f"first output after {firsts[0]:.2f} s, at the end after {firsts[-1]:.2f} s{rate}")
