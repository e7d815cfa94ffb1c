"""The interface in a web browser: for its own page on this machine, and for nobody else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from memagent.memory.store import MemoryStore
from tests.tui.browser import chromium, open_browser

PATIENCE = 90.0  # seconds; the machine may be busy


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """`memagent tui --serve`, running."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "memagent", "tui", "--serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        give_up = time.monotonic() + PATIENCE
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < give_up
            time.sleep(0.05)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> str:
        """Stop it; what it said."""
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[1]


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    running = Served(home)
    yield running
    if running.process.poll() is None:
        running.end()


async def test_the_page_is_served_and_loads_nothing_from_elsewhere(served: Served) -> None:
    async with aiohttp.ClientSession() as session, session.get(served.url) as answer:
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "fonts.googleapis.com" not in policy


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Host": "evil.example"}),
        ("/", {"Origin": "http://evil.example"}),
        ("/ws", {"Origin": "http://evil.example"}),
        ("/ws", {"Host": "evil.example"}),
        ("/ws", {}),
        ("/static/js/textual.js", {"Host": "localhost.evil.example"}),
    ],
)
async def test_other_pages_and_names_are_refused(served: Served, path: str, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        if path == "/ws":
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(served.url + path, headers=headers)
            assert refused.value.status == 403
            return
        async with session.get(served.url + path, headers=headers) as answer:
            assert answer.status == 403


def test_it_says_that_there_is_no_login_and_listens_on_this_machine_only(served: Served) -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        own = socket.gethostbyname(socket.gethostname())
        assert own.startswith("127.") or probe.connect_ex((own, served.port)) != 0
    said = served.end()
    assert served.url in said
    assert "There is no login" in said


def test_a_port_that_is_taken_is_told_of(served: Served) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "memagent", "tui", "--serve", "--port", str(served.port)],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert result.returncode == 2
    assert f"port {served.port} cannot be used" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
async def test_in_a_browser_a_message_brings_a_reply_and_a_line_in_the_feed(served: Served, home: Path) -> None:
    async with open_browser(served.url) as browser:
        await browser.wait_for("ready", PATIENCE)
        await browser.focus()
        await browser.type("the boiler is serviced by Hartnell")
        await browser.wait_for("Hartnell", PATIENCE)
        seen = len(browser.received)
        await browser.enter()
        await browser.wait_for("tokens in", PATIENCE)
        await browser.wait_for("agent", PATIENCE)  # who asked, in the feed
        after = browser.received[seen:]
        assert "remembered" in after
        if os.environ.get("BROWSER_PICTURE"):
            await browser.picture(Path(os.environ["BROWSER_PICTURE"]))
    with MemoryStore.open(f"sqlite:///{home / 'memory.db'}", create=False) as store:
        assert [fact.value for fact in store.facts()] == ["Hartnell"]
