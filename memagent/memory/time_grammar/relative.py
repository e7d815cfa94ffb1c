"""Rules that count from the present: today, last Friday, the week before last, in two weeks, the last three months.

Choices, where English leaves one: weeks run Monday to Sunday. "last Friday" is the latest Friday before today; "this
Friday" and "Friday" the coming one, or the latest where the sentence looks back; "next Friday" is the one in next
calendar week. "two weeks ago" is that day; "two months ago" that calendar month; "two years ago" that year.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from memagent.memory.time_grammar.rules import Context, Rule, piece, rule
from memagent.memory.time_grammar.spans import (
    DAY,
    UNIT_PRECISION,
    Piece,
    edge,
    nth_weekday,
    part_of_day,
    shift,
    unit_piece,
    unit_start,
    weekend_of,
)
from memagent.memory.time_grammar.words import (
    DAY_PART,
    GOES_ON,
    MONTH,
    NUMBER,
    ROUGHLY,
    UNIT,
    WEEKDAY,
    WEEKDAY_SHORT,
    YEAR,
    month_number,
    number,
    ordinal,
    weekday_number,
)

RULES: list[Rule] = []

_LAST = ("last", "past", "previous")
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_EDGE = r"(?:end|start|beginning|middle)"


@rule(RULES, r"\b(?:the\s+)?day\s+(?:(?P<after>after\s+tom+or+ow)|before\s+yest[eu]rday)\b")
def _two_days(context: Context, match: re.Match[str]) -> Piece:
    return unit_piece(match.start(), match.end(), context.today + (2 if match["after"] else -2) * DAY, "day")


@rule(
    RULES,
    r"\b(?:(?:later|earlier)\s+)?(?:(?P<today>today)|(?P<tonight>tonight|tonite)|(?P<yesterday>yest[eu]rday|yday)|"
    r"(?P<tomorrow>tom+or+ow|tmrw|tmr|tomoz|2moro|2morrow))\b",
)
def _named_day(context: Context, match: re.Match[str]) -> Piece:
    if match["tonight"]:
        return piece(match, *part_of_day(context.today, "night"), "hour")
    offset = next(days for name, days in _DAYS.items() if match[name])
    return unit_piece(match.start(), match.end(), context.today + offset * DAY, "day")


@rule(
    RULES,
    rf"\b(?:later\s+|earlier\s+|early\s+|late\s+)?(?:this\s+(?P<part>{DAY_PART})|(?P<last>last\s+night|"
    rf"last\s+evening))\b",
)
def _part_of_today(context: Context, match: re.Match[str]) -> Piece:
    if match["last"]:
        part = "night" if "night" in match["last"].lower() else "evening"
        return piece(match, *part_of_day(context.today - DAY, part), "hour")
    return piece(match, *part_of_day(context.today, match["part"].lower()), "hour")


@rule(
    RULES,
    rf"\b(?:the\s+)?(?P<which>last|next|this\s+coming|this\s+past|this|coming|past)\s+(?P<day>{WEEKDAY}|"
    rf"{WEEKDAY_SHORT})\b(?!\s+(?:of|in)\s+(?:the\s+)?{MONTH}\b)(?!\.\w)",
)
def _which_weekday(context: Context, match: re.Match[str]) -> Piece | None:
    word = match["day"]
    if word in ("sun", "sat", "mon", "wed") and not context.goes_on(match):
        return None
    if word == "sun":
        return None  # "this sun is killing me"
    which = match["which"].lower().split()[-1]
    weekday = weekday_number(word)
    if which in ("last", "past"):
        return _weekday_piece(match.start(), match.end(), _latest(context, weekday))
    if which == "next":
        return _weekday_piece(match.start(), match.end(), unit_start(context.today, "week") + (7 + weekday) * DAY)
    if which == "this" and context.direction(match) == "past":
        return _weekday_piece(match.start(), match.end(), _latest(context, weekday))
    day = context.today if context.today.weekday() == weekday else _coming(context, weekday)
    return _weekday_piece(match.start(), match.end(), day)


@rule(
    RULES,
    rf"\b(?:(?P<day>{WEEKDAY}|{WEEKDAY_SHORT}),?\s+(?:of\s+|in\s+)?(?P<which>last|next|this)\s+week|"
    rf"(?P<which2>last|next|this)\s+week(?:\s+on|,)?\s+(?P<day2>{WEEKDAY}))\b",
)
def _weekday_of_week(context: Context, match: re.Match[str]) -> Piece:
    weekday = weekday_number(match["day"] or match["day2"])
    weeks = {"last": -1, "this": 0, "next": 1}[(match["which"] or match["which2"]).lower()]
    return unit_piece(
        match.start(), match.end(), unit_start(context.today, "week") + (7 * weeks + weekday) * DAY, "day"
    )


@rule(
    RULES,
    rf"\b(?:the\s+)?(?P<day>{WEEKDAY})\s+(?P<how>after\s+next|before\s+last|week|coming|gone|just\s+gone|last|"
    rf"next)\b(?!\s+(?:{UNIT}|{MONTH})\b)",
)
def _weekday_and_more(context: Context, match: re.Match[str]) -> Piece | None:
    weekday, how = weekday_number(match["day"]), match["how"].lower().split()[0]
    day = {
        "after": unit_start(context.today, "week") + (14 + weekday) * DAY,
        "before": _latest(context, weekday) - 7 * DAY,
        "week": _coming(context, weekday) + 7 * DAY,
        "coming": _coming(context, weekday),
        "next": unit_start(context.today, "week") + (7 + weekday) * DAY,
    }.get(how, _latest(context, weekday))
    return unit_piece(match.start(), match.end(), day, "day")


@rule(
    RULES,
    rf"\b(?P<day>{WEEKDAY})\b(?!['’]?s\s+(?:are|were|at|i|we)\b)|(?:\b(?:on|by|until|till|since|before|after|"
    rf"from)\s+|(?<=\bto\s))(?P<short>{WEEKDAY_SHORT})\b(?!\.?\w){GOES_ON}|(?<![\w'’])(?:(?P<abbr>{WEEKDAY_SHORT})\b"
    rf"(?=\s+(?:at\s+\d|\d{{1,2}}(?:[:.]\d\d|\s?[ap]m)|{DAY_PART}\b))|(?P<plain>tues?|thurs?|fri)\b(?!\.?\w){GOES_ON})",
)
def _weekday(context: Context, match: re.Match[str]) -> Piece | None:
    word = match["day"] or match["short"] or match["abbr"] or match["plain"]
    if match["abbr"] in ("sun", "sat", "wed", "mon") and not re.match(rf"\s+{DAY_PART}", context.text[match.end() :]):
        return None  # "we sat at 3"
    if match["day"] and re.search(
        r"\b(?:black|casual|ruby|shrove|ash|fat|palm|cyber|good|maundy|easter)\s+$",
        context.before(match),
        re.IGNORECASE,
    ):
        return None
    if (
        re.search(r"\bto\s+$", context.before(match), re.IGNORECASE)
        and match["short"]
        and not re.search(WEEKDAY_SHORT, context.before(match), re.IGNORECASE)
    ):
        return None
    start = match.end() - len(word)
    weekday = weekday_number(word)
    past = context.tense.direction(start, match.end()) == "past"
    return _weekday_piece(start, match.end(), _latest(context, weekday) if past else _coming(context, weekday))


@rule(
    RULES,
    rf"\b(?:the\s+)?(?P<which>last|next|this\s+coming|(?:this\s+)?past(?=\s+weekend)|this|previous|coming|following)"
    rf"\s+(?P<unit>week|month|year|weekend|fortnight|decade)\b(?!['’]?s?\s+of\s+{MONTH}\b)",
)
def _which_unit(context: Context, match: re.Match[str]) -> Piece | None:
    words = match.group().lower().split()
    which, unit = match["which"].lower().split()[-1], match["unit"].lower()
    if words[0] == "the" and which in ("last", "next") and unit != "weekend":
        return _window(context, match, which, 1, unit)
    step = {"last": -1, "previous": -1, "this": 0}.get(which, 1)
    if unit == "weekend":
        return _weekend(context, match, "coming" if which in ("coming", "following") else which)
    if unit == "fortnight":
        return _window(context, match, which, 1, unit) if step else None
    return unit_piece(match.start(), match.end(), shift(unit_start(context.today, unit), step, unit), unit)


@rule(RULES, r"\b(?:the\s+)?(?P<unit>week|month|year|weekend)\s+(?P<how>before\s+last|after\s+next)\b")
def _second_unit(context: Context, match: re.Match[str]) -> Piece:
    unit, step = match["unit"].lower(), -2 if match["how"].lower().startswith("before") else 2
    if unit == "weekend":
        since = weekend_of(context.today) + 7 * step * DAY
        return piece(match, since, since + 2 * DAY, "day")
    return unit_piece(match.start(), match.end(), shift(unit_start(context.today, unit), step, unit), unit)


@rule(
    RULES,
    r"\b(?:over|at|on|during|for|by|before|after|until|this)\s+(?P<weekend>the\s+(?:whole\s+)?weekend)\b(?!\s+(?:of|"
    r"before|after)\b)",
)
def _the_weekend(context: Context, match: re.Match[str]) -> Piece | None:
    start, end = match.span("weekend")
    past = context.direction(match) == "past"
    since = weekend_of(context.today - (7 * DAY if past and context.today.weekday() < 5 else 0 * DAY))
    return Piece(start, end, since, since + 2 * DAY, "day", "week")


@rule(
    RULES,
    rf"\b{ROUGHLY}(?P<n>{NUMBER})\s+(?P<unit>{UNIT}|{WEEKDAY}s?)"
    rf"(?P<half>\s+and\s+a\s+half)?\s+ago(?P<exact>\s+(?:today|yesterday|tomorrow))?\b",
)
def _ago(context: Context, match: re.Match[str]) -> Piece | None:
    unit = match["unit"].lower()
    if re.match(WEEKDAY, unit):
        return unit_piece(
            match.start(),
            match.end(),
            _latest(context, weekday_number(unit)) - 7 * (int(number(match["n"])) - 1) * DAY,
            "day",
        )
    return _counted(context, match, -1)


@rule(
    RULES,
    rf"\b(?:in\s+{ROUGHLY}(?P<n>{NUMBER})\s+(?P<unit>{UNIT})(?P<half>\s+and\s+a\s+half)?['’]?"
    rf"(?:\s+time)?(?P<exact>(?!))?|(?P<n2>{NUMBER})\s+(?P<unit2>{UNIT})\s+from\s+(?P<exact2>now|today))\b(?!\s+"
    rf"(?:flat|or\s+so\s+of|old))",
)
def _ahead(context: Context, match: re.Match[str]) -> Piece | None:
    if match["n"]:
        if "time" not in match.group().lower().split() and context.direction(match) == "past":
            return None  # "she read it in two weeks": how long it took
        if re.search(r"\b(?:once|twice|times|days|hours|much|often|many)\s+$", context.before(match), re.IGNORECASE):
            return None
        if match["n"].lower() == "a" and match["unit"].lower().startswith("min"):
            return None  # "in a minute" means soon
    return _counted(context, match, 1)


@rule(
    RULES,
    rf"\b(?:(?:the|these|those|my|our)\s+)?(?P<which>last|past|previous|next|coming|following)\s+(?P<n>{NUMBER})\s+"
    rf"(?P<unit>{UNIT})\b|"
    rf"\b(?:the\s+)?(?P<past>past)\s+(?P<one>day|week|month|year|fortnight|decade|hour)\b|\b(?P<within>within)\s+"
    rf"(?:the\s+(?:next\s+)?)?(?P<n2>{NUMBER})\s+(?P<unit2>{UNIT})\b(?!\s+of\b)",
)
def _windows(context: Context, match: re.Match[str]) -> Piece | None:
    if match["past"]:
        return _window(context, match, "past", 1, match["one"].lower())
    if match["within"]:
        return (
            None
            if context.direction(match) == "past"
            else _window(context, match, "next", number(match["n2"]), _singular(match["unit2"]))
        )
    return _window(context, match, match["which"].lower(), number(match["n"]), _singular(match["unit"]))


@rule(RULES, rf"\b(?:the\s+)?(?P<edge>{_EDGE})\s+of\s+(?:the\s+|this\s+)?(?P<unit>week|month|year)\b")
def _edge_of_this(context: Context, match: re.Match[str]) -> Piece:
    whole = unit_piece(match.start(), match.end(), context.today, match["unit"].lower())
    return edge(match["edge"], whole)


@rule(
    RULES,
    rf"\b(?:the\s+)?(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th)\s+(?P<what>{WEEKDAY}|weekend|week|"
    rf"day)\s+(?:of|in)\s+(?:the\s+)?"
    rf"(?:(?P<month>{MONTH})\b\.?(?:,?\s+(?P<year>{YEAR})\b)?|(?P<which>this|next|last|the)?\s*(?P<unit>month|year)\b)",
)
def _nth_of_month(context: Context, match: re.Match[str]) -> Piece | None:
    nth, what = (-1 if match["nth"].lower() == "last" else ordinal(match["nth"])), match["what"].lower()
    whole = _whole(context, match)
    if what == "day":
        day = whole.until - DAY if nth < 0 else whole.since + (nth - 1) * DAY
        return piece(match, day, day + DAY, "day")
    if what == "week":
        since = whole.until - 7 * DAY if nth < 0 else whole.since + 7 * (nth - 1) * DAY
        return piece(match, since, since + 7 * DAY, "week")
    if whole.precision == "year":
        return None
    day = nth_weekday(whole.since, 5 if what == "weekend" else weekday_number(what), nth)
    return piece(match, day, day + (2 if what == "weekend" else 1) * DAY, "day")


def _whole(context: Context, match: re.Match[str]) -> Piece:
    """The month or year that `_nth_of_month` counts in."""
    if match["month"]:
        month = month_number(match["month"])
        if match["year"]:
            since = datetime(int(match["year"]), month, 1)
        else:
            since = context.choose(
                [datetime(context.now.year + n, month, 1) for n in (-2, -1, 0, 1, 2)], context.direction(match)
            )
        return unit_piece(0, 0, since, "month")
    step = {"last": -1, "next": 1}.get((match["which"] or "").lower(), 0)
    unit = match["unit"].lower()
    return unit_piece(0, 0, shift(unit_start(context.today, unit), step, unit), unit)


def _weekend(context: Context, match: re.Match[str], which: str) -> Piece:
    since = weekend_of(context.today)
    if which in _LAST:
        since -= 7 * DAY
    elif which == "next" or (which == "coming" and context.today >= since):
        since += 7 * DAY
    elif which == "this" and context.today < since and context.direction(match) == "past":
        since -= 7 * DAY
    return piece(match, since, since + 2 * DAY, "day", "week")


def _counted(context: Context, match: re.Match[str], sign: int) -> Piece | None:
    """`N units ago` or `in N units`; `today` behind it makes the day exact."""
    groups = match.groupdict()
    count = number(groups["n"] or groups["n2"]) + (0.5 if groups.get("half") else 0)
    unit = _singular(groups["unit"] or groups["unit2"])
    exact = groups.get("exact") or groups.get("exact2") == "today"
    if unit in ("minute", "hour"):
        moment = context.after(sign * timedelta(**{f"{unit}s": count})).replace(second=0, microsecond=0)
        if unit == "minute" or count < 1:
            return piece(match, moment, moment + timedelta(minutes=1), "minute")
        moment = moment.replace(minute=0)
        return piece(match, moment, moment + timedelta(hours=1), "hour")
    if unit == "weekend":
        since = weekend_of(context.today) + 7 * sign * int(count) * DAY
        return piece(match, since, since + 2 * DAY, "day")
    if count != int(count):
        count, unit = {
            "year": (count * 12, "month"),
            "decade": (count * 10, "year"),
            "month": (count * 30, "day"),
            "week": (count * 7 // 1, "day"),
        }.get(unit, (0.0, unit))
        if not count:
            return None
    day = shift(context.today, sign * int(count), unit)
    return unit_piece(
        match.start(),
        match.end(),
        day,
        "day" if exact or unit in ("week", "fortnight") else unit if unit != "decade" else "year",
    )


def _window(context: Context, match: re.Match[str], which: str, count: float, unit: str) -> Piece | None:
    """The `count` units up to the end of today, or from now on."""
    back = which in _LAST
    if unit in ("minute", "hour"):
        other = context.after(timedelta(**{f"{unit}s": count}) * (-1 if back else 1))
        since, until = (other, context.now) if back else (context.now, other)
        return piece(
            match,
            since.replace(second=0, microsecond=0),
            until.replace(second=0, microsecond=0) + timedelta(minutes=1),
            "minute",
        )
    if unit == "weekend":
        first = weekend_of(context.today)
        since = first - 7 * int(count) * DAY if back else first
        return piece(match, since, since + (7 * int(count) - 5) * DAY, "day")
    if count != int(count):
        if unit != "year":
            return None
        count, unit = count * 12, "month"
    other = shift(context.today, (-1 if back else 1) * int(count), unit)
    precision = "week" if unit == "fortnight" else UNIT_PRECISION[unit]
    return (
        piece(match, other, context.today + DAY, precision)
        if back
        else piece(match, context.today, other + DAY, precision)
    )


def _latest(context: Context, weekday: int) -> datetime:
    return context.today - ((context.today.weekday() - weekday - 1) % 7 + 1) * DAY


def _coming(context: Context, weekday: int) -> datetime:
    return context.today + ((weekday - context.today.weekday() - 1) % 7 + 1) * DAY


def _weekday_piece(start: int, end: int, day: datetime) -> Piece:
    return Piece(start, end, day, day + DAY, "day", "week")


def _singular(unit: str) -> str:
    unit = unit.lower().rstrip("s")
    return {"min": "minute", "hr": "hour"}.get(unit, unit)
