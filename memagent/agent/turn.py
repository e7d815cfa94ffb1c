"""One turn as a generator of events: store, recall, ask the model, run its tools, check, reply, store.

Front ends only render what it yields. The person's message is durable before anything else happens; whatever ends the
turn early (cancel, a model's fault) is the event `Failed`, and the events so far are kept with the message for replay.
Faults of ours raise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from memagent.agent.assemble import Agent
from memagent.agent.policy import MemoryPolicy
from memagent.agent.recall import recall
from memagent.agent.routing import Beside, Routing, invented
from memagent.agent.thinking import Attempts
from memagent.agent.window import Counter, Window, fill
from memagent.conversation import (
    ChatMessage,
    ContextUsage,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Recalled,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolResult,
    ToolReturned,
    Withdrawn,
    checked_message,
    event_to_dict,
)
from memagent.errors import InputError, ModelError
from memagent.memory.records import Message
from memagent.memory.redact import Redactor
from memagent.models.chat_model import ChatModel, ChatRequest, Confidence, Usage
from memagent.models.prompt import preamble
from memagent.tools.registry import TOOLS, run_tool
from memagent.tools.tool import ToolContext

MAX_CALLS = 24
IN_VIEW = 8  # the newest messages are sure to be in the window, so recall does not repeat them
HISTORY = 200  # messages looked at for the window; far more than fit
DECLINE = "I don't know: nothing in memory supports an answer."
WAIT = 0.05  # seconds between looks at the cancel event while models load


@dataclass
class Progress:
    """What a turn has done so far."""

    cancel: threading.Event
    context: ToolContext
    started: float
    events: list[Event] = field(default_factory=list)
    messages: list[ChatMessage] = field(default_factory=list)
    beside: Beside | None = None
    usage: ContextUsage | None = None
    counted: Usage | None = None  # by the model itself, in its last step
    confidence: float | None = None  # of the model in the answer of its last step
    calls: int = 0
    attempt: int = 0
    streamed: bool = False  # text of this turn is on the screen that no reply has been made of yet
    policy: MemoryPolicy = MemoryPolicy()

    @property
    def ended(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], Finished | Failed)

    def keep(self, event: Event) -> Event:
        self.events.append(event)
        return event

    def withdraw(self, missing: Sequence[str] = ()) -> Iterator[Event]:
        if self.streamed:
            self.streamed = False
            yield self.keep(Withdrawn(tuple(missing)))


@dataclass
class Step:
    """What one request to the model gave."""

    calls: list[ToolCall] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces).strip()


def run_turn(
    agent: Agent,
    session_id: int,
    text: str,
    *,
    cancel: threading.Event | None = None,
    policy: MemoryPolicy | None = None,
) -> Iterator[Event]:
    """Run one turn. Raises InputError for a message that cannot be kept; StoreError when the store fails."""
    started = time.perf_counter()
    store = agent.store
    checked_message(text)
    message = store.add_message(session_id, "user", text)
    progress = Progress(cancel or threading.Event(), ToolContext(store, session_id, message), started)
    progress.policy = policy or MemoryPolicy()
    try:
        yield from _steps(agent, progress, message)
    except (ModelError, InputError) as error:
        yield from _capture(progress)  # what was told is kept even where nobody answers
        yield from _failed(agent, progress, message, Failed(error.message, error.hint))
    except GeneratorExit:
        if not progress.ended:
            _keep_events(agent, progress, message, Failed("the front end left", cancelled=True))
        raise


def _steps(agent: Agent, progress: Progress, message: Message) -> Iterator[Event]:
    while not agent.ready.wait(WAIT):
        if progress.cancel.is_set():
            yield from _failed(agent, progress, message, _stopped())
            return
    model, count, routing = agent.model, agent.counter, agent.routing
    history = [m for m in agent.store.messages(message.session_id, before=message.id, limit=HISTORY) if m.content]
    said = ChatMessage("user", message.content, at=message.created_at.isoformat())
    progress.messages = [said]
    yield from _look_up(progress, routing, history, message)
    assert progress.beside is not None
    attempts = Attempts(routing)
    while not progress.cancel.is_set():
        window = _window(agent, progress, history)
        if progress.usage is None or window.usage.lost != progress.usage.lost:
            progress.usage = window.usage
            yield progress.keep(window.usage)
        step = Step()
        yield from _ask(model, progress, window.request, step, attempts)
        if progress.cancel.is_set():
            break
        attempts.charge(count, step.text, step.thoughts)
        if step.calls and progress.calls < MAX_CALLS:
            yield from progress.withdraw()
            evidence = _evidence(progress, window) if routing.quoting else None
            yield from _run_calls(progress, step.calls, progress.messages, evidence)
            continue
        attempt = attempts.weigh(step.text, _evidence(progress, window), check=progress.beside.checks)
        thinking = attempts.another()
        if thinking is not None:
            yield from progress.withdraw(attempt.missing)
            progress.attempt = thinking.attempt
            yield progress.keep(thinking)
            continue
        best = attempts.best
        if not best.sound or best.reply != step.text:
            yield from progress.withdraw(best.missing)
        yield from _capture(progress)
        yield from _finish(agent, progress, message, count, best.reply if best.sound else DECLINE, not best.missing)
        return
    yield from _failed(agent, progress, message, _stopped())


def _look_up(progress: Progress, routing: Routing, history: Sequence[Message], message: Message) -> Iterator[Event]:
    """What memory offers: automatic recall, then what the specialists look up for the message."""
    recalled = _recall(progress, message, history)
    yield progress.keep(recalled)
    spoken = [ChatMessage(m.role, m.content) for m in history]
    progress.beside = Beside(routing, progress.messages[0], spoken, recalled, [])
    if not progress.policy.recalls:
        return
    while not progress.cancel.is_set() and (calls := progress.beside.lookups()):
        yield from _run_calls(progress, calls, progress.beside.messages)
    progress.beside.read()


def _recall(progress: Progress, message: Message, history: Sequence[Message]) -> Recalled:
    if not progress.policy.recalls:
        return Recalled("", (), 0.0)
    before = next((m for m in reversed(history) if m.role == "user"), None)
    in_view = frozenset(m.id for m in history[-IN_VIEW:])
    return recall(progress.context, message.content, before, in_view)


def _capture(progress: Progress) -> Iterator[Event]:
    """Keep what the message told and the chat model did not."""
    if progress.beside is None or progress.cancel.is_set() or not progress.policy.writes:
        return
    made = [event.call for event in progress.events if isinstance(event, ToolReturned) and event.result.ok]
    yield from _run_calls(progress, progress.beside.writes(made), progress.beside.messages)


def _window(agent: Agent, progress: Progress, history: Sequence[Message]) -> Window:
    assert progress.beside is not None
    policy, routing = progress.policy, progress.beside.routing
    window = fill(
        agent.model,
        agent.counter,
        core=agent.store.core_blocks() if policy.recalls else [],
        recalled=progress.beside.hits,
        history=history,
        turn=progress.messages,
        tools=tuple(tool.schema() for tool in policy.offered(TOOLS)) if routing.tools else (),
        system=routing.system,
        notes=progress.beside.notes,
    )
    request = replace(
        window.request,
        cancel=progress.cancel,
        evidence_first=progress.attempt > 0,
        attempt=max(progress.attempt - 1, 0),
    )
    return replace(window, request=request)


def _ask(model: ChatModel, progress: Progress, request: ChatRequest, step: Step, attempts: Attempts) -> Iterator[Event]:
    """One request; text of the first attempt is shown as it comes where the model is one that streams."""
    for output in model.respond(request):
        if progress.cancel.is_set() or (progress.attempt and attempts.spent):
            break
        if isinstance(output, ToolCall):
            step.calls.append(output)
        elif isinstance(output, Usage):
            progress.counted = output
        elif isinstance(output, Confidence):
            progress.confidence = output.probability
        elif isinstance(output, ReasoningDelta):
            step.thoughts.append(output.text)
            yield output
        else:
            step.pieces.append(output.text)
            if model.live and not progress.attempt:
                progress.streamed = progress.streamed or bool(output.text.strip())
                yield output


def _run_calls(
    progress: Progress, calls: list[ToolCall], messages: list[ChatMessage], evidence: Sequence[str] | None = None
) -> Iterator[Event]:
    """Run calls in order; one that was already made in this turn is answered from the first.

    With `evidence`, a write of what nobody has said is not run: the model is told.
    """
    made = {
        (result.name, _key(call.arguments)): result
        for call, result in ((e.call, e.result) for e in progress.events if isinstance(e, ToolReturned))
    }
    calls = calls[: MAX_CALLS - progress.calls]
    if calls:
        messages.append(ChatMessage("assistant", "", tool_calls=tuple(calls)))
    for call in calls:
        if progress.cancel.is_set():
            return
        progress.calls += 1
        yield progress.keep(ToolCalled(call))
        known = made.get((call.name, _key(call.arguments))) if not call.fault else None
        result = replace(known, call_id=call.id, milliseconds=0.0) if known else _allowed(progress, call, evidence)
        made[call.name, _key(call.arguments)] = result
        messages.append(ChatMessage("tool", "", tool_result=result))
        yield progress.keep(ToolReturned(call, result))


def _allowed(progress: Progress, call: ToolCall, evidence: Sequence[str] | None) -> ToolResult:
    refused = (invented(call, evidence) if evidence else None) or progress.policy.refusal(progress.context, call)
    return refused or run_tool(progress.context, call)


def _finish(
    agent: Agent, progress: Progress, message: Message, count: Counter, reply: str, grounded: bool
) -> Iterator[Event]:
    """Store the reply with its events, then say it."""
    usage, counted = progress.usage, progress.counted
    finished = Finished(
        reply,
        (time.perf_counter() - progress.started) * 1000,
        counted.prompt if counted and counted.prompt else usage.used if usage is not None else 0,
        counted.reply if counted and counted.reply else count(reply),
        grounded,
        progress.confidence if grounded else None,
    )
    progress.keep(finished)
    redactor = _redactor(progress)
    kept = reply if redactor is None else redactor.redact(reply).text
    agent.store.add_message(
        message.session_id, "assistant", kept, tokens=finished.reply_tokens, events=_to_keep(progress)
    )
    for start in range(0, 0 if progress.streamed else len(reply), 24):
        yield TextDelta(reply[start : start + 24])
    yield finished


def _failed(agent: Agent, progress: Progress, message: Message, failed: Failed) -> Iterator[Event]:
    _keep_events(agent, progress, message, failed)
    yield failed


def _keep_events(agent: Agent, progress: Progress, message: Message, failed: Failed) -> None:
    progress.keep(failed)
    agent.store.set_events(message.id, _to_keep(progress))


def _to_keep(progress: Progress) -> list[dict[str, Any]]:
    """Events as they are stored; in a turn that erased something, without its words and without what memory offered."""
    redactor = _redactor(progress)
    if redactor is None:
        return [event_to_dict(event) for event in progress.events]
    kept = (event_to_dict(_without_hits(event)) for event in progress.events)
    return [{"event": data.pop("event"), **redactor.redact_json(data)} for data in kept]


def _redactor(progress: Progress) -> Redactor | None:
    """Takes what this turn erased out of what is stored after it; None where nothing was erased."""
    changes = [event.result.change for event in progress.events if isinstance(event, ToolReturned)]
    gone = [change["before"] for change in changes if change and change["action"] == "forgotten"]
    if not gone:
        return None
    return Redactor(
        [fact["value"] for fact in gone],
        [fact["text"] for fact in gone],
        [word for fact in gone for word in (fact["subject"], fact["attribute"])],
    )


def _without_hits(event: Event) -> Event:
    if isinstance(event, ToolReturned) and event.call.name == "memory_forget":
        return replace(event, result=replace(event.result, change=None))
    if isinstance(event, Recalled):
        return replace(event, query="", hits=())
    if isinstance(event, ToolReturned) and event.call.name == "memory_search":
        call = replace(event.call, arguments={})
        return ToolReturned(call, replace(event.result, content={"hits": []}, words="looked in memory"))
    if isinstance(event, ToolCalled) and event.call.name == "memory_search":
        return ToolCalled(replace(event.call, arguments={}))
    return event


def _evidence(progress: Progress, window: Window) -> list[str]:
    """All that the reply may draw names, numbers and dates from; not what the model itself has put into calls."""
    request = window.request
    texts = [message.content for message in request.messages] + [preamble(request, progress.messages[0])]
    for event in progress.events:
        if isinstance(event, ToolReturned):
            texts += _texts({key: value for key, value in event.result.content.items() if key != "query"})
        if isinstance(event, Recalled):
            texts += _texts(event.hits)
    return [*texts, *request.core.values()]


def _texts(value: Any) -> Iterator[str]:
    """All strings and numbers of a JSON value, as text."""
    if isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)


def _stopped() -> Failed:
    return Failed("stopped", "everything said so far is kept", cancelled=True)


def _key(arguments: Mapping[str, Any]) -> str:
    return repr(sorted(arguments.items()))
