"""Vocabulary and fragments of regular expressions. Everything is matched without regard to case."""

from __future__ import annotations

import re

ONES = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fourteenth": 14,
    "fifteenth": 15,
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
    "twentieth": 20,
    "thirtieth": 30,
}
_SMALL = "one|two|three|four|five|six|seven|eight|nine"
NUMBER = (
    r"(?:\d{1,4}|half an?|(?:a )?couple(?: of)?|(?:a )?few|"
    rf"(?:{'|'.join(TENS)})(?:[- ](?:{_SMALL}))?|{'|'.join(sorted(ONES, key=len, reverse=True))}|an?)"
)
UNIT = r"(?:minute|min|hour|hr|day|weekend|week|fortnight|month|year|decade)s?"
ORDINAL_WORD = (
    r"(?:(?:twenty|thirty)[- ](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|"
    + "|".join(sorted(_ORDINALS, key=len, reverse=True))
    + ")"
)

MONTH = (
    r"(?:jan(?:uary)?|feb(?:r?uary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
FULL_MONTH = r"(?:january|febr?uary|march|april|may|june|july|august|september|october|november|december)"
PLAIN_MONTH = r"(?:january|febr?uary|july|september|october|november|december)"  # neither a name nor another word
WEEKDAY = r"(?:mon|tues|wed(?:nes|ens|n)|thurs?|fri|satur|sun)day"
WEEKDAY_SHORT = r"(?:mon|tues?|wed|thurs?|fri|sat|sun)"
YEAR = r"(?:1[5-9]\d\d|20\d\d)"
SEASON = r"(?:spring|summer|autumn|fall|winter)"
HOLIDAY = (
    r"(?:christmas eve|christmas day|christmas|xmas|boxing day|new year'?s eve|new year'?s day|new year'?s|new year|"
    r"valentine'?s day|valentine'?s|halloween|good friday|easter sunday|easter monday|easter|thanksgiving|"
    r"(?:st\.? )?patrick'?s day)"
)
DAY_PART = r"(?:morning|afternoon|evening|night)"

# How a number of days is said to be near or just that: "in exactly three weeks", "just over a month ago".
ROUGHLY = (
    r"(?:(?:about|around|roughly|approximately|almost|nearly|exactly|precisely|just|only|like|over|under|a\s+(?:bit|little)"
    r"\s+(?:over|under))\s+){0,3}"
)
# What may follow an expression that would be something else before a noun: "the 14th floor", "in 2000 cases".
GOES_ON = (
    r"(?=\s*(?:$|[.,;:!?)\]\"'…–—-])|\s+(?:and|or|but|so|because|as|if|when|while|then|than|at|in|on|to|of|for|from|by|"
    r"with|without|until|till|before|after|since|around|about|instead|is|was|were|are|am|be|been|has|had|have|will|"
    r"would|can|could|should|shall|may|might|must|do|does|did|i|i'm|i'll|i've|i'd|we|we're|we'll|you|he|she|it|it's|"
    r"they|who|which|that|this|next|last|my|our|your|his|her|their|the|a|an|not|no|too|again|please|also|already|"
    r"just|only|maybe|probably|now|today|tonight|tomorrow|yesterday|morning|afternoon|evening|night|noon|early|late|"
    r"sharp|thanks|ok|okay|where|there|here|what|how|why|right|went|got|came|started|moved)\b)"
)
# What makes a number after a month a quantity: "march 3 miles", "may 20 percent".
NOT_A_COUNT = (
    r"(?!\s*(?:%|percent|per\b|pounds?|euros?|dollars?|quid|miles?|km|kilomet|met(?:er|re)|kg|hours?|minutes?|mins?|"
    r"seconds?|days?|weeks?|months?|years?|people|persons?|times?|steps|blocks|laps|more\b|of the\b))"
)

WRITTEN = r"(?:letters?|messages?|e?mails?|notes?|cards?|texts?|calls?|gifts?|presents?)"  # from whom, not from when
# What stands before a month, or a range of them, and belongs to the first alone: "3 March to May", "mid-May to July".
OF_ONE_ALONE = (
    r"(?:\d(?:st|nd|rd|th)?|\b(?:of|last|next|this|early|late|mid|since|until|till|by|before|after|around))[\s-]+"
    r"(?:of\s+|the\s+)*$"
)


def number(text: str) -> float:
    """Value of a text that matches `NUMBER`; "a few" counts as 3, "half a" as 0.5."""
    words = text.lower().replace("-", " ").split()
    if words[0].isdigit():
        return int(words[0])
    if words[0] == "half":
        return 0.5
    if "couple" in words:
        return 2
    if "few" in words:
        return 3
    if words[0] in ("a", "an"):
        return 1
    return sum(TENS.get(word, 0) or ONES.get(word, 0) for word in words)


def ordinal(text: str) -> int:
    """Value of a text that matches `ORDINAL_WORD`, or of digits with st, nd, rd, th."""
    text = text.lower()
    digits = re.match(r"\d+", text)
    if digits:
        return int(digits.group())
    words = text.replace("-", " ").split()
    return sum(TENS.get(word, 0) or _ORDINALS.get(word, 0) for word in words)


def month_number(word: str) -> int:
    """1 to 12."""
    return ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec").index(
        word[:3].lower()
    ) + 1


def weekday_number(word: str) -> int:
    """Monday is 0."""
    return ("mo", "tu", "we", "th", "fr", "sa", "su").index(word[:2].lower())
