"""What a value looks like, so that one kind of thing is not taken for another: a clock time, a date, a number."""

from __future__ import annotations

import calendar
import re
from typing import Literal

Shape = Literal["clock", "date", "number", "words"]

DAYS = (*calendar.day_name, *calendar.day_abbr, *calendar.month_name[1:], *calendar.month_abbr[1:], "tomorrow")
_CLOCK = re.compile(
    r"\d[:.]\d\d(?!\d)|\d ?[ap]\.?m\b|o'?clock\b|\b(?:noon|midnight|half past|quarter (?:past|to))\b", re.I
)
_DATE = re.compile(rf"\d(?:st|nd|rd|th)\b|\b(?:{'|'.join(DAYS)})\b", re.I)
_NUMBER = re.compile(r"\d")


def shape(words: str) -> Shape:
    """Of the first kind in the order of `Shape` that is found in the words."""
    if _CLOCK.search(words):
        return "clock"
    if _DATE.search(words):
        return "date"
    return "number" if _NUMBER.search(words) else "words"
