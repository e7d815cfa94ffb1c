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
_AMOUNT = re.compile(
    rf"\d|\b(?:{_COUNTED}|an?|each|all|no|once|twice|double|triple|single|both|pair|couple|few|several|dozen|thousand"
    r"|grand|tenner|fiver|monkey|pony|lots?|loads|many|third|nothing|none|zero|free|first|second|\w+th)s?\b",
    re.I,
)
_TIME = re.compile(
    rf"\d|\b(?:{'|'.join(DAYS)}|weds|tues|thurs|sept|{_COUNTED}|first|second|third|\w+th|{_TIME_OF_DAY}|brekkie"
    r"|spring|summer|autumn|winter|easter|whitsun|pentecost|advent|christmas|xmas|ramadan|eid|diwali|new year|halloween"
    r"|week|weekend|wk|month|year|decade|fortnight|day|hour|minute|term|season|harvest|holiday|birthday|lockdown"
    r"|today|tonight|tmrw|yesterday|now|soon|asap|never|wen|while|during|since|by|as soon|if|on|every|daily|already"
    r"|til|\w+time|(?:fif|six|seven|eigh|nine|twen|thir|for)ties|last|next|ago|past|spare|end|start|beginning|mid|early|late|later|straight|same)(?:ly|s)?\b",
    re.I,
)
_NOT_ONLY_A_NUMBER = re.compile(
    r"^(?!(?:[£$€]?\d[\d.,:/ ]*"
    r"(?:am|pm|quid|pounds|euros?|eur|[kp]|kg|g|km|m|cm|mm|miles|min(?:ute)?s?|hours?|%)?\W*)+$)",
    re.I,
)
_NOT_ONLY_A_TIME = re.compile(
    rf"^(?!(?:(?:on|at|the|next|this|last|every|{'|'.join(calendar.day_name)}|tues|thurs|weds|today|tonight|tomorrow"
    r"|morning|afternoon|evening|noon|midnight)s?\b\W*)+$)",
    re.I,
)
_AND = r"^(?:and |so |but )?"
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
    (re.compile(r"\bhow many\b|\bhow much\b(?! of\b)|\bwhat (?:sum|amount)\b", re.I), _AMOUNT),
    (re.compile(r"\bpost ?code\b", re.I), re.compile(r"[a-z]\d|\d{4}", re.I)),
    (
        re.compile(
            rf"{_AND}when(?:['’]?s)?\b(?!.*\b(?:who|what|where|which|how|why)\b)"
            r"|\b(?:what|which) (?:date|day|month|year)\b",
            re.I,
        ),
        _TIME,
    ),
    (
        re.compile(
            rf"{_AND}(?:who(?:['’]?s|se)?|where(?:['’]?s)?|(?:what|which) (?!(?:the )?(?:\w*time|\w*day|date|month|year"
            r"|week\w*|night|morning|afternoon|evening|season|term|hour|age|period|slot|session|shift|is|was|s|are|were|do"
            r"|does|did|have|has|about|else)s?\b)\w+)\b(?!.*\b(?:day|when|date|night|month|or)s?\b)",
            re.I,
        ),
        _NOT_ONLY_A_TIME,
    ),
    (re.compile(rf"{_AND}who(?:['’]?s|se)?\b(?!.* or )", re.I), _NOT_ONLY_A_NUMBER),
    (re.compile(rf"{_AND}where(?:['’]?s)?\b(?!.*\bnumber\b)", re.I), _NOT_ONLY_A_NUMBER),
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
