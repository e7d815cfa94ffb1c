"""What a question asks for besides its words: whose words they were, when, how many."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from memagent.memory.statements import rows
from memagent.memory.time import find_times, to_text
from memagent.memory.words import STOP_WORDS, words

_WHEN = re.compile(
    r"\b(?:when|how long|(?:what|which) (?:day|date|month|year|time|week))\b",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\bhow (?:many|much|old|often|far|big|tall)\b", re.IGNORECASE)
MAX_TIMED = 300  # characters of a query that are searched for times
FAR = 366  # days: what is named more coarsely than that is no window to prefer


@dataclass(frozen=True)
class Question:
    """A query as it is asked of the store.

    `words` is its text without the names of those who speak; a name would draw the greetings of whoever bears it, and
    who spoke is known without it. `speakers` are the ones named; `since`/`until` (TIME texts) the time it names.
    """

    words: str
    speakers: frozenset[str]
    asks_when: bool
    asks_count: bool
    since: str = ""
    until: str = ""


def read_question(connection: Connection, text: str, space_id: int, now: datetime) -> Question:
    """Take a query apart. Any text is a valid one."""
    named = frozenset(name for name in speakers(connection, space_id) if _bearing(name).search(text))
    left = without_names(text, named)
    since, until = _window(text, now)
    return Question(
        left if set(words(left)) - STOP_WORDS else text,  # "what did Ana say?" has nothing but the name to look for
        named,
        bool(_WHEN.search(text)),
        bool(_COUNT.search(text)),
        since,
        until,
    )


def without_names(text: str, names: Iterable[str]) -> str:
    """A text without these names and their genitives."""
    left = text
    for name in names:
        left = _bearing(name).sub(" ", left)
    return text if left == text else " ".join(left.split())


def speakers(connection: Connection, space_id: int) -> list[str]:
    """The names of those who speak in a space; one look into the index for each, however much they said."""
    sql = (
        "with recursive named(speaker) as ("
        " select min(speaker) from messages where space_id = :space and speaker <> ''"
        " union all select (select min(speaker) from messages where space_id = :space and speaker <> ''"
        " and speaker > named.speaker) from named where named.speaker is not null)"
        " select speaker from named where speaker is not null limit 200"
    )
    return [row[0] for row in rows(connection, sql, space=space_id)]


def _bearing(name: str) -> re.Pattern[str]:
    """The full name or its first word, with a genitive. A name that is an ordinary word ("Will") keeps its capital."""
    first = (name.split() or [name])[0]
    forms = [re.escape(name) if name.casefold() in STOP_WORDS else f"(?i:{re.escape(name)})"]
    if first != name and first.casefold() not in STOP_WORDS:
        forms.append(f"(?i:{re.escape(first)})")
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?:['’]s|['’])?(?!\w)")


def _window(text: str, now: datetime) -> tuple[str, str]:
    """The narrowest time that is named, when it names a stretch of at most a year that has begun."""
    times = [
        span
        for span in find_times(text[:MAX_TIMED], now)
        if (span.until - span.since).days <= FAR and span.since <= now and span.since.year > 1
    ]
    if not times:
        return "", ""
    narrow = min(times, key=lambda span: span.until - span.since)
    return to_text(narrow.since), to_text(narrow.until)
