"""Help for the part that has the focus: what it is, and the keys that work there, with their names for `[keys]`."""

from __future__ import annotations

from textwrap import dedent
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Markdown, Static

GENERAL = """
# memagent

Talk at **F2**; see, correct and forget memories at **F3**; ask them in SQL at **F4**; go back to conversations at
**F6**. **Ctrl+P** finds everything that can be done. Everything works with the mouse, too.
"""
REMAP = """
Other keys: a `[keys]` table in the configuration file, with the names at the right:

    [keys]
    "chat.stop" = "ctrl+x"
"""


class HelpScreen(ModalScreen[None]):
    """Over the screen that asked for it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q", "dismiss", "Close", id="help.close")]
    AUTO_FOCUS = "#help"

    def __init__(self, over: Screen[object]) -> None:
        super().__init__()
        self._texts = help_texts(over)
        self._keys = keys_of(over)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as scroll:
            scroll.border_title = "Help"
            scroll.border_subtitle = "Esc closes"
            for text in self._texts:
                yield Markdown(text, open_links=False)
            yield Static(_table(self._keys), id="keys", markup=False)
            yield Markdown(GENERAL.strip() + "\n" + REMAP, open_links=False)


def help_texts(screen: Screen[object]) -> list[str]:
    """What is said about the focused widget and all around it, the nearest first."""
    nodes = screen.focused.ancestors_with_self if screen.focused is not None else [screen]
    return [dedent(node.HELP).strip() for node in nodes if isinstance(node, Widget) and node.HELP]


def keys_of(screen: Screen[object]) -> list[tuple[str, str, str]]:
    """Key, what it does, its name for `[keys]`: the bindings that work where the focus is."""
    found: dict[tuple[str, str], tuple[list[str], str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        words = binding.description or _words(binding)
        if words:
            keys, _ = found.setdefault((words, binding.id or ""), ([], binding.id or ""))
            keys.append(screen.app.get_key_display(binding))
    rows = [(" ".join(dict.fromkeys(keys)), words, name) for (words, _), (keys, name) in found.items()]
    return sorted(rows, key=lambda row: not row[2])  # ours before those of the toolkit


def _words(binding: Binding) -> str:
    return binding.id.rpartition(".")[2].replace("_", " ") if binding.id else ""


def _table(rows: list[tuple[str, str, str]]) -> Content:
    lines = [
        Content.assemble((f"{key:>16}  ", "bold $text-primary"), f"{words[:34]:<35}", (name, "$foreground 45%"))
        for key, words, name in rows
    ]
    return Content("\n").join(lines)
