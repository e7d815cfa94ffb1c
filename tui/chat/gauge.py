"""How the model's window is filled."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from memagent.conversation import ContextUsage
from tui.views import Gauge, gauge_of

COLOURS = {
    "instructions": "$secondary",
    "pinned": "$warning",
    "recalled": "$accent",
    "recent": "$primary",
    "for the reply": "$foreground 40%",
    "free": "$foreground 20%",
}
MUTED = "$foreground 70%"
FULL, EMPTY = "━", "─"


class ContextGauge(Static, can_focus=True):
    """A bar and its legend: instructions, pinned, recalled, recent, kept for the reply, free, and what fell out."""

    HELP = """
## Context

How the model's window was filled in the latest turn.

- **Enter** or a click shows all that the model would see if the message in the input were sent now
"""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "context", "What it would see", id="gauge.context")]

    class Asked(Message):
        """The person wants to see what the model would."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.border_title = "Context"
        self.usage: ContextUsage | None = None

    def on_mount(self) -> None:
        self.show(None)

    def on_resize(self) -> None:
        self.show(self.usage)

    def action_context(self) -> None:
        self.post_message(self.Asked())

    def on_click(self) -> None:
        self.action_context()

    def show(self, usage: ContextUsage | None) -> None:
        """Show how the window was filled in the latest turn; None before the first."""
        self.usage = usage
        if usage is None:
            self.update(Content.styled("The model's window is empty; it fills as you talk.", "$foreground 70%"))
        else:
            self.update(_content(gauge_of(usage, max(self.content_size.width, 10))))


def _content(gauge: Gauge) -> Content:
    bar = [
        Content.styled((EMPTY if part.name == "free" else FULL) * part.cells, COLOURS[part.name])
        for part in gauge.parts
    ]
    legend = [
        Content.assemble(("■ ", COLOURS[part.name]), (f"{part.name:<13}", MUTED), (f"{part.tokens:>7,}", ""))
        for part in gauge.parts
    ]
    lines = [Content.styled(gauge.headline, "bold"), Content.assemble(*bar), *legend]
    if gauge.fell_out:
        lines.append(Content.styled(f"{gauge.fell_out} messages fell out; still searchable", "$text-warning"))
    return Content("\n").join(lines)
