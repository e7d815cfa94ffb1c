"""A headless Chromium, spoken to over its debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where it is installed; None where it is not."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page. `received` is all that its web sockets were sent, as text."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.received = ""
        self.refused: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
            elif data["method"] == "Network.webSocketFrameReceived":
                frame = data["params"]["response"]
                raw = base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else frame["payloadData"].encode()
                self.received += raw.decode(errors="replace")
            elif data["method"] == "Log.entryAdded":
                self.refused.append(data["params"]["entry"]["text"])

    async def do(self, method: str, **parameters: Any) -> Any:
        """Run one command of the protocol; its result."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        answer = await self._answers[number] if number in self._answers else None
        assert answer is None or "error" not in answer, answer
        return answer["result"] if answer else None

    async def focus(self) -> None:
        """Give the keyboard to the terminal in the page, as a click does."""
        await self.do("Runtime.evaluate", expression="document.querySelector('textarea').focus()")

    async def type(self, text: str) -> None:
        for character in text:
            await self.do("Input.dispatchKeyEvent", type="char", text=character, key=character)

    async def enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        await self.do("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **key)

    async def wait_for(self, text: str, seconds: float) -> None:
        """Wait until the page was sent this text."""
        give_up = time.monotonic() + seconds
        while text not in self.received:
            assert time.monotonic() < give_up, f"{text!r} did not come:\n{self.received[-2000:]}"
            await asyncio.sleep(0.05)

    async def picture(self, path: Path) -> None:
        """What the page looks like, as a PNG."""
        path.write_bytes(base64.b64decode((await self.do("Page.captureScreenshot"))["data"]))


@asynccontextmanager
async def open_browser(url: str) -> AsyncIterator[Browser]:
    """A page that shows `url`, in a Chromium of its own."""
    program = chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             f"--user-data-dir={folder}", "--window-size=1600,900", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with aiohttp.ClientSession() as session:
                port = await _port(Path(folder) / "DevToolsActivePort")
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    pages = await answer.json()
                address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    browser = Browser(socket)
                    for domain in ("Page", "Network", "Log", "Runtime"):
                        await browser.do(f"{domain}.enable")
                    await browser.do("Page.navigate", url=url)
                    yield browser
                    browser._reader.cancel()
        finally:
            process.terminate()
            process.wait(10)


async def _port(file: Path) -> int:
    give_up = time.monotonic() + 60
    while not file.exists() or not file.read_text():
        assert time.monotonic() < give_up, "Chromium did not start"
        await asyncio.sleep(0.05)
    return int(file.read_text().splitlines()[0])
