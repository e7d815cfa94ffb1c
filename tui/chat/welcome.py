"""What a new person sees: what this is, and what to try."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.text import content_line

EXAMPLES = (
    ("my sister Ingrid lives in Trondheim", "stored, in your words"),
    ("where does Ingrid live?", "looked up, not guessed"),
    ("she has moved to Bergen", "corrected; the history stays"),
    ("forget where Ingrid lives", "erased for good"),
)


class Example(Static, can_focus=True):
    """Something to say; Enter or a click puts it into the input."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "take", "Try it", id="welcome.take")]

    class Taken(Message):
        """The person wants to say this."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, text: str, effect: str) -> None:
        words = Content.assemble(("❯ ", "bold $text-accent"), (f"{text:<38}", "bold"), (effect, "$foreground 70%"))
        super().__init__(words, markup=False, classes="example")
        self.text = text

    def action_take(self) -> None:
        self.post_message(self.Taken(self.text))

    def on_click(self) -> None:
        self.action_take()


class Welcome(Vertical):
    """The first screen: a few words, examples to try, where everything is kept."""

    def __init__(self, store: str, *, new: bool) -> None:
        super().__init__(classes="welcome")
        self.store = store
        self.new = new

    def compose(self) -> ComposeResult:
        if not self.new:
            yield Static(Content.styled("A new conversation. What was said before stays in memory.", "bold"))
            yield Static(Content.styled("Ctrl+R goes back to an earlier conversation.", "$foreground 70%"))
            return
        yield Static(Content.styled("A small model with a large memory.", "bold $text-primary"), classes="headline")
        yield Static(
            Content(
                "Tell it things in your own words and ask for them months later, in another conversation. You see "
                "every memory operation as it happens."
            ),
            markup=False,
        )
        yield Static(Content.styled("Try, in this order:", "$foreground 70%"), classes="try")
        for text, effect in EXAMPLES:
            yield Example(text, effect)
        yield Static(
            Content.styled(
                "F3 all memories · F4 SQL · F6 conversations · F1 help wherever you are",
                "$foreground 70%",
            ),
            classes="places",
        )
        kept = content_line(f"Everything is kept here: {self.store}", "$foreground 70%")
        yield Static(kept, markup=False, classes="kept")
