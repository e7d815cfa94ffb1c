"""Tables as Markdown that can be pasted into a page; what runs hold is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from memagent.evals.benchmarks.summary import Table

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_NUMBER = re.compile(r"[-\d.,]+( \(.*\))?|")


def escaped(text: str) -> str:
    """The text on one line, with nothing that Markdown or HTML would take for its own."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def markdown(title: str, described: Sequence[str], tables: Sequence[Table], pictures: Sequence[str] = ()) -> str:
    """One document: what was run, the tables, and pictures by their paths."""
    return "\n".join(_lines(title, described, tables, pictures)) + "\n"


def _lines(title: str, described: Sequence[str], tables: Sequence[Table], pictures: Sequence[str]) -> Iterator[str]:
    yield f"# {escaped(title)}\n"
    for line in described:
        yield f"- {escaped(line)}"
    for table in tables:
        yield f"\n## {escaped(table.title)}\n"
        yield _row(table.columns)
        numeric = [all(_NUMBER.fullmatch(row[at]) for row in table.rows) for at in range(len(table.columns))]
        yield "|" + "|".join("---:" if right else "---" for right in numeric) + "|"
        for row in table.rows:
            yield _row(row)
        if table.note:
            yield f"\n{escaped(table.note)}"
    if pictures:
        yield "\n## Plots\n"
        for path in pictures:
            yield f"![{escaped(path)}](<{path}>)"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"
