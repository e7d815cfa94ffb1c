"""The one border where text from memory, models, documents and people becomes something that widgets may show.

Nothing is parsed as markup here, control characters and bidirectional overrides are written out, and what is long is
cut with a count of what is missing. `Content` is for Textual's own widgets, `cell` for those that take Rich's
(`DataTable`, `Tree`).
"""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from memagent.escape import one_line, visible

LINE = 200  # characters of a heading or a cell
BLOCK = 20_000  # characters of a text that is shown whole
TAB = "    "


def line(text: object, limit: int = LINE) -> str:
    """The text on a single line of at most `limit` characters."""
    raw = str(text)
    return cut(one_line(raw[: 4 * limit + 4]), limit)


def block(text: object, limit: int = BLOCK) -> str:
    """The text with its line breaks, cut after `limit` characters, with a word on how much is missing."""
    raw = str(text)
    shown = visible(raw[:limit]).replace("\t", TAB)
    missing = len(raw) - limit
    return shown if missing <= 0 else f"{shown}… ({missing:,} more characters)"


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def content(text: object, style: str = "", limit: int = BLOCK) -> Content:
    """The text for a Textual widget, with its line breaks."""
    return Content.styled(block(text, limit), style) if style else Content(block(text, limit))


def content_line(text: object, style: str = "", limit: int = LINE) -> Content:
    """The text for a Textual widget, on one line."""
    return Content.styled(line(text, limit), style) if style else Content(line(text, limit))


def cell(text: object, style: str = "", limit: int = LINE, justify: str = "left") -> Text:
    """The text for a cell of a `DataTable` or a label of a `Tree`, on one line."""
    return Text(
        line("" if text is None else text, limit),
        style=style,
        no_wrap=True,
        overflow="ellipsis",
        justify="right" if justify == "right" else "left",
    )
