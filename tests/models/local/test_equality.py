"""Our decoding gives the tokens of `generate()`: every architecture, with and without what is kept from before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [local] is not installed")
pytest.importorskip("transformers", reason="the extra [local] is not installed")

from memagent.conversation import ChatMessage, ToolCall, ToolResult  # noqa: E402
from memagent.models.chat_model import ChatRequest, Usage  # noqa: E402
from memagent.models.local import decoding  # noqa: E402
from memagent.models.local.chat import LocalModel  # noqa: E402
from memagent.models.local.families import TESTED  # noqa: E402
from memagent.models.local.load import load_local  # noqa: E402
from memagent.models.local.reference import reference  # noqa: E402
from memagent.models.prompt import chat_messages  # noqa: E402
from tests.models.local import tiny  # noqa: E402

REPLY = 16  # tokens
TOOLS = (
    {
        "type": "function",
        "function": {
            "name": "memory_search",
            "description": "Look in memory.",
            "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        },
    },
)
SAID = (
    "My sister Hanna lives in Porto",
    "Where does Hanna live?",
    "I moved to Ghent on 2026-03-02",
    "Und wo wohne ich? 👍",
    "What was the name of the service?",
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def hit(number: int) -> dict[str, object]:
    text = f"Hanna lives in Porto, house {number}"
    return {"id": number, "kind": "fact", "text": text, "date": "2026-03-01", "speaker": "user", "source": "said"}


def conversation() -> Iterator[ChatRequest]:
    """Five turns of one or two steps: what was said, a call and its result; then the next turn."""
    history: list[ChatMessage] = []
    for turn, said in enumerate(SAID):
        messages = [ChatMessage("user", said, at=f"2026-03-0{turn + 1}T09:00:00+00:00")]
        for step in range(1 + turn % 2):
            if step:
                call = ToolCall(f"{step}-call-0", "memory_search", {"query": f"{said} {step}"})
                result = ToolResult(call.id, call.name, True, {"hits": [hit(turn), hit(turn + 10)]}, "found")
                messages += [ChatMessage("assistant", "", (call,)), ChatMessage("tool", "", tool_result=result)]
            yield ChatRequest(
                "You remember what the person tells you.",
                {"person": "Ann"},
                (hit(50 + turn),),
                (*history, *messages),
                TOOLS,
                reply_tokens=REPLY,
            )
        history += [ChatMessage("user", said), ChatMessage("assistant", f"So it is: {said}.")]


def expected(model: LocalModel, request: ChatRequest) -> tuple[int, ...]:
    ids = model.template.encode(model.template.render(chat_messages(request), request.tools))
    return tuple(reference(model.checkpoint, ids, request.reply_tokens)[len(ids) :])


def said_by(model: LocalModel, request: ChatRequest) -> tuple[int, ...]:
    list(model.respond(request))
    assert model.last is not None
    return model.last.reply


def test_every_architecture_that_is_called_tested_is_tested_here() -> None:
    assert set(tiny.ARCHITECTURES) == TESTED


@pytest.mark.parametrize("architecture", sorted(tiny.ARCHITECTURES))
def test_five_turns_with_tools_give_the_tokens_of_generate(architecture: str, tmp_path: Path) -> None:
    folder = str(tiny.save(tmp_path, architecture))
    model = load_local(folder, context_tokens=None, device="cpu", constrained=False)
    fresh = load_local(folder, context_tokens=None, device="cpu", constrained=False, drafts=False)
    made: set[int] = set()
    kept = []
    for request in conversation():
        tokens = expected(model, request)
        assert said_by(model, request) == tokens
        assert model.last is not None
        kept.append(model.last.cached / model.last.prompt)
        made.update(tokens)
    assert said_by(fresh, request) == tokens
    assert fresh.last is not None and fresh.last.cached == 0
    assert len(made) > 20  # not one token again and again, which any cache would get right
    assert kept[0] == 0 and min(kept[1:]) > 0.4


@pytest.mark.parametrize("architecture", sorted(tiny.ARCHITECTURES))
def test_drafts_that_are_partly_right_change_no_token(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_local(str(tiny.save(tmp_path, architecture)), context_tokens=None, device="cpu", constrained=False)
    request = next(conversation())
    prompt = model.template.encode(model.template.render(chat_messages(request), TOOLS))
    tokens = expected(model, request)
    asked = []

    def oracle(ids: Sequence[int], size: int) -> list[int]:
        """Some right tokens, then wrong ones: none right, all right, and all between."""
        done = len(ids) - len(prompt)
        right = len(asked) % 5
        asked.append(right)
        wrong = [(token + 1) % 500 for token in tokens[done + right : done + 4]]
        return [*tokens[done : done + right], *wrong][:size]

    monkeypatch.setattr(decoding, "draft_from", oracle)
    assert said_by(model, request) == tokens
    assert len(asked) >= len(tokens) // 3
    assert model.last is not None
    croppable = architecture not in ("mamba2", "falcon_h1", "granitemoehybrid", "nemotron_h", "qwen3_next")
    assert (model.last.forwards < 0.75 * len(tokens)) == croppable


@pytest.mark.parametrize("architecture", ["llama", "gemma3_text", "lfm2", "falcon_h1"])
def test_a_reply_that_was_stopped_leaves_the_cache_right(architecture: str, tmp_path: Path) -> None:
    model = load_local(str(tiny.save(tmp_path, architecture)), context_tokens=None, device="cpu", constrained=False)
    for number, request in enumerate(conversation()):
        stopped = model.respond(request)
        next(stopped)
        stopped.close()  # type: ignore[attr-defined]
        request.cancel.set()
        assert not any(isinstance(output, Usage) for output in model.respond(request))
        request.cancel.clear()
        assert said_by(model, request) == expected(model, request)
        if number == 1:
            return


def test_a_type_that_is_not_known_runs_on_generate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memagent.models.local.checkpoint.TESTED", frozenset())
    folder = str(tiny.save(tmp_path, "llama"))
    assert load_local(folder, context_tokens=None, device="cpu").checkpoint.own_loop  # the trial found nothing wrong
    monkeypatch.setattr("memagent.models.local.checkpoint.cached_forwards_are_exact", lambda model: False)
    model = load_local(folder, context_tokens=None, device="cpu", constrained=False)
    assert not model.checkpoint.own_loop
    request = next(conversation())
    assert said_by(model, request) == expected(model, request)


def test_why_a_type_that_is_not_known_runs_on_generate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise TypeError("forward() got an unexpected keyword")

    monkeypatch.setattr("memagent.models.local.checkpoint.TESTED", frozenset())
    monkeypatch.setattr("memagent.models.local.checkpoint.KeptCache.forward", refuse)
    folder = str(tiny.save(tmp_path, "llama"))
    assert not load_local(folder, context_tokens=None, device="cpu").checkpoint.own_loop
    assert "TypeError: forward() got an unexpected keyword" in caplog.text


def test_further_attempts_differ_and_can_be_repeated(tmp_path: Path) -> None:
    from dataclasses import replace

    model = load_local(str(tiny.save(tmp_path, "llama")), context_tokens=None, device="cpu", constrained=False)
    request = next(conversation())
    first, again, other = (said_by(model, replace(request, attempt=number)) for number in (1, 1, 2))
    assert first == again != other
