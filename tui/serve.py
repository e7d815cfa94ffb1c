"""The interface in a web browser: one process of ours for each visitor, on this machine only, without a login.

Any web page that the person visits could try to reach a port of this machine. So a request must name the address that
is served, and a socket must come from its page; nothing is loaded from elsewhere.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from memagent.errors import InputError

HOST = "127.0.0.1"
ADVICE = """\
memagent is at {url}
There is no login: whoever can reach this address, every user of this machine included, can read and change the memory.
Ctrl+C ends it."""


def serve(port: int, arguments: Sequence[str]) -> None:
    """Serve until Ctrl+C. Raises InputError without textual-serve, and where the port is taken."""
    server = make_server(port, arguments)
    print(ADVICE.format(url=server.public_url), file=sys.stderr, flush=True)
    try:
        server.serve()
    except OSError as error:
        raise InputError(f"port {port} cannot be used: {error.strerror}", "choose another with --port") from None


def make_server(port: int, arguments: Sequence[str]) -> Any:
    """The server, of type `textual_serve.server.Server`, for `memagent tui` with these arguments."""
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise InputError("--serve needs textual-serve", "pip install 'memagent[web]'") from None

    address = f"{HOST}:{port}"
    policy = (
        f"default-src 'self'; connect-src 'self' ws://{address}; img-src 'self' data:; font-src 'self' data:; "
        "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; frame-ancestors 'none'"
    )

    @web.middleware
    async def guard(request: web.Request, handler: Callable[[web.Request], Awaitable[Any]]) -> Any:
        origin = request.headers.get("Origin")
        if request.host != address or origin not in (None, f"http://{address}"):
            return web.Response(status=403, text="this address is for the page it serves only\n")
        if request.path == "/ws" and origin is None:
            return web.Response(status=403, text="this socket is for the page it serves only\n")
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = policy
        return response

    class LoopbackServer(Server):  # type: ignore[misc]
        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(guard)
            return app

        def initialize_logging(self) -> None:
            """Its log would repeat what we say."""

        async def on_startup(self, app: Any) -> None:
            """Its banner would hide what we say."""

    command = shlex.join([sys.executable, "-m", "memagent", "tui", *arguments])
    return LoopbackServer(command, host=HOST, port=port, title="memagent", public_url=f"http://{address}")
