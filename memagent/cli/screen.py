"""What the terminal is shown. Text from memory, models and people is made harmless here, once, on its way out.

Owns escaping, tables, JSON and CSV. stdout carries data, stderr narration.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import click

from memagent.escape import UNSAFE
from memagent.escape import one_line as one_line
from memagent.escape import visible as visible
from memagent.export import plain as plain
from memagent.export import when as when


def out(text: str = "", *, newline: bool = True) -> None:
    """Data, on stdout; already made harmless by the caller."""
    click.echo(text, nl=newline)


def note(text: str = "", *, dim: bool = True, newline: bool = True) -> None:
    """Narration, on stderr; made harmless here."""
    click.secho(visible(text), err=True, dim=dim or None, nl=newline)


def show_error(message: str, hint: str) -> None:
    """One clear line and what to do about it, on stderr."""
    click.echo(click.style("error: ", fg="red", bold=True) + one_line(message), err=True)
    if hint:
        click.echo(click.style("hint: ", dim=True) + one_line(hint), err=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, where that is a terminal, from the first report of how many of how many are done."""
    steps = 1000
    with ExitStack() as open_bar:
        bars: list[Any] = []

        def report(done: int, total: int) -> None:
            if not bars:
                hidden = not sys.stderr.isatty()
                bar = click.progressbar(length=steps, label=label, file=sys.stderr, hidden=hidden)
                bars.append(open_bar.enter_context(bar))
            bars[0].update(steps * done // max(total, 1) - bars[0].pos)

        yield report


def width_of(text: str) -> int:
    """Columns that a terminal gives to the text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _clip(text: str, limit: int) -> str:
    if width_of(text) <= limit:
        return text
    used, kept = 0, []
    for character in text:
        used += width_of(character)
        if used > limit - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Aligned columns on stdout; cut to the width of a terminal, complete when the output goes elsewhere."""
    cells = [[one_line("" if value is None else value) for value in row] for row in rows]
    names = [one_line(name) for name in columns]
    widths = [max(width_of(name), *(width_of(row[i]) for row in cells), 0) for i, name in enumerate(names)]
    if sys.stdout.isatty():
        widths = fitted(widths, shutil.get_terminal_size().columns - 2 * len(widths) + 2)
    numeric = [
        bool(cells) and all(re.fullmatch(r"-?[\d.]+|", row[i]) is not None for row in cells) for i in range(len(names))
    ]
    for index, row in enumerate([names, *cells]):
        parts = []
        for text, width, right in zip(row, widths, numeric, strict=True):
            shown = _clip(text, width)
            space = " " * (width - width_of(shown))
            parts.append(space + shown if right else shown + space)
        line = "  ".join(parts).rstrip()
        out(click.style(line, bold=True) if index == 0 else line)


def fitted(widths: list[int], room: int) -> list[int]:
    """Column widths that fit into `room` columns where that is possible, the widest cut first, none below 8."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > 8:
        widest = max(range(len(widths)), key=widths.__getitem__)
        rest = max((width for i, width in enumerate(widths) if i != widest), default=0)
        widths[widest] = max(8, min(widths[widest] - 1, max(rest, widths[widest] - (sum(widths) - room))))
    return widths


def json_out(value: object) -> None:
    """JSON on stdout; what could steer a terminal is written as an escape, which JSON reads back unchanged."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=2, default=str)
    out(UNSAFE.sub(_json_escape, text))


def _json_escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def csv_out(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """CSV on stdout, verbatim unless a terminal would show it."""
    clean = visible if sys.stdout.isatty() else str
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([clean(name) for name in columns])
    writer.writerows([["" if value is None else clean(plain(value)) for value in row] for row in rows])
