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
_LETTER = re.compile(r"[^\W\d_]")
_COUNTED = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    "|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|half|quarter"
)
_TIME_OF_DAY = (
    "noon|midday|midnight|dawn|dusk|sun(?:rise|set)|morning|afternoon|evening|night|breakfast|lunch|dinner|tea"
    "|first thing|after|before|when|once|until|till"
)
# What a question asks for, and what there is in any answer to it.
_FORMS = (
    (re.compile(r"\be-?mail address\b", re.I), re.compile(r"@|\bat\b|\bdot\b", re.I)),
    (re.compile(r"\b(?:phone|mobile|telephone) number\b", re.I), re.compile(r"(?:\d\D*){3}")),
    (
        re.compile(
            r"\bwhat(?:['’]?s| is| was)(?: [\w'’]+){0,4} (?:called|name)(?: again)?\W*$|\bname (?:of|for)\b", re.I
        ),
        _LETTER,
    ),
    (re.compile(r"\bhow old\b", re.I), re.compile(rf"\d|(?:{_COUNTED})|\b(?:months?|years?|born|baby)\b", re.I)),
    (re.compile(r"\bwhat time\b(?! of)", re.I), re.compile(rf"\d|\b(?:{_COUNTED})\b|{_TIME_OF_DAY}", re.I)),
)


def shape(words: str) -> Shape:
    """Of the first kind in the order of `Shape` that is found in the words."""
    if _CLOCK.search(words):
        return "clock"
    if _DATE.search(words):
        return "date"
    return "number" if _NUMBER.search(words) else "words"


def fits(question: str, words: str) -> bool:
    """Whether words can be what a question asks for, where its form tells: no e-mail address without an @."""
    return all(form.search(words) for asked, form in _FORMS if asked.search(question))
