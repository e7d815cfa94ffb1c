"""A time that was named, in words that stand without the conversation: exact where it was, else by the day it was said.

"yesterday" is a day, "next month" a month; "last Friday" and "last week" stay what they are, from the day it was said:
"the Friday before 15 July 2023", "the week before 9 June 2023". LoCoMo's own answers are given in this way.
"""

from __future__ import annotations

import re
from datetime import datetime

from memagent.memory.time import TimeSpan, describe

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEKDAY = re.compile(r"\b(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:days?)?\b", re.I)
_AGO = re.compile(
    r"\b(?:(?P<vague>an? (?:few|couple(?: of)?))|(?P<number>\w+)) (?P<unit>day|week|weekend|month|year)s?"
    r" (?:ago|back|earlier)\b",
    re.I,
)
_SEASON = re.compile(r"\b(spring|summer|autumn|fall|winter)\b", re.I)


def dated(time: TimeSpan, said_at: datetime) -> str:
    """The words for a time that was named at `said_at`."""
    words, said = time.text, day(said_at)
    ago = _AGO.search(words)
    if ago and ago["vague"]:
        since = said if ago["unit"].lower() != "year" else str(said_at.year)
        return f"{ago['vague'].lower()} {ago['unit'].lower()}s before {since}"
    if words.lower().startswith("since "):
        return f"since {time.since.year if time.precision == 'year' else day(time.since)}"
    if not re.search(r"\d", words):
        unit = next((unit for unit in ("weekend", "week") if re.search(rf"\b{unit}s?\b", words, re.I)), "")
        if unit and ago:
            one = ago["number"].lower() in ("a", "one")
            return f"the {unit} before {said}" if one else f"{ago['number'].lower()} {unit}s before {said}"
        if unit:
            return f"the {unit} {_side(time, said_at)} {said}"
        if time.precision == "day" and _WEEKDAY.search(words) and _side(time, said_at) != "of":
            return f"the {_DAYS[time.since.weekday()]} {_side(time, said_at)} {said}"
    season = _SEASON.search(words)
    if season and time.precision == "month":
        return f"{season[1].lower()} {time.since.year}"
    return day(time.since) if time.precision in ("minute", "hour") else describe(time, said_at)


def day(moment: datetime) -> str:
    """ "7 May 2023"."""
    return describe(moment.replace(hour=0, minute=0, second=0, microsecond=0), moment)


def _side(time: TimeSpan, said_at: datetime) -> str:
    if time.until <= said_at:
        return "before"
    return "after" if time.since > said_at else "of"
