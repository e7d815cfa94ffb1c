"""One turn as a generator of events: store, recall, ask the model, run its tools, check, reply, store.

Front ends only render what it yields. The person's message is durable before anything else happens; whatever ends the
turn early (cancel, a model's fault) is the event `Failed`, and the events so far are kept with the message for replay.
Faults of ours raise.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from memagent.agent.assemble import Agent
from memagent.agent.grounding import unsupported
from memagent.agent.policy import MemoryPolicy
from memagent.agent.recall import recall
from memagent.agent.window import Counter, Window, fill, render_message
from memagent.conversation import (
    ChatMessage,
    ContextUsage,
    Event,
    Failed,
    Finished,
    Recalled,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolResult,
    ToolReturned,
    checked_message,
    event_to_dict,
)
from memagent.errors import InputError, ModelError
from memagent.memory.records import CoreBlock, Message
from memagent.memory.redact import Redactor
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
    recalled: Recalled | None = None
    usage: ContextUsage | None = None
    calls: int = 0
    evidence_first: bool = False
    policy: MemoryPolicy = MemoryPolicy()

    @property
    def ended(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], Finished | Failed)

    def keep(self, event: Event) -> Event:
        self.events.append(event)
        return event


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
    model = agent.model
    count = Counter(model)
    history = [m for m in agent.store.messages(message.session_id, before=message.id, limit=HISTORY) if m.content]
    progress.recalled = _recall(progress, message, history)
    yield progress.keep(progress.recalled)
    progress.messages = [ChatMessage("user", message.content, at=message.created_at.isoformat())]
    schemas = tuple(tool.schema() for tool in progress.policy.offered(TOOLS))
    while True:
        if progress.cancel.is_set():
            yield from _failed(agent, progress, message, _stopped())
            return
        window = fill(
            model,
            count,
            core=_pinned(agent, progress),
            recalled=progress.recalled.hits,
            history=history,
            turn=progress.messages,
            tools=schemas,
        )
        if progress.usage is None:
            progress.usage = window.usage
            yield progress.keep(window.usage)
        request = replace(window.request, cancel=progress.cancel, evidence_first=progress.evidence_first)
        pieces: list[str] = []
        calls: list[ToolCall] = []
        for output in model.respond(request):
            if progress.cancel.is_set():
                break
            if isinstance(output, ToolCall):
                calls.append(output)
            else:
                pieces.append(output.text)
        if progress.cancel.is_set():
            yield from _failed(agent, progress, message, _stopped())
            return
        if calls and progress.calls < MAX_CALLS:
            yield from _run_calls(progress, calls)
            continue
        reply = "".join(pieces).strip()
        missing = unsupported(reply, _evidence(progress, window))
        if missing and not progress.evidence_first:
            progress.evidence_first = True
            continue
        yield from _finish(agent, progress, message, count, reply if reply and not missing else DECLINE, not missing)
        return


def _recall(progress: Progress, message: Message, history: list[Message]) -> Recalled:
    if not progress.policy.recalls:
        return Recalled("", (), 0.0)
    before = next((m.content for m in reversed(history) if m.role == "user"), "")
    in_view = frozenset(m.id for m in history[-IN_VIEW:])
    return recall(progress.context, message.content, before, in_view)


def _pinned(agent: Agent, progress: Progress) -> list[CoreBlock]:
    return agent.store.core_blocks() if progress.policy.recalls else []


def _run_calls(progress: Progress, calls: list[ToolCall]) -> Iterator[Event]:
    """Run calls in order; one that was already made in this turn is answered from the first."""
    made = {
        (result.name, _key(call.arguments)): result
        for call, result in ((e.call, e.result) for e in progress.events if isinstance(e, ToolReturned))
    }
    calls = calls[: MAX_CALLS - progress.calls]
    progress.messages.append(ChatMessage("assistant", "", tool_calls=tuple(calls)))
    for call in calls:
        if progress.cancel.is_set():
            return
        progress.calls += 1
        yield progress.keep(ToolCalled(call))
        known = made.get((call.name, _key(call.arguments)))
        result = replace(known, call_id=call.id, milliseconds=0.0) if known else _allowed(progress, call)
        made[call.name, _key(call.arguments)] = result
        progress.messages.append(ChatMessage("tool", "", tool_result=result))
        yield progress.keep(ToolReturned(call, result))


def _allowed(progress: Progress, call: ToolCall) -> ToolResult:
    return progress.policy.refusal(progress.context, call) or run_tool(progress.context, call)


def _finish(
    agent: Agent, progress: Progress, message: Message, count: Counter, reply: str, grounded: bool
) -> Iterator[Event]:
    """Store the reply with its events, then say it."""
    usage = progress.usage
    finished = Finished(
        reply,
        (time.perf_counter() - progress.started) * 1000,
        usage.used if usage is not None else 0,
        count(reply),
        grounded,
    )
    progress.keep(finished)
    redactor = _redactor(progress)
    kept = reply if redactor is None else redactor.redact(reply).text
    agent.store.add_message(
        message.session_id, "assistant", kept, tokens=finished.reply_tokens, events=_to_keep(progress)
    )
    for start in range(0, len(reply), 24):
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
    """All that the reply may draw names, numbers and dates from."""
    texts = [render_message(message) for message in window.request.messages]
    for event in progress.events:
        if isinstance(event, ToolReturned):
            texts += _texts(event.result.content)
        if isinstance(event, Recalled):
            texts += _texts(event.hits)
    return [*texts, *window.request.core.values()]


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
