"""Chat models behind an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, `transformers serve`, OpenAI.

The key comes from the environment (MEMAGENT_API_KEY; for api.openai.com also OPENAI_API_KEY) and goes into the
Authorization header, nowhere else. Optional parameters that a server refuses are left out from then on. Requests run in
a thread of their own, so that a cancel is heeded while the server is still reading the prompt.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from memagent.conversation import ToolCall
from memagent.errors import ModelError
from memagent.models.chat_model import ChatRequest, Output, Usage
from memagent.models.choose import DEFAULT_WINDOW
from memagent.models.counting import Estimate, openai_count
from memagent.models.openai_errors import Fault
from memagent.models.openai_stream import CUT, StreamReader
from memagent.models.prompt import PER_MESSAGE, chat_messages

LOG = logging.getLogger(__name__)

UNKNOWN_WINDOW = 4096  # where the server does not tell: the least that common servers run with
ATTEMPTS = 4
FIRST_DELAY = 0.5  # seconds; doubled with each attempt
LONGEST_DELAY = 20.0
LOADING = 120.0  # seconds that a server may take to load its model
CONNECT_SECONDS = 5.0
READ_SECONDS = 300.0  # between two pieces; a slow machine reads a long prompt for minutes
LOOK = 0.05  # seconds between looks at the cancel event
OTHER_TEMPERATURE = 0.8  # of further attempts
OPENAI = "api.openai.com"


class OpenAIServer:
    """One model of one server. Thread-safe; keeps nothing between requests but what the server has refused."""

    live = True

    def __init__(self, client: Any, base_url: str, name: str, *, context_tokens: int, secret: str = "") -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.exact_counts = False
        self.refused: set[str] = set()  # optional parameters that are left out
        self.available = ""  # a hint that names the server's other models
        self._client = client
        self._server = base_url
        self._secret = secret
        self._estimate = Estimate()
        self._count = openai_count(name)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """By the model's own ranks where they are at hand, else an estimate that follows the server's counts."""
        return (self._count or self._estimate)(texts)

    def count_prompt(self, request: ChatRequest) -> int:
        """All that is sent, with PER_MESSAGE for each message; the server's template is not known."""
        body = self._body(request)
        texts = [m["content"] + json.dumps(m.get("tool_calls", ""), ensure_ascii=False) for m in body["messages"]]
        tools = json.dumps(body["tools"], ensure_ascii=False) if body.get("tools") else ""
        return sum(self.count_tokens([*texts, tools])) + PER_MESSAGE * (1 + len(texts))

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        """One step. Raises ModelError."""
        started, attempt = time.monotonic(), 0
        while not request.cancel.is_set():
            shown = False
            try:
                for output in self._attempt(request):
                    shown = True
                    yield output
                return
            except ModelError:  # the stream broke off without an error
                attempt += 1
                if shown or attempt >= ATTEMPTS:
                    raise
                request.cancel.wait(FIRST_DELAY)
            except Exception as error:
                fault = Fault(error, self._secret)
                if shown:
                    raise ModelError(f"{CUT}: {fault.said}", "what was said is kept; ask again") from None
                if self._adapts(request, fault):
                    continue
                attempt += 1
                loading = fault.status == 503 and time.monotonic() - started < LOADING
                if not fault.passing or (attempt >= ATTEMPTS and not loading):
                    raise fault.as_error(self._server, self.name, self.available) from None
                asked = fault.retry_after
                delay = min(FIRST_DELAY * 2 ** (attempt - 1) * random.uniform(0.8, 1.2), LONGEST_DELAY)
                if asked is not None and asked > LONGEST_DELAY:
                    raise fault.as_error(self._server, self.name, self.available) from None
                request.cancel.wait(delay if asked is None else asked)

    def _attempt(self, request: ChatRequest) -> Iterator[Output]:
        step = sum(1 for message in request.messages if message.tool_calls)
        reader = StreamReader(_names(request.tools), turn=f"{step}-")
        body = self._body(request)
        taken = {call.id for message in request.messages for call in message.tool_calls}
        for chunk in _chunks(lambda: self._open(body), request.cancel):
            yield from reader.feed(chunk)
        if request.cancel.is_set():
            return
        for output in reader.end():
            if isinstance(output, Usage):
                self._learn(request, output)
            if isinstance(output, ToolCall) and output.id in taken:
                output = ToolCall(f"{step}-{output.id}", output.name, output.arguments, output.fault)
            yield output

    def _learn(self, request: ChatRequest, usage: Usage) -> None:
        if self._count is None:
            self._estimate.learn(self.count_prompt(request), usage.prompt)

    def _open(self, body: Mapping[str, Any]) -> Any:
        import openai

        return self._client.post(
            "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.Stream[object]
        )

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        """The request in OpenAI's form, without what this server has refused."""
        limit = "max_completion_tokens" if OPENAI in self._server or "max_tokens" in self.refused else "max_tokens"
        body: dict[str, Any] = {
            "model": self.name,
            "messages": self._messages(request),
            "stream": True,
            "stream_options": {"include_usage": True},
            limit: request.reply_tokens,
            "temperature": OTHER_TEMPERATURE if request.attempt else 0.0,
        }
        if request.attempt:
            body["seed"] = request.attempt
        if request.tools:
            body["tools"] = list(request.tools)
        return {key: value for key, value in body.items() if key not in self.refused}

    def _messages(self, request: ChatRequest) -> list[dict[str, Any]]:
        messages = [_sent(message) for message in chat_messages(request)]
        if "system" in self.refused:
            system, first, *rest = messages
            messages = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
        return messages

    def _adapts(self, request: ChatRequest, fault: Fault) -> bool:
        """Whether the request can be made again at once, without what the server does not take."""
        if fault.refuses_tools and request.tools and "tools" not in self.refused:
            LOG.warning(
                "%s takes no tools: %s; memory is used by the specialists alone. For vLLM start it with "
                "--enable-auto-tool-choice --tool-call-parser, for llama.cpp with --jinja",
                self.name,
                fault.said,
            )
            self.refused.add("tools")
            return True
        if fault.status in (400, 422, 500) and "system role" in fault.said.lower() and "system" not in self.refused:
            self.refused.add("system")
            return True
        for option in ("stream_options", "temperature", "seed", "max_tokens", "max_completion_tokens"):
            if fault.refuses(option) and option not in self.refused:
                self.refused.add(option)
                return True
        return False


def connect(base_url: str, name: str, *, context_tokens: int | None) -> OpenAIServer:
    """The model `name` of the server; its only one where `name` is empty. Raises ModelError.

    The window is the server's own, at most `context_tokens`, or DEFAULT_WINDOW where that is None.
    """
    try:
        import openai
    except ImportError:
        raise ModelError(
            "servers need the openai library, which is not installed", "pip install 'memagent[openai]'"
        ) from None
    host = urlsplit(base_url).hostname or ""
    secret = api_key(host)
    here = host in ("localhost", "::1") or host.startswith("127.")
    if secret and base_url.startswith("http://") and not here:
        LOG.warning("the key goes to %s without encryption; https:// would protect it", host)
    timeout = openai.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    client = openai.OpenAI(
        base_url=base_url,
        api_key=secret or "none",
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultHttpxClient(trust_env=not here, timeout=timeout),
    )
    server = _Server(client, base_url, secret)
    found = server.models()
    chosen = server.choose(name, found)
    told = server.window(chosen, found)
    asked = context_tokens or (DEFAULT_WINDOW if told or host == OPENAI else UNKNOWN_WINDOW)
    if told is not None and context_tokens is not None and context_tokens > told:
        LOG.warning("%s runs %s with a window of %d tokens, not %d", base_url, chosen, told, context_tokens)
    model = OpenAIServer(client, base_url, chosen, context_tokens=min(asked, told or asked), secret=secret)
    model.available = server.hint(found)
    return model


def api_key(host: str) -> str:
    """The key for a host, from the environment; OpenAI's own is sent to nobody else."""
    own = os.environ.get("OPENAI_API_KEY", "") if host == OPENAI else ""
    return (os.environ.get("MEMAGENT_API_KEY", "") or own).strip()


@dataclass(frozen=True)
class _Server:
    """What a server says about itself."""

    client: Any
    base_url: str
    secret: str

    def models(self) -> list[Mapping[str, Any]]:
        """Its models; empty where it does not list them. Raises ModelError where it cannot be used at all."""
        try:
            answer = self._get("/models")
        except Exception as error:
            fault = Fault(error, self.secret)
            if fault.status is None or fault.status in (401, 403):
                raise fault.as_error(self.base_url, "") from None
            return []
        data = answer.get("data") if isinstance(answer, Mapping) else None
        return [item for item in data or () if isinstance(item, Mapping) and isinstance(item.get("id"), str)]

    def choose(self, name: str, found: Sequence[Mapping[str, Any]]) -> str:
        """The model that is meant. A server that only runs what it lists is held to its list."""
        names = [item["id"] for item in found]
        if not name:
            if len(names) == 1:
                return str(names[0])
            raise ModelError(f"{self.base_url} needs the name of a model", self.hint(found) or "write .../v1#MODEL")
        strict = any(item.get("owned_by") in ("library", "vllm") for item in found)
        if strict and not {name, f"{name}:latest"} & set(names):
            raise ModelError(f"{self.base_url} has no model {name!r}", self.hint(found))
        return name

    def hint(self, found: Sequence[Mapping[str, Any]]) -> str:
        names = [item["id"] for item in found]
        return "it has: " + ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else ""

    def window(self, name: str, found: Sequence[Mapping[str, Any]]) -> int | None:
        """The window that the model runs with, in tokens; None where the server does not tell."""
        for item in found:
            if item["id"] == name:
                for key in ("max_model_len", "loaded_context_length", "context_length", "max_context_length"):
                    if isinstance(item.get(key), int) and item[key] > 0:
                        return int(item[key])
        root = self.base_url.removesuffix("/v1")
        props = self._look(f"{root}/props").get("default_generation_settings")  # llama.cpp
        if isinstance(props, Mapping) and isinstance(props.get("n_ctx"), int):
            return int(props["n_ctx"])
        for item in self._look(f"{root}/api/ps").get("models") or ():  # Ollama, where the model is loaded
            if isinstance(item, Mapping) and item.get("name") in (name, f"{name}:latest"):
                return int(item.get("context_length") or 0) or None
        return None

    def _look(self, url: str) -> Mapping[str, Any]:
        """What one kind of server answers; empty from all others."""
        import openai

        try:
            answer = self._get(url)
        except (openai.APIError, ValueError):
            return {}
        return answer if isinstance(answer, Mapping) else {}

    def _get(self, url: str) -> Any:
        return self.client.get(url, cast_to=object, options={"timeout": CONNECT_SECONDS * 2})


@dataclass
class _Pump:
    """Reads a stream in its own thread."""

    chunks: queue.SimpleQueue[Mapping[str, Any] | Exception | None] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)
    stream: Any = None

    def run(self, open_stream: Any) -> None:
        try:
            self.stream = open_stream()
            for chunk in () if self.stop.is_set() else self.stream:
                if self.stop.is_set():
                    break
                if isinstance(chunk, Mapping):
                    self.chunks.put(chunk)
            self.stream.close()
        except Exception as error:
            self.chunks.put(error)
        self.chunks.put(None)

    def abandon(self) -> None:
        """Let the thread end, and the server know: it would go on generating."""
        self.stop.set()
        network = self.stream.response.extensions.get("network_stream") if self.stream is not None else None
        peer = network.get_extra_info("socket") if network is not None else None
        if peer is not None:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended meanwhile


def _chunks(open_stream: Any, cancel: threading.Event) -> Iterator[Mapping[str, Any]]:
    """The chunks of a stream until its end or the cancel. Raises what opening or reading it raised."""
    pump = _Pump()
    threading.Thread(target=pump.run, args=(open_stream,), name="server", daemon=True).start()
    try:
        while not cancel.is_set():
            try:
                chunk = pump.chunks.get(timeout=LOOK)
            except queue.Empty:
                continue
            if chunk is None:
                return
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
    finally:
        pump.abandon()


def _names(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    return [tool["function"]["name"] for tool in tools]


def _sent(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as servers take it: arguments as text, and nothing that OpenAI does not know."""
    sent = {key: value for key, value in message.items() if key in ("role", "content", "tool_call_id")}
    if message.get("tool_calls"):
        sent["tool_calls"] = [
            {
                **call,
                "function": {
                    "name": call["function"]["name"],
                    "arguments": json.dumps(call["function"]["arguments"], ensure_ascii=False),
                },
            }
            for call in message["tool_calls"]
        ]
    return sent
