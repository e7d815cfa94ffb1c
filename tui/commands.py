"""The command palette: everything that can be done, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from textual.app import SystemCommand
from textual.screen import Screen

from memagent.config import MemoryMode, Mode
from tui.page import PLACES, Page

if TYPE_CHECKING:
    from tui.app import MemagentApp

WAYS: Mapping[Mode, str] = {
    "tools": "Only the chat model's own calls use memory",
    "auto": "Only the specialists use memory, for the chat model",
    "both": "The chat model and the specialists use memory",
}


def commands(app: MemagentApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """The commands for the screen that is shown, then those that hold everywhere."""

    def run(action: str) -> Callable[[], object]:
        return lambda: app.call_later(app.run_action, action, screen)

    if isinstance(screen, Page):
        for name, help, callback in screen.palette_actions():
            yield SystemCommand(name, help, callback)
    for place, (key, name) in PLACES.items():
        yield SystemCommand(f"Go to {name}", f"{key} does the same", run(f"app.go('{place}')"))
    for mode in get_args(MemoryMode):
        now = " (it is now)" if mode == app.memory_mode else ""
        yield SystemCommand(
            f"Memory: {mode}", f"What the agent may do with memory{now}", partial(app.set_memory_mode, mode)
        )
    for way, words in WAYS.items() if app.routed else ():
        now = " (it is now)" if way == app.settings.mode else ""
        yield SystemCommand(f"Mode: {way}", f"{words}{now}", partial(app.set_mode, way))
    for theme in sorted(app.available_themes):
        yield SystemCommand(f"Theme: {theme}", "Colours, kept for next time", partial(app.choose_theme, theme), False)
    yield SystemCommand("Theme…", "Choose colours from a list", app.action_change_theme)
    yield SystemCommand("Help", "Help for the focused part, with its keys", app.action_help)
    yield SystemCommand(
        "Save a picture", "The screen as an SVG file", lambda: app.set_timer(0.2, app.deliver_screenshot)
    )
    yield SystemCommand("Quit", "Leave; nothing is lost", run("app.quit"))
