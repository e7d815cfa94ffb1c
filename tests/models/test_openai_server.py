"""Servers with the habits of Ollama, llama.cpp, vLLM, LM Studio and OpenAI are one and the same to the turn."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from memagent.conversation import ChatMessage, ReasoningDelta, TextDelta, ToolCall, ToolResult
from memagent.errors import ModelError
from memagent.models import openai_server
from memagent.models.chat_model import ChatRequest, Output, Usage
from memagent.models.openai_server import OpenAIServer, connect
from memagent.tools.registry import TOOLS
from tests.models.peer import Answer, Peer

pytest.importorskip("openai", reason="the extra [openai] is not installed")

ADD = ("memory_add", {"subject": "boiler", "attribute": "service", "value": "Hartnell"})
SEARCH = ("memory_search", {"query": "boiler"})
SCHEMAS = tuple(tool.schema() for tool in TOOLS.values())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key of whoever runs this, and no long waits."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(openai_server, "FIRST_DELAY", 0.02)
    yield


def request(**changes: Any) -> ChatRequest:
    said = ChatMessage("user", "who services the boiler?", at="2026-03-02T09:00:00+00:00")
    return ChatRequest(
        **{"system": "Be brief.", "core": {}, "recalled": (), "messages": (said,), "tools": SCHEMAS} | changes
    )


def asked(peer: Peer, given: ChatRequest | None = None) -> list[Output]:
    return list(connect(peer.url, "m", context_tokens=None).respond(given or request()))


def text(outputs: list[Output]) -> str:
    return "".join(output.text for output in outputs if isinstance(output, TextDelta))


def calls(outputs: list[Output]) -> list[tuple[str, dict[str, Any]]]:
    return [(output.name, dict(output.arguments)) for output in outputs if isinstance(output, ToolCall)]


# --- what servers do differently ---


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("ollama_parallel_calls", [ADD, SEARCH]),
        ("ollama_object_arguments", [ADD, SEARCH]),
        ("llamacpp_fragments", [ADD, SEARCH]),
        ("vllm_no_arguments", [("list_all", {})]),
        ("vllm_call_as_text", [ADD]),
        ("vllm_reason_without_call", []),
        ("gateway_new_id_each_fragment", [ADD]),
        ("lmstudio_empty_names", [ADD]),
        ("lmstudio_empty_ids", [ADD, SEARCH]),
        ("openai_interleaved", [ADD, SEARCH]),
    ],
)
def test_calls_of_every_server_are_read_alike(stream: str, expected: list[tuple[str, dict[str, Any]]]) -> None:
    with Peer(stream) as peer:
        outputs = asked(peer)
    assert calls(outputs) == expected
    made = [output for output in outputs if isinstance(output, ToolCall)]
    assert len({call.id for call in made}) == len(made) and all(call.id and not call.fault for call in made)
    assert "tool_call" not in text(outputs)


def test_reasoning_is_no_part_of_the_reply() -> None:
    with Peer("llamacpp_thought_in_text", "ollama_parallel_calls") as peer:
        outputs = asked(peer)
        thought = "".join(output.text for output in outputs if isinstance(output, ReasoningDelta))
        assert (thought, text(outputs)) == ("Let me see.", "It is Hartnell.")
        thought = "".join(output.text for output in asked(peer) if isinstance(output, ReasoningDelta))
        assert thought == "The user tells me something."


def test_usage_is_the_servers_own() -> None:
    with Peer("openai_interleaved") as peer:
        assert asked(peer)[-1] == Usage(640, 50, cached=512)


def test_arguments_that_were_cut_become_a_fault_that_the_model_is_told() -> None:
    with Peer("truncated_arguments") as peer:
        (call,) = [output for output in asked(peer) if isinstance(output, ToolCall)]
    assert "no valid JSON" in call.fault


def test_ids_are_unique_in_a_turn_even_where_the_server_repeats_them() -> None:
    first = ToolCall("call_k2x9d1aa", *ADD)
    result = ToolResult(first.id, first.name, True, {"action": "added"}, "")
    messages = (
        *request().messages,
        ChatMessage("assistant", "", tool_calls=(first,)),
        ChatMessage("tool", "", tool_result=result),
    )
    with Peer("ollama_parallel_calls") as peer:
        made = [output.id for output in asked(peer, request(messages=messages)) if isinstance(output, ToolCall)]
        sent = peer.requests[0]["messages"]
    assert first.id not in made and len(set(made)) == 2
    assert sent[-2]["tool_calls"][0]["function"]["arguments"].startswith('{"subject"'), "arguments travel as text"
    assert sent[-1] == {"role": "tool", "tool_call_id": first.id, "content": '{"action": "added"}'}


# --- what servers refuse ---


def test_what_a_server_does_not_take_is_left_out_from_then_on() -> None:
    refusals = [
        Answer(status=400, body={"error": {"message": "Unrecognized request argument: stream_options"}}),
        Answer(status=400, body={"error": {"message": "Unsupported value: 'temperature' must be 1"}}),
        Answer(status=400, body={"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'"}}),
    ]
    with Peer(*refusals, "openai_text") as peer:
        model = connect(peer.url, "m", context_tokens=None)
        assert text(list(model.respond(request()))) == "It is Hartnell."
        assert text(list(model.respond(request()))) == "It is Hartnell."
        assert len(peer.requests) == 5, "it was not refused a second time"
        last = peer.requests[-1]
    assert {"stream_options", "temperature", "max_tokens"} & set(last) == set()
    assert last["max_completion_tokens"] == request().reply_tokens


@pytest.mark.parametrize(
    "words",
    [
        "registry.ollama.ai/library/gemma:2b does not support tools",
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "tools param requires --jinja flag",
    ],
)
def test_a_server_without_tools_is_used_without_and_says_so(words: str, caplog: pytest.LogCaptureFixture) -> None:
    with Peer(Answer(status=400, body={"error": {"message": words}}), "openai_text") as peer:
        with caplog.at_level(logging.WARNING):
            assert text(asked(peer)) == "It is Hartnell."
        assert "tools" in peer.requests[0] and "tools" not in peer.requests[1]
    assert "takes no tools" in caplog.text


def test_a_template_without_a_system_role_gets_the_instructions_with_the_first_message() -> None:
    refusal = Answer(status=500, body={"error": {"message": "Jinja Exception: System role not supported"}})
    with Peer(refusal, "openai_text") as peer:
        assert text(asked(peer)) == "It is Hartnell."
        (message,) = peer.requests[1]["messages"]
    assert message["role"] == "user" and message["content"].startswith("Be brief.")


# --- what goes wrong ---


def fails(peer: Peer) -> ModelError:
    with pytest.raises(ModelError) as caught:
        asked(peer)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("status", "words", "message", "hint"),
    [
        (401, "Incorrect API key provided: sk-secret-0123456789", "refuses the key", "MEMAGENT_API_KEY"),
        (404, 'model "m" not found, try pulling it first', "has no model 'm'", "it has: m"),
        (400, "This model's maximum context length is 4096 tokens", "too long", "context_tokens"),
        (500, "Jinja template error: unknown filter", "chat template of m failed", "--jinja"),
        (429, "You exceeded your current quota: insufficient_quota", "no more requests", "wait"),
        (418, "I'm a teapot", "failed (418): I'm a teapot", "log"),
    ],
)
def test_what_a_server_says_becomes_one_sentence_and_a_hint(status: int, words: str, message: str, hint: str) -> None:
    with Peer(Answer(status=status, body={"error": {"message": words}})) as peer:
        error = fails(peer)
        assert len(peer.requests) == 1, "asking again would not help"
    assert message in error.message and hint in error.hint
    assert "sk-secret" not in error.message


@pytest.mark.parametrize("body", [b"<html>502 Bad Gateway</html>", b"", {"detail": [{"msg": "no"}]}, ["x"]])
def test_an_error_that_is_no_json_of_openai_is_told_all_the_same(body: Any) -> None:
    with Peer(Answer(status=400, body=body)) as peer:
        assert "failed (400)" in fails(peer).message


def test_busy_servers_are_asked_again_and_waits_are_kept() -> None:
    busy = [
        Answer(status=429, body={"error": {"message": "slow down"}}, headers={"retry-after": "0.3"}),
        Answer(status=503, body={"error": {"message": "Loading model"}}),
        Answer(status=500, body={"error": {"message": "try later"}}),
    ]
    with Peer(*busy, "openai_text") as peer:
        started = time.monotonic()
        assert text(asked(peer)) == "It is Hartnell."
        assert time.monotonic() - started >= 0.3 and len(peer.requests) == 4


def test_a_server_that_stays_busy_is_given_up() -> None:
    with Peer(Answer(status=500, body={"error": {"message": "out of memory"}})) as peer:
        assert "out of memory" in fails(peer).message
        assert len(peer.requests) == openai_server.ATTEMPTS


def test_a_wait_can_be_cancelled() -> None:
    with Peer(Answer(status=429, body={"error": {"message": "slow"}}, headers={"retry-after": "15"})) as peer:
        given = request()
        threading.Timer(0.2, given.cancel.set).start()
        started = time.monotonic()
        assert asked(peer, given) == []
        assert time.monotonic() - started < 5


def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=f"nothing answers at http://127.0.0.1:{port}/v1") as error:
        connect(f"http://127.0.0.1:{port}/v1", "m", context_tokens=None)
    assert "start the server" in error.value.hint


def test_a_reply_that_is_cut_off_after_it_began_is_an_error_not_a_reply() -> None:
    with Peer("cut_in_mid_reply") as peer:
        outputs: list[Output] = []
        with pytest.raises(ModelError, match="cut its reply off"):
            outputs += connect(peer.url, "m", context_tokens=None).respond(request())
        assert len(peer.requests) == 1


def test_an_error_inside_the_stream_is_told() -> None:
    with Peer("error_in_stream") as peer:
        assert "CUDA out of memory" in fails(peer).message


def test_a_cancel_is_heeded_while_the_server_still_reads_and_it_is_told() -> None:
    with Peer(Answer("openai_text", pause=0.4, pieces=True)) as peer:
        given = request()
        cancelled: list[float] = []

        def cancel() -> None:
            while not peer.requests:
                time.sleep(0.02)
            time.sleep(0.2)
            cancelled.append(time.monotonic())
            given.cancel.set()

        threading.Thread(target=cancel, daemon=True).start()
        assert text(asked(peer, given)) != "It is Hartnell."
        assert time.monotonic() - cancelled[0] < 2
        assert peer.broken.wait(10), "the server would go on generating"


# --- keys, names, windows ---


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MEMAGENT_API_KEY", "key-of-mine-123")
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai-456")
    with Peer(Answer(status=401, body={"error": {"message": "bad key key-of-mine-123"}})) as peer:
        with caplog.at_level(logging.DEBUG):
            error = fails(peer)
        assert {headers.get("authorization") for headers in peer.headers} == {"Bearer key-of-mine-123"}
        assert "key-of" not in repr(peer.requests)
    assert "key-of" not in error.message + error.hint + caplog.text


def test_openais_key_is_sent_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai-456")
    assert openai_server.api_key("api.openai.com") == "key-of-openai-456"
    with Peer("openai_text") as peer:
        asked(peer)
        assert "key-of-openai-456" not in repr(peer.headers)


def listed(*names: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": name, **more} for name in names]}


def test_the_only_model_of_a_server_needs_no_name() -> None:
    with Peer("openai_text", models=listed("qwen3:4b")) as peer:
        assert connect(peer.url, "", context_tokens=None).name == "qwen3:4b"
    with Peer("openai_text", models=listed("a", "b")) as peer:
        with pytest.raises(ModelError, match="needs the name of a model") as error:
            connect(peer.url, "", context_tokens=None)
        assert error.value.hint == "it has: a, b"


def test_a_name_that_a_strict_server_does_not_list_is_refused_at_once() -> None:
    with Peer("openai_text", models=listed("qwen3:4b", "gemma:latest", owned_by="library")) as peer:
        with pytest.raises(ModelError, match="no model 'qwen3:8b'") as error:
            connect(peer.url, "qwen3:8b", context_tokens=None)
        assert "qwen3:4b" in error.value.hint
        assert connect(peer.url, "gemma", context_tokens=None).name == "gemma"


@pytest.mark.parametrize(
    ("models", "pages", "asked_for", "window"),
    [
        (listed("m", max_model_len=32768), {}, None, 8192),
        (listed("m", max_model_len=4096), {}, 16000, 4096),
        (listed("m", max_model_len=32768), {}, 16000, 16000),
        (listed("m"), {"/props": {"default_generation_settings": {"n_ctx": 6144}}}, None, 6144),
        (listed("m"), {"/api/ps": {"models": [{"name": "m:latest", "context_length": 5000}]}}, None, 5000),
        (listed("m"), {}, None, 4096),
        (listed("m"), {}, 20000, 20000),
        (Answer(status=404, body={"error": "no"}), {}, None, 4096),
        ({"data": None}, {"/props": ["x"]}, None, 4096),
    ],
)
def test_the_window_is_the_servers_where_it_tells(
    models: Any, pages: dict[str, Any], asked_for: int | None, window: int
) -> None:
    with Peer("openai_text", models=models, pages=pages) as peer:
        assert connect(peer.url, "m", context_tokens=asked_for).context_tokens == window


def test_estimates_are_labelled_and_follow_the_server() -> None:
    with Peer("openai_text") as peer:
        model: OpenAIServer = connect(peer.url, "m", context_tokens=None)
        assert not model.exact_counts
        before = model.count_prompt(request())
        for _ in range(30):
            list(model.respond(request()))
        after = model.count_prompt(request())
    assert after < before, "the server counted 500, far less than estimated"
    assert after >= 500, "and it stays on the safe side"
