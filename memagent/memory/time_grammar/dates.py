"""Rules that name a day, month or year on the calendar: 3 March, 3/4/2026, May 2024, Christmas, on the 14th."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from memagent.memory.time_grammar.rules import Context, Rule, piece, rule
from memagent.memory.time_grammar.spans import DAY, Piece, holiday, shift_months, unit_piece
from memagent.memory.time_grammar.words import (
    FULL_MONTH,
    GOES_ON,
    HOLIDAY,
    MONTH,
    NOT_A_COUNT,
    OF_ONE_ALONE,
    ORDINAL_WORD,
    PLAIN_MONTH,
    SEASON,
    WEEKDAY,
    WEEKDAY_SHORT,
    WRITTEN,
    YEAR,
    month_number,
    ordinal,
    weekday_number,
)

RULES: list[Rule] = []

_ANY_WEEKDAY = rf"(?:{WEEKDAY}|{WEEKDAY_SHORT}\.?)"
_WEEKDAY_FIRST = rf"(?:(?P<weekday>{_ANY_WEEKDAY}),?\s+)?(?:the\s+)?"
_YEAR_LAST = (
    rf"(?:,?\s+(?:in\s+|of\s+)?(?P<year>{YEAR})(?!\d)(?!\s+(?:people|euros?|dollars?|pounds?))|\s+'(?P<short>\d\d)\b)?"
)
_DOT = r"(?:\.(?=,?\s+[\d']))?"  # of an abbreviation, not of the sentence
_NUMBER_ENDS = r"(?![\d:]|[.,/]\d|\s*[ap]\.?m\b)"


@rule(
    RULES,
    r"(?<![\w./-])(?P<date>\d{4}-\d{2}-\d{2})(?:[T ](?P<time>\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?"
    r"\s?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?(?![\w/]|-\d|\.\d)",
)
def _iso(context: Context, match: re.Match[str]) -> Piece | None:
    day = datetime.fromisoformat(match["date"])
    if not match["time"]:
        return unit_piece(match.start(), match.end(), day, "day")
    moment = datetime.fromisoformat(f"{match['date']}T{match['time']}")
    if match["zone"]:
        aware = datetime.fromisoformat(f"{match['date']}T{match['time']}{match['zone']}")
        moment = aware.astimezone(context.zone).replace(tzinfo=None)
    return piece(match, moment, moment + timedelta(minutes=1), "minute")


@rule(RULES, r"(?<![\w./-])(\d{4})/(\d{1,2})/(\d{1,2})(?![\w/-]|\.\d)")
def _year_first(context: Context, match: re.Match[str]) -> Piece:
    return unit_piece(match.start(), match.end(), datetime(int(match[1]), int(match[2]), int(match[3])), "day")


@rule(RULES, r"(?<![\w./-])(\d{1,2})(?:([./-])(\d{1,2})\2(\d{4})|/(\d{1,2})/(\d{2}))(?![\w/-]|\.\d)")
def _numeric(context: Context, match: re.Match[str]) -> Piece:
    year = int(match[4]) if match[4] else _full_year(context, int(match[6]))
    day, month = _in_order(context, int(match[1]), int(match[3] or match[5]))
    return unit_piece(match.start(), match.end(), datetime(year, month, day), "day")


@rule(RULES, rf"(?:(?<=\bon\s)|(?<=\bby\s))(\d{{1,2}})/(\d{{1,2}})(?![\d/]|\.\d){GOES_ON}")
def _numeric_without_year(context: Context, match: re.Match[str]) -> Piece:
    day, month = _in_order(context, int(match[1]), int(match[2]))
    return _yearless_day(context, match, month, day)


@rule(
    RULES,
    rf"(?<![\w.,:/£$€-]){_WEEKDAY_FIRST}(?P<day>\d{{1,2}})(?:\s?(?:st|nd|rd|th))?(?:\s+of)?\s*[ -]?"
    rf"(?P<month>{MONTH})\b{_DOT}"
    rf"(?!-?\w){_YEAR_LAST}",
)
def _day_month(context: Context, match: re.Match[str]) -> Piece | None:
    after = context.text[match.end() : match.end() + 12].lower()
    if match["month"].lower() == "may" and re.match(
        r"\s+(?:be|have|not|need|also|well|seem|take|get|go|come|want|still|only|even|never|help|look|make|happen|i|"
        r"we)\b",
        after,
    ):
        return None
    return _calendar_day(context, match, int(match["day"]))


@rule(RULES, rf"\b(?:the\s+)?(?P<word>{ORDINAL_WORD})(?:\s+day)?\s+of\s+(?P<month>{MONTH})\b{_DOT}{_YEAR_LAST}")
def _ordinal_month(context: Context, match: re.Match[str]) -> Piece | None:
    return _calendar_day(context, match, ordinal(match["word"]))


@rule(
    RULES,
    rf"\b{_WEEKDAY_FIRST}(?P<month>{MONTH})\.?\s+(?:the\s+)?(?:(?P<day>\d{{1,2}})(?:\s?(?:st|nd|rd|th)\b)?|"
    rf"(?P<word>{ORDINAL_WORD})\b)"
    rf"(?![a-z]){_NUMBER_ENDS}{NOT_A_COUNT}{_YEAR_LAST}",
)
def _month_day(context: Context, match: re.Match[str]) -> Piece | None:
    name = match["month"]
    if name in ("may", "march") and re.search(
        r"\b(?:i|you|he|she|it|we|they|who|that|which|to|and|people|can|will|of|a|the)\s+$", context.before(match)
    ):
        return None
    return _calendar_day(context, match, int(match["day"]) if match["day"] else ordinal(match["word"]))


@rule(
    RULES,
    rf"\b(?:(?P<first>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|to|and|until|till|through)\s*(?:the\s+)?"
    rf"(?P<last>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+"
    rf"(?P<month>{MONTH})\b|(?P<month2>{MONTH})\.?\s+(?P<first2>\d{{1,2}})(?:st|nd|rd|th)?\s*(?:-|–|to|until|till|"
    rf"through|(?P<and>and))\s*"
    rf"(?P<last2>\d{{1,2}})(?:st|nd|rd|th)?(?!\w|:|[.,]\d|\s+{MONTH}\b)){_YEAR_LAST}",
)
def _day_range(context: Context, match: re.Match[str]) -> Piece | None:
    if match["and"] and not context.before(match).lower().endswith("between "):
        return None  # two days, or a day and a number
    month = month_number(match["month"] or match["month2"])
    first, last = int(match["first"] or match["first2"]), int(match["last"] or match["last2"])
    if first >= last:
        return None
    since = _day_of_year(context, match, month, first)
    return piece(match, since, since.replace(day=last) + DAY, "day", "" if _has_year(match) else "year")


@rule(RULES, rf"\b(?P<month>{MONTH})\.?,?\s+(?:of\s+|in\s+)?(?:(?P<year>{YEAR})(?![\d:/]|[.,]\d)|'(?P<short>\d\d)\b)")
def _month_year(context: Context, match: re.Match[str]) -> Piece:
    since = datetime(_year_of(context, match), month_number(match["month"]), 1)
    return unit_piece(match.start(), match.end(), since, "month")


@rule(
    RULES,
    rf"\b(?:(?P<between>between\s+)|(?P<from>from\s+))?(?P<first>{MONTH})\.?\s*(?:-|–|\bto\b|(?P<and>\band\b)|"
    rf"\b(?:until|till|through)\b)\s*(?P<last>{MONTH})\b{_DOT}{_YEAR_LAST}(?!\s*\.?\s*\d|'s\b|-\w|\.\w)",
)
def _month_range(context: Context, match: re.Match[str]) -> Piece | None:
    if match["and"] and not match["between"]:
        return None
    if match["from"] and re.search(rf"\b{WRITTEN}\s+$", context.before(match), re.IGNORECASE):
        return None
    if not (match["between"] or match["from"]) and (
        re.search(OF_ONE_ALONE, context.before(match), re.IGNORECASE)
        or not re.fullmatch(PLAIN_MONTH, match["last"], re.IGNORECASE)
    ):
        return None  # a day of the first month, or both may be names
    first, last = month_number(match["first"]), month_number(match["last"])
    if first == last:
        return None
    length = (last - first) % 12 + 1
    if _has_year(match):
        since = datetime(_year_of(context, match) - (last < first), first, 1)
    else:
        starts = [datetime(context.now.year + n, first, 1) for n in (-2, -1, 0, 1, 2)]
        since = _occurrence(context, match, match.start("first"), "", starts, length)
    repeats = "" if _has_year(match) else "year"
    return Piece(match.start("first"), match.end(), since, shift_months(since, length), "month", repeats)


@rule(
    RULES,
    rf"\b(?:(?:in|during|since|until|till|by|before|after|around|from|early|late|mid|(?:end|start|beginning|"
    rf"middle)\s+of|of|between)"
    rf"[\s-]+(?:the month of\s+|about\s+|early\s+|late\s+|mid[\s-]+)?(?P<month>{MONTH})|(?P<plain>{PLAIN_MONTH}))\b"
    rf"(?!\s*\.?\s*\d|'s\b|-\w|\s+(?:\d|street|road|avenue)|\.\w)",
)
def _month_alone(context: Context, match: re.Match[str]) -> Piece | None:
    name = match["month"] or match["plain"]
    before = match.group()[: -len(name)].split()
    lead = before[0].lower() if before else ""
    if lead in ("by", "before", "after", "around", "from", "of") and not re.fullmatch(FULL_MONTH, name, re.IGNORECASE):
        return None
    if lead in ("by", "after", "before", "around") and name.lower() in ("april", "may", "june", "august"):
        return None if not context.goes_on(match) or name.islower() else _month(context, match, name)
    if lead == "from" and not (context.goes_on(match) and context.direction(match)) and not match["plain"]:
        return None  # a letter from June
    return _month(context, match, name)


@rule(RULES, rf"\b(?<!the\s)(?P<which>last|next|this)\s+(?P<month>{MONTH})\b(?!\s*\.?\s*\d){GOES_ON}")
def _which_month(context: Context, match: re.Match[str]) -> Piece:
    starts = [datetime(context.now.year + n, month_number(match["month"]), 1) for n in (-2, -1, 0, 1, 2)]
    since = _occurrence(context, match, match.start(), match["which"].lower(), starts, 1)
    return unit_piece(match.start(), match.end(), since, "month")


@rule(
    RULES,
    rf"\b(?:in|since|during|(?:summer|spring|autumn|fall|winter|end|start|beginning|middle|class|rest|most|all|"
    rf"half)\s+of|from|until|till|before|after|by|around|circa|year|between|late|early|mid)[\s-]+(?P<year>{YEAR})"
    rf"(?![\w:/%-]|[.,]\d){GOES_ON}",
)
def _year(context: Context, match: re.Match[str]) -> Piece:
    return unit_piece(match.start("year"), match.end(), datetime(int(match["year"]), 1, 1), "year")


@rule(
    RULES,
    rf"\b(?:from|between|for)\s+(?P<years>(?P<first>{YEAR})\s*(?:-|–|to|and|until|till|through)\s*(?P<last>{YEAR}))"
    rf"(?![\w:/%-]|[.,]\d){GOES_ON}",
)
def _years(context: Context, match: re.Match[str]) -> Piece | None:
    first, last = int(match["first"]), int(match["last"])
    if first >= last:
        return None
    return Piece(match.start("years"), match.end(), datetime(first, 1, 1), datetime(last + 1, 1, 1), "year")


@rule(
    RULES,
    r"\b(?:in|since|during|of|from|the|early|late|mid)[\s-]+(?:the\s+)?(?:early\s+|late\s+|mid[\s-]+)?"
    r"(?P<decade>(?P<year>(?:1[5-9]|20)\d0)'?s|'?(?P<short>[2-9]0)'?s|(?P<word>twenties|thirties|forties|fifties|"
    r"sixties|seventies|eighties|nineties))\b",
)
def _decade(context: Context, match: re.Match[str]) -> Piece | None:
    words = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
    if match["year"]:
        year = int(match["year"])
    elif "the" not in match.group().lower().split():
        return None  # "in 20s", "in my thirties": an age or a count
    else:
        short = int(match["short"]) if match["short"] else 20 + 10 * words.index(match["word"].lower())
        year = 1900 + short
    return unit_piece(match.start("decade"), match.end(), datetime(year, 1, 1), "decade")


@rule(RULES, rf"\b(?:q(?P<q>[1-4])|(?P<word>first|second|third|fourth) quarter of)\s+(?P<year>{YEAR})\b")
def _quarter(context: Context, match: re.Match[str]) -> Piece:
    quarter = int(match["q"]) if match["q"] else ordinal(match["word"])
    since = datetime(int(match["year"]), 3 * quarter - 2, 1)
    return piece(match, since, shift_months(since, 3), "month")


@rule(
    RULES,
    rf"\b(?:(?:on|by|until|till|before|after|since|from|to|for|is|was|it'?s|{_ANY_WEEKDAY},?)\s+(?P<day>the\s+"
    rf"(?P<n>\d{{1,2}})(?:st|nd|rd|th))"
    rf"{GOES_ON}(?!\s+of\b)(?!\s+and\s+last\b)|{_ANY_WEEKDAY},?\s+(?P<n2>\d{{1,2}})(?:st|nd|rd|th)\b(?!\s+of\b)|"
    r"(?P<day2>(?:the\s+)?(?P<n3>\d{1,2})(?:st|nd|rd|th)\s+of\s+(?P<of>this|next|last)\s+month)\b)",
)
def _day_of_month(context: Context, match: re.Match[str]) -> Piece | None:
    day = int(match["n"] or match["n2"] or match["n3"])
    lead = match.group().split()[0].rstrip(",.").lower()
    sat = lead == "sat" and re.search(r"\b(?:i|you|he|she|it|we|they|who)\s+$", context.before(match), re.IGNORECASE)
    if sat or (lead in ("to", "for", "is", "was", "its", "it's") and day < 5):
        return None  # "he sat 3rd in the row", "she was the 3rd"
    weekday = weekday_number(lead) if re.fullmatch(rf"{WEEKDAY}|{WEEKDAY_SHORT}", lead, re.IGNORECASE) else None
    start = match.start() if weekday is not None else match.start("day2" if match["of"] else "day")
    this_month = context.today.replace(day=1)
    if match["of"]:
        month = shift_months(this_month, {"last": -1, "this": 0, "next": 1}[match["of"].lower()])
        return unit_piece(start, match.end(), month.replace(day=day), "day")
    days = [
        month.replace(day=day)
        for month in (shift_months(this_month, n) for n in range(-14, 15))
        if day <= (shift_months(month, 1) - DAY).day
    ]
    if weekday is not None:
        days = [candidate for candidate in days if candidate.weekday() == weekday]
    direction = context.tense.direction(start, match.end()) or "future"
    since = context.choose(days, direction)
    return Piece(start, match.end(), since, since + DAY, "day", "month")


@rule(
    RULES,
    rf"\b(?:(?P<which>last|next|this|that|the|in|during|early|late|mid)[\s-]+(?:the\s+)?)?(?P<season>{SEASON})\b(?:"
    rf"(?:\s+of)?\s+(?P<year>{YEAR})\b)?",
)
def _season(context: Context, match: re.Match[str]) -> Piece | None:
    which = (match["which"] or "").lower()
    if not match["year"] and (
        not which
        or (
            which == "the"
            and not re.search(r"\b(?:over|for|since|until|till|by|of)\s+$", context.before(match), re.IGNORECASE)
        )
    ):
        return None
    if not match["year"] and not context.goes_on(match):
        return None
    if (
        match["season"].lower() == "fall"
        and not match["year"]
        and which in ("that", "the", "in", "during")
        and " the " not in match.group().lower()
    ):
        return None
    first_month = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}[match["season"].lower()]
    if match["year"]:
        since = datetime(int(match["year"]), first_month, 1)
    else:
        since = _occurrence(
            context,
            match,
            match.start("season"),
            which,
            [datetime(context.now.year + n, first_month, 1) for n in (-2, -1, 0, 1, 2)],
            3,
        )
    return piece(match, since, shift_months(since, 3), "month", repeats="" if match["year"] else "year")


@rule(RULES, rf"\b(?:(?P<which>last|next|this)\s+)?(?P<day>{HOLIDAY})(?:,?\s+(?P<year>{YEAR})\b)?{GOES_ON}")
def _holiday(context: Context, match: re.Match[str]) -> Piece | None:
    if re.search(r"\b(?:merry|happy|black|father)\s+$", context.before(match), re.IGNORECASE):
        return None
    name = match["day"].lower().replace("'", "").replace("’", "")
    if match["year"]:
        day = holiday(name, int(match["year"]))
    else:
        days = [holiday(name, context.now.year + n) for n in (-2, -1, 0, 1, 2)]
        day = _occurrence(context, match, match.start(), (match["which"] or "").lower(), days, 0)
    return piece(match, day, day + DAY, "day", repeats="" if match["year"] else "year")


def _occurrence(
    context: Context, match: re.Match[str], start: int, which: str, starts: list[datetime], months: int
) -> datetime:
    """Of yearly repeats, each `months` long (0: one day): the one that `last`, `next`, `this` or the tense means."""

    def end(first: datetime) -> datetime:
        return shift_months(first, months) if months else first + DAY

    if which == "last":
        return [first for first in starts if end(first) <= context.today][-1]
    if which == "next":
        return next(first for first in starts if first > context.today)
    if which == "this":
        return next(first for first in starts if first.year == context.now.year)
    running = [first for first in starts if first <= context.today < end(first)]
    if running:
        return running[0]
    return context.choose(starts, context.tense.direction(start, match.end()))


def _month(context: Context, match: re.Match[str], name: str) -> Piece:
    start = match.end() - len(name)
    month = month_number(name)
    starts = [datetime(context.now.year + n, month, 1) for n in (-2, -1, 0, 1, 2)]
    since = _occurrence(context, match, start, "", starts, 1)
    return Piece(start, match.end(), since, shift_months(since, 1), "month", repeats="year")


def _calendar_day(context: Context, match: re.Match[str], day: int) -> Piece:
    month = month_number(match["month"])
    if _has_year(match):
        return unit_piece(match.start(), match.end(), _day_of_year(context, match, month, day), "day")
    return _yearless_day(context, match, month, day)


def _yearless_day(context: Context, match: re.Match[str], month: int, day: int) -> Piece:
    since = _day_of_year(context, match, month, day)
    return piece(match, since, since + DAY, "day", repeats="year")


def _day_of_year(context: Context, match: re.Match[str], month: int, day: int) -> datetime:
    if _has_year(match):
        return datetime(_year_of(context, match), month, day)
    years = [context.now.year + n for n in range(-8, 9)]  # 29 February needs eight where a century has no leap year
    days = [datetime(year, month, day) for year in years if _exists(year, month, day)]
    weekday = match.groupdict().get("weekday")
    if weekday:
        days = [one for one in days if one.weekday() == weekday_number(weekday)] or days
    if not days:
        raise ValueError("no such day in any year")
    return context.choose(days, context.direction(match))


def _has_year(match: re.Match[str]) -> bool:
    groups = match.groupdict()
    return bool(groups.get("year") or groups.get("short"))


def _year_of(context: Context, match: re.Match[str]) -> int:
    return int(match["year"]) if match["year"] else _full_year(context, int(match["short"]))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day)
    except ValueError:
        return False
    return True


def _full_year(context: Context, short: int) -> int:
    """Two digits mean the century that keeps the year no more than 20 ahead."""
    year = context.now.year - context.now.year % 100 + short
    return year if year <= context.now.year + 20 else year - 100


def _in_order(context: Context, first: int, second: int) -> tuple[int, int]:
    """(day, month): as the person writes them, or the only way round that exists."""
    day, month = (first, second) if context.day_first else (second, first)
    return (day, month) if month <= 12 else (month, day)
