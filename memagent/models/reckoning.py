"""What is to be calculated from an answer: several amounts, or the time between now and a date that was told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from memagent.models.answers import Found
from memagent.models.arithmetic import expression
from memagent.models.asked_times import ELAPSED, UNTIL

A_DAY = timedelta(days=1)
A_MONTH = timedelta(days=31)


def reckon(found: Found, sentence: str) -> tuple[str, str] | None:
    """What to calculate for a question about several amounts, and their unit; None where there is nothing to."""
    if found.kind not in ("sum", "difference"):
        return None
    return expression(found.kind, [candidate.words for candidate in found.candidates], sentence)


def elapsed(found: Found, sentence: str) -> tuple[str, str] | None:
    """For "how many weeks since I stopped?" and "how long until the exam?" what to calculate, and the day in words;
    None for other questions and where the answer names no day.
    """
    asked = ELAPSED.search(sentence)
    time = _time_of(found) if asked is not None else None
    if asked is None or time is None:
        return None
    since, until = datetime.fromisoformat(str(time["since"])), datetime.fromisoformat(str(time["until"]))
    lasts = until - since
    day = f"{since:%B} {since.year}" if lasts > A_DAY else f"{since.day} {since:%B} {since.year}"
    if lasts > A_MONTH:
        day = str(since.year)
    shortest = "days" if lasts <= A_DAY else "months" if lasts <= A_MONTH else "years"
    unit = asked["unit"] or shortest
    ahead = UNTIL.search(sentence) is not None
    if ahead and lasts > A_DAY:
        return None
    way = "until" if ahead else "since"
    return f"how many {unit} {way} {day}", day


def _time_of(found: Found) -> Mapping[str, Any] | None:
    """The time that the words of the best answer name; where a time was asked for also the only one that its sentence
    names, but not "9 metres" of a boat that was bought in May.
    """
    if found.kind not in ("when", "value"):
        return None
    best = found.best
    times = list(best.evidence.hit.get("times") or ())
    inside = [time for time in times if time["start"] < best.end and time["end"] > best.start]
    only = times if found.kind == "when" and len(times) == 1 else []
    return next(iter(inside or only), None)
