"""Small windows over a screen: a text in full, and a question with one line for the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from memagent.errors import MemagentError
from tui.text import content, content_line
from tui.widgets import Field

if TYPE_CHECKING:
    from tui.app import MemagentApp

FULL = 100_000  # characters of a text that is shown in full; a megabyte takes seconds to lay out
T = TypeVar("T")


class Dialog(ModalScreen[T | None], Generic[T]):
    """A window over a screen, closed with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close", id="dialog.close")]

    @property
    def memagent(self) -> MemagentApp:
        """The application, in its own type."""
        from tui.app import MemagentApp

        app = self.app
        assert isinstance(app, MemagentApp)
        return app

    def action_close(self) -> None:
        """Leave without a result."""
        self.dismiss(None)


class TextDialog(Dialog[None]):
    """A text in full, to read, scroll and copy."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,space,enter", "close", "Close", id="text.close", show=False),
        Binding("y", "copy", "Copy", id="text.copy"),
    ]

    def __init__(self, title: str, text: str, note: str = "") -> None:
        super().__init__(classes="dialog -large")
        self._title, self._text, self._note = title, text, note

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = content_line(self._title, limit=60)
            window.border_subtitle = content_line(self._note or "y copy · Esc close", limit=80)
            with VerticalScroll():
                yield Static(content(self._text, limit=FULL), markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_copy(self) -> None:
        """Copy the whole text."""
        self.memagent.copy_text(self._text)


class AskDialog(Dialog[str]):
    """A question answered on one line. The answer is tried before the window closes, so that no typing is lost."""

    def __init__(self, question: str, value: str, attempt: Callable[[str], Awaitable[None]]) -> None:
        super().__init__(classes="dialog")
        self._question, self._value, self._attempt = question, value, attempt

    def compose(self) -> ComposeResult:
        with Vertical(classes="window") as window:
            window.border_title = content_line(self._question, limit=70)
            window.border_subtitle = content_line("Enter accept · Esc leave")
            yield Field(self._value, id="answer")
            yield Static("", markup=False, classes="fault")

    @on(Input.Submitted)
    def accept(self, event: Input.Submitted) -> None:
        """Try the answer."""
        event.stop()
        self._try(event.value)

    @work(exclusive=True, group="attempt")
    async def _try(self, answer: str) -> None:
        try:
            await self._attempt(answer)
        except MemagentError as error:
            self.query_one(".fault", Static).update(content(f"{error.message}\n{error.hint}".strip()))
        else:
            self.dismiss(answer)
