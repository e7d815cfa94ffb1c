"""The pictures of the README, drawn by the running application with the shipped model: python -m tui.pictures FOLDER

`same` tells whether two drawings show the same: durations differ from run to run, and the widths that follow from them.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import TextArea

from memagent.config import Settings, load_settings
from tui.app import MemagentApp
from tui.chat.cards import ToolCard
from tui.chat.composer import Composer
from tui.chat.screen import ChatScreen

SIZE = (120, 36)
MARCH_2 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARCH_21 = datetime(2026, 3, 21, 18, 30, tzinfo=UTC)
TOLD = (
    ("my sister Ingrid lives in Trondheim", "the boiler gets its service from a company called Hartnell"),
    ("I'm allergic to walnuts", "our dog is called Biscuit", "my dentist is Dr. Okafor"),
)
ASKED = ("who looks after the boiler?", "Ingrid has moved to Bergen", "where does my sister live now?")
DURATION = re.compile(r"\d[\d.]*|ms|s|[│─▔▁▂▃▄▅▆▇█▏]*")  # a number or a unit; and frames, which tell nothing
PATIENCE = 60.0


def settings_at(home: Path, now: datetime) -> Settings:
    return load_settings(home=home, store_url=f"sqlite:///{home / 'memory.db'}", now=now, theme="memagent-night")


def tell(home: Path) -> None:
    """The conversations before the one in the picture."""
    from memagent.agent.assemble import open_agent
    from memagent.agent.turn import run_turn

    with open_agent(settings_at(home, MARCH_2), "now") as agent:
        for messages in TOLD:
            session = agent.store.start_session(model=agent.model_name, title=messages[0])
            for message in messages:
                list(run_turn(agent, session.id, message))


async def draw(home: Path) -> dict[str, str]:
    """The pictures, as SVG, by name."""
    app = MemagentApp(settings_at(home, MARCH_21))
    pictures = {}
    try:
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.model_state == "ready" and isinstance(app.screen, ChatScreen))
            for name, act in ACTS.items():
                await act(app, pilot)
                for field in app.screen.query(TextArea):
                    field.cursor_blink = False
                await pilot.pause(0.5)
                pictures[name] = app.export_screenshot(title="memagent")
    finally:
        app.close()
    return pictures


async def until(pilot: Pilot[Any], true: Callable[[], object]) -> None:
    """Wait for what the screen does in its own time. Raises TimeoutError."""
    give_up = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > give_up:
            raise TimeoutError("the picture did not come about")
        await pilot.pause(0.05)


async def _chat(app: MemagentApp, pilot: Pilot[Any]) -> None:
    screen = app.screen
    assert isinstance(screen, ChatScreen)
    for message in ASKED:
        screen.query_one(Composer).put(message)
        await pilot.press("enter")
        await until(pilot, lambda: not screen.busy)
    await pilot.pause(1.5)  # the feed looks at the log once a second


async def _card(app: MemagentApp, pilot: Pilot[Any]) -> None:
    update = next(card for card in app.screen.query(ToolCard) if card.card.before is not None)
    update.focus()
    await pilot.press("enter")
    update.scroll_visible(animate=False, top=True)


async def _memories(app: MemagentApp, pilot: Pilot[Any]) -> None:
    await pilot.press("f3")
    await pilot.pause(1.0)


async def _sql(app: MemagentApp, pilot: Pilot[Any]) -> None:
    await pilot.press("f4")
    await pilot.pause(1.0)
    await pilot.press("f5")
    await pilot.pause(1.0)


async def _sessions(app: MemagentApp, pilot: Pilot[Any]) -> None:
    await pilot.press("f6")
    await pilot.pause(1.0)


ACTS: Mapping[str, Callable[[MemagentApp, Pilot[Any]], Awaitable[None]]] = {
    "chat": _chat,
    "card": _card,
    "memories": _memories,
    "sql": _sql,
    "sessions": _sessions,
}


def same(one: str, other: str) -> bool:
    """Whether two drawings show the same words in the same colours."""
    return _words(one) == _words(other) and _colours(one) == _colours(other)


def _words(svg: str) -> Counter[str]:
    """The words and how often each is there; without durations, and without order, since lines wrap around those."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    words = re.split(r"[\s\xa0·]+", " ".join(map(unescape, texts)))
    return Counter(word for word in words if not DURATION.fullmatch(word))


def _colours(svg: str) -> set[str]:
    return set(re.findall(r"fill: (#[0-9a-f]{6})", svg))


def make() -> dict[str, str]:
    """Draw all pictures, in a home of their own; the clock and the time zone are fixed."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            tell(home)
            return asyncio.run(draw(home))
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in make().items():
        (folder / f"{name}.svg").write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
