"""What our decoding saves with a checkpoint in this process: forwards for a call, tokens a second, the first token.

    python -m memagent.evals.bench.decoding --model FOLDER [--device cpu] [--turns 10] [--tell TEXT] [--ask TEXT]

*Plain* writes one token after the other, without a grammar; it is `generate()`, but for what that adds. Every turn is a
conversation of its own length: the one that is measured last has all the others before it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from memagent.agent.window import SYSTEM
from memagent.conversation import ChatMessage, ToolCall, ToolResult
from memagent.models.chat_model import ChatRequest
from memagent.models.local.chat import LocalModel
from memagent.models.local.load import load_local
from memagent.tools.registry import TOOLS

SCHEMAS = tuple(tool.schema() for tool in TOOLS.values())
AT = "2026-03-02T09:00:00+00:00"
TELL = "the boiler is serviced by Hartnell"
ASK = "who services the boiler?"
REPEATS = 5


@dataclass(frozen=True)
class Step:
    """One step of a turn."""

    first: float  # seconds to the first token
    seconds: float
    forwards: int
    tokens: int
    prompt: int
    cached: int
    calls: tuple[ToolCall, ...]


def run_step(model: LocalModel, request: ChatRequest) -> Step:
    """Run one request and measure it."""
    started = time.perf_counter()
    calls = [output for output in model.respond(request) if isinstance(output, ToolCall)]
    last = model.last
    assert last is not None
    seconds = time.perf_counter() - started
    return Step(last.first, seconds, last.forwards, len(last.reply), last.prompt, last.cached, tuple(calls))


def request_for(messages: Sequence[ChatMessage], tokens: int = 96) -> ChatRequest:
    return ChatRequest(SYSTEM, {}, (), tuple(messages), SCHEMAS, reply_tokens=tokens)


def conversation(model: LocalModel, said: str, turns: int) -> list[list[Step]]:
    """The steps of each turn; calls are answered as if they had worked."""
    history: list[ChatMessage] = []
    found = []
    for number in range(turns):
        messages = [ChatMessage("user", said, at=AT)]
        steps = []
        for _ in range(3):
            step = run_step(model, request_for([*history, *messages]))
            steps.append(step)
            if not step.calls:
                break
            messages.append(ChatMessage("assistant", "", step.calls))
            for call in step.calls:
                content = {"action": "added", **call.arguments, "before": None, "also": []}
                messages.append(ChatMessage("tool", "", tool_result=ToolResult(call.id, call.name, True, content, "")))
        history += [ChatMessage("user", f"{said} ({number})"), ChatMessage("assistant", f"That is noted, {number}.")]
        found.append(steps)
    return found


def generate_speed(model: LocalModel, request: ChatRequest, tokens: int) -> float:
    """Tokens a second of `generate()` for the same prompt, reading it included."""
    from memagent.models.local.reference import reference
    from memagent.models.prompt import chat_messages

    ids = model.template.encode(model.template.render(chat_messages(request), request.tools))
    started = time.perf_counter()
    made = len(reference(model.checkpoint, ids, tokens)) - len(ids)
    return made / (time.perf_counter() - started)


def best(measure: Callable[[], float]) -> float:
    return max(measure() for _ in range(REPEATS))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder with a checkpoint that calls tools")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--tell", default=TELL, help="a message that makes the model call a tool")
    parser.add_argument("--ask", default=ASK, help="a message that it answers")
    options = parser.parse_args(arguments)
    load = {"context_tokens": None, "device": options.device}
    ours = load_local(options.model, **load)
    plain = load_local(options.model, **load, drafts=False, constrained=False)
    rows: list[tuple[str, str, str]] = []
    request = request_for([ChatMessage("user", options.tell, at=AT)])
    steps = [run_step(model, request) for model in (ours, plain)]
    if steps[0].calls:
        names = ", ".join(call.name for call in steps[0].calls)
        rows.append((f"forwards for {names}, {steps[0].tokens} tokens", f"{steps[0].forwards}", f"{steps[1].forwards}"))
    else:
        rows.append(("forwards for a call", "none was made", ""))
    for name, said in (("call", options.tell), ("reply", options.ask)):
        asked = request_for([ChatMessage("user", said, at=AT)], 48)
        fresh = best(partial(speed, ours, asked, fresh=True))
        kept = best(partial(speed, ours, asked, fresh=False))
        reference = best(partial(generate_speed, plain, asked, 48))
        rows.append((f"tokens a second, {name}, the prompt read anew", f"{fresh:.1f}", f"{reference:.1f}"))
        rows.append((f"tokens a second, {name}, the prompt kept", f"{kept:.1f}", ""))
    ours.drop_cache()
    turns = conversation(ours, options.tell, options.turns)
    for number in (1, options.turns):
        step = turns[number - 1][0]
        rows.append((f"ms to the first token, turn {number}", f"{step.first * 1000:.0f}", ""))
        rows.append((f"tokens of the prompt read, turn {number}", f"{step.prompt - step.cached} of {step.prompt}", ""))
    later = [step for steps in turns for step in steps[1:]]
    if later:
        read = statistics.median(step.prompt - step.cached for step in later)
        rows.append(("tokens read after a tool's result, median", f"{read:.0f}", ""))
    print(f"\n{'decoding of ' + ours.name:60}{'ours':>16}{'generate()':>12}")
    for name, mine, theirs in rows:
        print(f"{name:60}{mine:>16}{theirs:>12}", flush=True)


def speed(model: LocalModel, request: ChatRequest, *, fresh: bool) -> float:
    """Tokens a second, with the prompt read from its beginning or kept from before."""
    if fresh:
        model.drop_cache()
    step = run_step(model, request)
    return step.tokens / step.seconds


if __name__ == "__main__":
    main()
