"""What all screens share: the bar with the four places at the top, the keys at the bottom, and access to the app."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.text import content_line

if TYPE_CHECKING:
    from tui.app import MemagentApp

PLACES = {"chat": ("F2", "Chat"), "memories": ("F3", "Memories"), "sql": ("F4", "SQL"), "sessions": ("F6", "Sessions")}


class PlaceTab(Static):
    """The name of one screen in the top bar; a click goes there."""

    def __init__(self, place: str, here: bool) -> None:
        key, name = PLACES[place]
        super().__init__(content_line(f"{name} {key}"), markup=False, classes="place -here" if here else "place")
        self.place = place

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.app.run_worker(self.app.run_action(f"go('{self.place}')"))


class TopBar(Horizontal):
    """The program's name, the four places, and what holds everywhere: the model and the memory mode."""

    status: reactive[str] = reactive("")

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def compose(self) -> ComposeResult:
        yield Static("memagent", classes="brand", markup=False)
        for place in PLACES:
            yield PlaceTab(place, place == self.place)
        yield Static("", classes="status", markup=False)

    def watch_status(self, status: str) -> None:
        for found in self.query(".status").results(Static):
            found.update(content_line(status))


class Page(Screen[None]):
    """A screen of the application. Subclasses set `PLACE` and yield their widgets from `compose_page`."""

    PLACE: ClassVar[str]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-high"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "app.go('chat')", "Chat", id="go.chat", show=False, priority=True),
        Binding("f3", "app.go('memories')", "Memories", id="go.memories", show=False, priority=True),
        Binding("f4", "app.go('sql')", "SQL", id="go.sql", show=False, priority=True),
        Binding("f6,ctrl+r", "app.go('sessions')", "Sessions", id="go.sessions", show=False, priority=True),
    ]

    @property
    def memagent(self) -> MemagentApp:
        """The application, in its own type."""
        from tui.app import MemagentApp

        app = self.app
        assert isinstance(app, MemagentApp)
        return app

    def compose(self) -> ComposeResult:
        yield TopBar(self.PLACE)
        yield from self.compose_page()
        yield Footer()

    @on(events.Mount)
    def _show_state_first(self) -> None:
        self.call_after_refresh(self.memagent.show_state)

    def palette_actions(self) -> list[tuple[str, str, Callable[[], object]]]:
        """What the command palette offers on this screen: name, help, what to call."""
        return []

    def show_state(self) -> None:
        """Called when the model's state or the memory mode has changed."""

    @abstractmethod  # without ABC, whose metaclass is not Textual's: it is mypy that refuses a page without it
    def compose_page(self) -> ComposeResult:
        """The widgets between the bar and the footer."""
