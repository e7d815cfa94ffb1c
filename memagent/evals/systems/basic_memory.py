"""Basic Memory (notes in Markdown, searched by SQLite full text) through its own MCP server, in this process.

A turn is a note. Its vectors come from models that it downloads, so it searches by words. It keeps global state, so one
server serves all memories, each in a project of its own; its event loop runs in a thread.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from memagent.errors import ModelError
from memagent.evals.systems.index import Index, IndexSystem, library

INSTALL = "'basic-memory>=0.23'"  # needs Python 3.12, so it is in no extra
PATIENCE = 120.0  # seconds
FOLDER = "turns"
MOST = 100  # notes on a page


class Server:
    """The MCP server, and a client of it."""

    def __init__(self) -> None:
        """Start it. Raises InputError where it is not installed, ModelError where it does not start."""
        self._folder = tempfile.TemporaryDirectory(prefix="memagent-basic-memory-", ignore_cleanup_errors=True)
        os.environ |= {
            "BASIC_MEMORY_CONFIG_DIR": f"{self._folder.name}/config",
            "BASIC_MEMORY_HOME": f"{self._folder.name}/notes",
            "BASIC_MEMORY_SEMANTIC_SEARCH_ENABLED": "false",
            "BASIC_MEMORY_FORCE_LOCAL": "true",
            "LOGFIRE_IGNORE_NO_CONFIG": "1",
        }
        log = library("loguru", INSTALL).logger
        log.remove()  # it would log every step to stderr
        self._server = library("basic_memory.mcp.server", INSTALL).mcp
        library("basic_memory.mcp.tools", INSTALL)
        log.remove()
        for name in [name for name in logging.root.manager.loggerDict if name.lower().startswith(("fastmcp", "mcp"))]:
            logging.getLogger(name).setLevel(logging.ERROR)
        self._client_type = library("fastmcp", INSTALL).Client
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="basic-memory", daemon=True)
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise ModelError("Basic Memory did not start", "leave it out of --system")
        atexit.register(self._close)

    def _run(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        async with self._client_type(self._server) as self._client:
            self._ready.set()
            await self._stop.wait()

    def _close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        self._folder.cleanup()

    def call(self, tool: str, **arguments: Any) -> Any:
        """What a tool gives."""
        answer = asyncio.run_coroutine_threadsafe(self._client.call_tool(tool, arguments), self._loop)
        return answer.result(PATIENCE).data


class Notes:
    """A project with a note for each text, named by its number."""

    def __init__(self, server: Server, project: str) -> None:
        self._server = server
        self._project = project

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        for number, text in zip(numbers, texts, strict=True):
            self._server.call(
                "write_note", title=str(number), content=text, directory=FOLDER, project=self._project,
                output_format="json",
            )  # fmt: skip

    def search(self, question: str, limit: int) -> list[tuple[int, float]]:
        if not question.strip():
            return []
        found = self._server.call(
            "search_notes", query=question, project=self._project, search_type="text", output_format="json",
            page_size=min(limit, MOST),
        )  # fmt: skip
        # the score is that of FTS5, lower is better; a note, and parts of it, may be there several times
        best: dict[int, float] = {}
        for hit in found["results"]:
            if hit["title"].isdecimal():
                best.setdefault(int(hit["title"]), -float(hit["score"]))
        return list(best.items())


@lru_cache(maxsize=1)
def _server() -> Server:
    return Server()


def basic_memory() -> IndexSystem:
    """Raises InputError where it is not installed."""
    library("basic_memory", INSTALL)

    @contextmanager
    def opened(folder: Path) -> Iterator[Index]:
        server, project = _server(), f"talk-{uuid4().hex}"
        server.call("create_memory_project", project_name=project, project_path=str(folder / "notes"))
        yield Notes(server, project)
        server.call("delete_project", project_name=project)

    return IndexSystem("basic-memory", opened)
