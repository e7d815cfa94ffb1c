"""Rows and conversations as JSON, CSV and Markdown, and new files to hold them.

What goes to a screen is escaped by the front end; what goes to a file is written as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memagent.errors import InputError

if TYPE_CHECKING:
    from memagent.memory.records import Message, Session


def plain(value: object) -> Any:
    """The JSON form of a value: dataclasses as objects, moments in ISO 8601, bytes in hexadecimal."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Path):
        return str(value)
    return value


def when(moment: datetime | None) -> str:
    """A moment in the person's own time zone, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""


def rows_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV with a line of names; an absent value is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if value is None else plain(value) for value in row] for row in rows])
    return text.getvalue()


def rows_json(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as a JSON list of objects; of columns that share a name the last one counts."""
    objects = [dict(zip(columns, plain(row), strict=True)) for row in rows]
    return json.dumps(objects, ensure_ascii=False, indent=2) + "\n"


def session_markdown(session: Session, messages: Iterable[Message]) -> str:
    """A conversation as Markdown: one heading for each message, its text as it was said."""
    parts = [f"# {session.title or f'Session {session.id}'}", f"Started {when(session.started_at)}."]
    parts += [f"## {m.speaker or m.role}, {when(m.created_at)}\n\n{m.content}" for m in messages]
    return "\n\n".join(parts)


def session_json(session: Session, messages: Iterable[Message]) -> str:
    """A conversation as JSON, with the events of every turn."""
    return json.dumps({**plain(session), "messages": plain(list(messages))}, indent=2)


def write_new(path: Path, text: str) -> None:
    """Write a file that must not exist yet. Raises InputError."""
    try:
        with path.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} exists already", "name a new file; nothing is overwritten") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path} cannot be written: {reason}", "check the folder and the name") from None
