"""The transformers backend with a tiny model that knows a few turns by heart: calls, replies, reuse, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [local] is not installed")
pytest.importorskip("transformers", reason="the extra [local] is not installed")

from memagent.agent.assemble import Agent  # noqa: E402
from memagent.agent.turn import run_turn  # noqa: E402
from memagent.agent.window import SYSTEM  # noqa: E402
from memagent.conversation import ChatMessage, Event, Finished, TextDelta, ToolCall, ToolResult, ToolReturned  # noqa: E402
from memagent.errors import InputError, ModelError  # noqa: E402
from memagent.memory.store import MemoryStore  # noqa: E402
from memagent.models.chat_model import ChatRequest, Output, Usage  # noqa: E402
from memagent.models.local.chat import LocalModel  # noqa: E402
from memagent.models.local.detokenize import Pieces  # noqa: E402
from memagent.models.local.load import load_local  # noqa: E402
from memagent.tools.registry import TOOLS  # noqa: E402
from tests.models.local import taught, tiny  # noqa: E402

SCHEMAS = tuple(tool.schema() for tool in TOOLS.values())
AT = "2026-03-02T09:00:00+00:00"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def known() -> LocalModel:
    return load_local(str(taught.FOLDER), context_tokens=None, device="cpu")


@pytest.fixture
def model(known: LocalModel) -> LocalModel:
    known.drop_cache()
    return known


def request_for(*messages: ChatMessage) -> ChatRequest:
    return ChatRequest(SYSTEM, {}, (), messages, SCHEMAS, reply_tokens=96)


def text_of(outputs: Sequence[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


def answered(request: ChatRequest, calls: Sequence[ToolCall]) -> ChatRequest:
    """The request for the next step, when the calls have worked."""
    content = {"action": "added", **taught.CALL, "before": None, "also": []}
    results = [ChatMessage("tool", "", tool_result=ToolResult(c.id, c.name, True, content, "")) for c in calls]
    return replace(request, messages=(*request.messages, ChatMessage("assistant", "", tuple(calls)), *results))


def test_a_call_and_the_reply_to_its_result(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", taught.TOLD, at=AT))
    outputs = list(model.respond(request))
    calls = [output for output in outputs if isinstance(output, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == [("memory_add", taught.CALL)]
    assert text_of(outputs) == ""
    reply = list(model.respond(answered(request, calls)))
    assert text_of(reply) == taught.NOTED
    usage = reply[-1]
    assert isinstance(usage, Usage) and usage.prompt > usage.cached > 0


def test_after_a_call_nothing_is_read_twice(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", taught.TOLD, at=AT))
    calls = [output for output in model.respond(request) if isinstance(output, ToolCall)]
    first = model.last
    assert first is not None
    list(model.respond(answered(request, calls)))
    assert model.last is not None
    assert model.last.cached == first.prompt + len(first.reply) - 1  # the token that ended the reply was never read


def test_a_call_takes_less_than_half_of_the_forwards(model: LocalModel) -> None:
    plain = load_local(str(taught.FOLDER), context_tokens=None, device="cpu", drafts=False, constrained=False)
    request = request_for(ChatMessage("user", taught.TOLD, at=AT))
    for each in (model, plain):
        assert any(isinstance(output, ToolCall) for output in each.respond(request))
    assert model.last is not None and plain.last is not None
    assert model.last.reply == plain.last.reply
    assert model.last.forwards <= plain.last.forwards / 2


def test_the_text_comes_in_pieces_and_stops_between_two_tokens(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", taught.GREETED, at=AT))
    whole = list(model.respond(request))
    assert text_of(whole) == taught.GREETING
    model.drop_cache()
    plain = load_local(str(taught.FOLDER), context_tokens=None, device="cpu", drafts=False)
    pieces = plain.respond(request)
    assert text_of([next(pieces)]) != taught.GREETING
    request.cancel.set()
    assert list(pieces) == []
    request.cancel.clear()
    assert text_of(list(plain.respond(request))) == taught.GREETING


def test_counts_are_those_of_the_prompt(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", taught.TOLD, at=AT))
    assert model.exact_counts
    outputs = list(model.respond(request))
    usage = outputs[-1]
    assert isinstance(usage, Usage)
    assert usage.prompt == model.count_prompt(request)
    text = "Zoë said: 日本語 <|im_end|>"
    assert model.count_tokens([text, ""]) == [len(model.checkpoint.tokenizer.encode(text)), 0]


def test_a_prompt_that_does_not_fit_is_refused(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", "word " * 5000, at=AT))
    with pytest.raises(ModelError, match="tokens, the window"):
        list(model.respond(request))


def test_a_turn_keeps_what_was_told_and_answers_from_it(model: LocalModel, store: MemoryStore) -> None:
    agent = Agent(store, "taught")
    agent.give(model, None)
    session = store.start_session(model="taught").id

    def turn(text: str) -> Iterator[Event]:
        return run_turn(agent, session, text)

    events = list(turn(taught.TOLD))
    assert [event.result.ok for event in events if isinstance(event, ToolReturned)] == [True]
    assert isinstance(events[-1], Finished) and events[-1].grounded
    assert [(fact.subject, fact.attribute, fact.value) for fact in store.facts()] == [tuple(taught.CALL.values())]


def test_what_transformers_computes_wrongly_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mamba"}), encoding="utf-8")
    with pytest.raises(ModelError, match="refused: .* Mamba-1 wrongly"):
        load_local(str(tmp_path), context_tokens=None, device="cpu")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "no config.json"),
        ("{", "cannot be loaded|no valid JSON"),
        ('{"model_type": "t5"}', "does not continue text"),
        ('{"model_type": "bert"}', "no chat template|does not continue text|cannot be loaded"),
        ('{"model_type": "not-a-type"}', "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_chat_model_is_named(config: str | None, message: str, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(ModelError, match=message) as raised:
        load_local(str(tmp_path), context_tokens=None, device="cpu")
    assert raised.value.hint and "\n" not in raised.value.message


def test_a_checkpoint_without_template_or_weights_is_named(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "bare", "llama", template="")
    with pytest.raises(ModelError, match="no chat template"):
        load_local(str(folder), context_tokens=None, device="cpu")
    folder = tiny.save(tmp_path / "broken", "llama")
    (folder / "model.safetensors").write_bytes(b"none")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_local(str(folder), context_tokens=None, device="cpu")


def test_a_window_beyond_the_models_own_is_refused() -> None:
    with pytest.raises(InputError, match="has a window of"):
        load_local(str(taught.FOLDER), context_tokens=100_000, device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="no CUDA device"):
        load_local(str(taught.FOLDER), context_tokens=None, device="cuda:1:bf16")


def test_bf16_on_the_cpu_says_the_same() -> None:
    model = load_local(str(taught.FOLDER), context_tokens=None, device="cpu:bf16")
    assert model.checkpoint.model.dtype == torch.bfloat16
    outputs = list(model.respond(request_for(ChatMessage("user", taught.GREETED, at=AT))))
    assert text_of(outputs) == taught.GREETING


def test_generate_under_the_grammar_says_the_same(model: LocalModel) -> None:
    request = request_for(ChatMessage("user", taught.TOLD, at=AT))
    expected = list(model.respond(request))
    object.__setattr__(model.checkpoint, "own_loop", False)
    try:
        assert list(model.respond(request))[:-1] == expected[:-1]
    finally:
        object.__setattr__(model.checkpoint, "own_loop", True)


@pytest.mark.parametrize("text", ["Zoë 👩‍👩‍👧 日本語 ok", "a\n\n b", "…"])
def test_pieces_give_the_whole_text(text: str) -> None:
    tokenizer = tiny.tokenizer()
    pieces = Pieces(tokenizer)
    ids = tokenizer.encode(text, add_special_tokens=False)
    found = [pieces.feed([token]) for token in ids]
    assert "".join([*found, pieces.end()]) == text
    assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in found)
