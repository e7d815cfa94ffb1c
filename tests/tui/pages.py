"""The application opened on one screen, over a store that the test holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

import tui.app
from memagent.agent.assemble import Agent
from memagent.config import load_settings
from memagent.memory.store import MemoryStore
from memagent.models.scripted import ScriptedModel
from tui.app import MemagentApp

KEYS = {" ": "space", ".": "full_stop", ",": "comma", "_": "underscore", "*": "asterisk", "(": "left_parenthesis",
        ")": "right_parenthesis", ";": "semicolon", "\n": "enter", "=": "equals_sign", "'": "apostrophe", "-": "minus",
        "/": "slash"}  # fmt: skip
HOSTILE = (
    "[/x] [bold]loud[/bold] [@click=app.quit]quit[/]",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "\u202etxet desrever \u2066\u200f עברית",
    "👩‍👩‍👧‍👦 e\u0301 \ufe0f \U000e0041",
    "null \0 byte, half \ud83d a character",
    "x" * 10_000,
    "lines\nand\ttabs\r\n\r\rreturns \u2028 \x0b \x0c",
)


class PageApp(MemagentApp):
    """Starts on one screen, and remembers all that it told the person."""

    CSS_PATH = [Path(tui.app.__file__).parent / path for path in MemagentApp.CSS_PATH]

    def __init__(self, place: str, agent: Agent) -> None:
        super().__init__(load_settings(), lambda settings: agent)
        self._modes["chat"] = MemagentApp.MODES[place]
        self.told: list[str] = []

    def tell(self, words: str, **how: Any) -> None:
        self.told.append(words)
        super().tell(words, **how)


def open_page(place: str, store: MemoryStore) -> PageApp:
    """The application, which starts on the screen called `place`."""

    agent = Agent(store, "scripted")
    agent.give(ScriptedModel(), None)
    return PageApp(place, agent)


async def until(pilot: Pilot[Any], true: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for what the screen does in its own time."""
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up, screen_text(cast(MemagentApp, pilot.app))
        await pilot.pause(0.02)
    await pilot.pause()


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type a text, key by key."""
    await pilot.press(*(KEYS.get(character, character) for character in text))


def screen_text(app: MemagentApp) -> str:
    """What the terminal shows, as plain lines."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    assert len(lines) == height and all(strip.cell_length <= width for strip in lines)
    return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def said(screen: Screen[Any], selector: str) -> str:
    """The plain text of a Static."""
    return str(screen.query_one(selector, Static).content)
