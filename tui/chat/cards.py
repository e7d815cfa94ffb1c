"""Memory operations in the transcript: one line in words that opens to arguments, result, hits and SQL."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.highlight import highlight
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, Static

from memagent.config import Expand
from tui.text import block, content_line, line
from tui.views import Card, Section, Tone

if TYPE_CHECKING:
    from memagent.agent.policy import Write

TONES: Mapping[Tone, str] = {
    "write": "$text-success",
    "read": "$text-accent",
    "forget": "$text-warning",
    "plain": "$foreground 70%",
    "failed": "$foreground 70%",
}
SECTION = 6000  # characters of one section of an opened card
INDENT = "      "
SCROLLBAR = 2  # columns that a scroll bar may take once the card is open
LEAST = 20  # columns of an opened card


class ToolCard(Static, can_focus=True):
    """A tool call. A failed one stays grey until the turn ends, and turns red only if the model did not mend it."""

    HELP = """
## Memory operation

One call of a tool, in words: what it did and how long it took.

- **Enter** or **Space** opens it: arguments, result, hits with channel and score, and the SQL that ran
- **m** shows the memory in the browser
- **y** copies everything in the card
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "open", "Open", id="card.open"),
        Binding("m", "memory", "Show memory", id="card.memory"),
        Binding("y", "copy", "Copy", id="card.copy"),
    ]
    opened = reactive(False, layout=True)

    class Asked(Message):
        """The person wants to see the memory `fact_id`, or to have `text` copied."""

        def __init__(self, fact_id: int | None = None, text: str | None = None) -> None:
            super().__init__()
            self.fact_id = fact_id
            self.text = text

    def __init__(self, card: Card, name: str, open_cards: Expand = "never") -> None:
        super().__init__(markup=False, classes=f"card -{card.tone}")
        self.card = card
        self.tool = name
        self.unmended = False
        self.set_reactive(ToolCard.opened, open_cards == "always" or (open_cards == "errors" and card.tone == "failed"))

    def on_mount(self) -> None:
        self.update(self._content())

    def watch_opened(self) -> None:
        if self.is_mounted:
            self.update(self._content())

    def settle(self, mended: bool) -> None:
        """The turn has ended: a failed call that nothing mended is an error now."""
        if self.card.tone == "failed" and not mended:
            self.unmended = True
            self.add_class("-unmended")
            self.update(self._content())

    def _content(self) -> Content:
        card = self.card
        style = "$text-error" if self.unmended else TONES[card.tone]
        parts: list[Content] = [
            Content.styled("▾ " if self.opened else "▸ ", "$foreground 45%"),
            Content.styled(f"{card.sign} ", f"bold {style}"),
            content_line(card.words, style),
            Content.styled(f" · {card.note}", "$foreground 45%"),
        ]
        if card.before is not None and card.after is not None:
            parts += [
                Content.styled("\n    − ", "$text-error"),
                content_line(card.before, "$text-error"),
                Content.styled("\n    + ", "$text-success"),
                content_line(card.after, "$text-success"),
            ]
        if self.opened:
            room = max(self.content_size.width - len(INDENT) - SCROLLBAR, LEAST)
            parts += [_section(section, room) for section in card.sections]
        return Content.assemble(*parts)

    def action_open(self) -> None:
        self.opened = not self.opened

    def action_memory(self) -> None:
        if self.card.fact_id is not None:
            self.post_message(self.Asked(fact_id=self.card.fact_id))

    def action_copy(self) -> None:
        texts = [self.card.words, *(f"{section.title}:\n{section.text}" for section in self.card.sections)]
        self.post_message(self.Asked(text="\n\n".join(texts)))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_open()


def _section(section: Section, width: int) -> Content:
    """A titled text, its long lines wrapped under their beginnings."""
    wrapped = [
        row
        for row_text in block(section.text, SECTION).splitlines()
        for row in wrap(row_text, width, subsequent_indent="  ", drop_whitespace=True) or [""]
    ]
    shown = "\n".join(INDENT + row for row in wrapped)
    title = Content.styled(f"\n    {line(section.title)}\n", "bold $foreground 70%")
    return Content.assemble(title, highlight(shown, language="sql") if section.sql else Content(shown))


class Consent(Vertical):
    """A write that waits for the person: what it would do, and two answers."""

    HELP = """
## May it write?

In memory mode **ask** each write waits here. **y** allows it, **n** does not; **Esc** stops the whole turn.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Allow", id="consent.allow"),
        Binding("n", "answer(False)", "Don't", id="consent.deny"),
        Binding("left,right", "app.focus_next", "", show=False),
    ]

    class Answered(Message):
        """The person's answer."""

        def __init__(self, allowed: bool) -> None:
            super().__init__()
            self.allowed = allowed

    def __init__(self, write: Write) -> None:
        super().__init__(classes="consent")
        self.write = write

    def compose(self) -> ComposeResult:
        words, before, after = self.write.words
        self.border_title = "May it write?"
        yield Static(content_line(f"{words}?", "bold"), markup=False)
        if before is not None:
            yield Static(Content.assemble(("− ", "$text-error"), content_line(before, "$text-error")), markup=False)
        if after is not None:
            yield Static(Content.assemble(("+ ", "$text-success"), content_line(after, "$text-success")), markup=False)
        with Horizontal():
            yield Button("Allow (y)", id="allow", variant="success", compact=True)
            yield Button("Don't (n)", id="deny", variant="error", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_answer(event.button.id == "allow")

    def action_answer(self, allowed: bool) -> None:
        self.post_message(self.Answered(allowed))
