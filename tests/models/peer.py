"""An OpenAI-compatible server that replays streams as real servers send them, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

STREAMS = Path(__file__).parent / "streams"


@dataclass
class Answer:
    """What the server does with one request: a stream by its name, or a status with a JSON body."""

    stream: str = ""
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    reply: Callable[[dict[str, Any]], Answer | str] | None = None  # made from the request
    pause: float = 0.0  # seconds before the first piece, and between the pieces where `pieces` is set
    pieces: bool = False


class Peer:
    """Listens on a free port of the loopback. Chat requests take the next answer; the last one is repeated."""

    def __init__(self, *answers: Answer | str, models: Any = None, pages: Mapping[str, Any] | None = None) -> None:
        self.answers = [Answer(answer) if isinstance(answer, str) else answer for answer in answers]
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.broken = threading.Event()  # a client went away in mid-stream
        self.models = {"data": [{"id": "m", "object": "model"}]} if models is None else models
        self.pages = dict(pages or {})
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                return

            def do_GET(self) -> None:
                peer.get(self)

            def do_POST(self) -> None:
                peer.post(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        self.paths.append(handler.path)
        self.headers.append({key.lower(): value for key, value in handler.headers.items()})
        if handler.path == "/v1/models":
            answer = self.models if isinstance(self.models, Answer) else Answer(body=self.models)
            return self.send(handler, answer.status, answer.body)
        if handler.path in self.pages:
            return self.send(handler, 200, self.pages[handler.path])
        self.send(handler, 404, {"error": {"message": "not found"}})

    def post(self, handler: BaseHTTPRequestHandler) -> None:
        self.paths.append(handler.path)
        self.headers.append({key.lower(): value for key, value in handler.headers.items()})
        self.requests.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.reply is not None:
            made = answer.reply(self.requests[-1])
            if isinstance(made, str):
                return self.say(handler, made)
            answer = made
        if not answer.stream:
            time.sleep(answer.pause)
            return self.send(handler, answer.status, answer.body, answer.headers)
        data = (STREAMS / f"{answer.stream}.sse").read_bytes()
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        pieces = [data[at : at + 40] for at in range(0, len(data), 40)] if answer.pieces else [data]
        try:
            for piece in pieces:
                time.sleep(answer.pause)
                handler.wfile.write(piece)
                handler.wfile.flush()
        except OSError:
            self.broken.set()
        handler.close_connection = True

    def say(self, handler: BaseHTTPRequestHandler, text: str) -> None:
        """A stream that says a text, with a count of the request by this server's own measure."""
        deltas = [{"content": text[at : at + 9]} for at in range(0, len(text), 9)]
        chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": size(self.requests[-1]), "completion_tokens": len(deltas)}
        chunks.append({"choices": [], "usage": usage})
        data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        self.send(handler, 200, data.encode(), kind="text/event-stream")

    @staticmethod
    def send(
        handler: BaseHTTPRequestHandler,
        status: int,
        body: Any,
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def __enter__(self) -> Peer:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


def size(request: Mapping[str, Any]) -> int:
    """Tokens of a request as a server with a vocabulary of its own counts them: four characters each, and its frame."""
    texts = [str(message["content"]) + json.dumps(message.get("tool_calls", "")) for message in request["messages"]]
    tools = json.dumps(request.get("tools", ""))
    return sum(len(text) // 4 + 6 for text in [*texts, tools])
