"""Days between dates, weeks after a date, weekdays, ages, clock times. Dates are read by `memagent.memory.time`."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction

from memagent.errors import InputError
from memagent.memory.time import TimeSpan, find_times
from memagent.tools.calculation.expression import calculate
from memagent.tools.calculation.numbers import write
from memagent.tools.calculation.phrases import Answer
from memagent.tools.calculation.words import number_words

_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
_COUNT = r"(?:\d+(?:\.\d+)?|\(\d+/\d+\)|an?)"
_DATE_UNIT = r"(?:days?|weeks?|fortnights?|months?|years?|decades?)"
_CLOCK_UNIT = r"(?:hours?|hrs?|h|minutes?|mins?|m)"
_DURATION = rf"{_COUNT}\s*{_DATE_UNIT}(?:(?:\s*,\s*|\s+and\s+|\s+){_COUNT}\s*{_DATE_UNIT})*"
_CLOCK_DURATION = rf"{_COUNT}\s*{_CLOCK_UNIT}(?:(?:\s*,\s*|\s+and\s+|\s+){_COUNT}\s*{_CLOCK_UNIT})*"
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?:\s?[ap]m)?|(?:1[0-2]|[1-9])\s?[ap]m|noon|midnight"
_MOST = 100_000  # of a unit in a duration
_WHAT_DATE = r"(?:(?:what\s+|which\s+)?(?:the\s+)?date\s+(?:is\s+|was\s+|will\s+it\s+be\s+)?|when\s+is\s+)?(?:it\s+)?"
_WHAT_DAY = (
    r"(?:what\s+|which\s+)?(?:weekday|day\s+of\s+the\s+week|day)\s+"
    r"(?:is|was|will be|will it be|did|does|falls?|of|on|are|it is)?\s*(?:it\s+)?(?:on\s+)?"
)


def answer(text: str, now: datetime) -> Answer | None:
    """The answer to a `plain` question about dates; None when it is about something else. Raises InputError."""
    if not _WORTH_A_LOOK.search(text):
        return None
    text = number_words(text)
    try:
        for pattern, build in _QUESTIONS:
            match = pattern.fullmatch(text)
            found = build(match, now) if match else None
            if found is not None:
                return found
    except OverflowError:
        raise InputError("that date is out of range", "dates run from the year 1 to 9999") from None
    return None


_WORTH_A_LOOK = re.compile(
    r"day|week|month|year|fortnight|decade|born|old|age|ago|since|until|till|:\d\d|\d\s?[ap]m\b|noon|midnight|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|\d{4}-\d\d|tomorrow|christmas|easter|between"
)


def _span(text: str, now: datetime, lead: str = "") -> TimeSpan | None:
    """The time that the whole text names."""
    text = re.sub(r"^(?:the\s+date\s+)?(?:on\s+)?", "", text.strip(" ,"))
    for prefix in (lead, "", "on ", "on the "):
        for span in find_times(prefix + text, now):
            if span.start <= len(prefix) and span.end == len(prefix) + len(text):
                return span
    return None


def _day(text: str, now: datetime, lead: str = "") -> date | None:
    """The day that the whole text names, None when it names no time. Raises InputError for a month or a year."""
    span = _span(text, now, lead)
    if span is None:
        return None
    if span.precision in ("month", "year", "week") and not lead == "since ":
        raise InputError(f"{text.strip()!r} is not one day", "name the day: 3 March 2026")
    return span.since.date()


def _two_days(first: str, second: str, now: datetime) -> tuple[date, date] | None:
    """Two days; a second one without a year is the first after the first one."""
    start, end = _day(first, now), _day(second, now)
    if start is None or end is None:
        return None
    if end < start and not re.search(r"\d{4}|/\d\d\b|'\d\d|ago|last|yesterday|today|tomorrow", second):
        later = _day(second, now.replace(year=start.year, month=start.month, day=start.day), "by ")
        end = later if later and later >= start else end
    return start, end


def _between(match: re.Match[str], now: datetime) -> Answer | None:
    days = _two_days(match["a"], match["b"], now)
    if days is None:
        return None
    return _distance(*days, _unit(match))


def _unit(match: re.Match[str]) -> str:
    return (match.groupdict().get("unit") or "day").rstrip("s")


def _distance(start: date, end: date, unit: str) -> Answer:
    count = abs((end - start).days)
    steps = f"{_written(start)} to {_written(end)} is {_plural(count, 'day')}"
    if unit in ("month", "year"):
        months = _whole_months(min(start, end), max(start, end))
        whole = months if unit == "month" else months // 12
        rest = max(start, end) - _later(min(start, end), months=whole * (1 if unit == "month" else 12))
        text = _plural(whole, unit) + (f" and {_plural(rest.days, 'day')}" if rest.days else "")
        return Answer(text, steps)
    if unit in ("week", "fortnight"):
        whole, left = divmod(count, _DAYS[unit])
        text = _plural(whole, unit) + (f" and {_plural(left, 'day')}" if left else "")
        return Answer(text, steps)
    return Answer(_plural(count, "day"), steps)


def _until(match: re.Match[str], now: datetime) -> Answer | None:
    day = _day(match["a"], now, "by ")
    return None if day is None else _distance(now.date(), day, _unit(match))


def _since(match: re.Match[str], now: datetime) -> Answer | None:
    day = _day(match["a"], now, "since ")
    return None if day is None else _distance(day, now.date(), _unit(match))


def _moved(match: re.Match[str], now: datetime, weekday: bool = False) -> Answer | None:
    groups = match.groupdict()
    day = _day(match["a"], now) if match["a"] not in ("now",) else now.date()
    if day is None:
        return None
    sign = -1 if groups["way"] in ("before", "-", "minus", "prior to", "earlier than") else 1
    result = day
    for count, unit in _durations(match["d"]):
        if unit in _MONTHS:
            months = count * _MONTHS[unit]
            if months.denominator != 1:
                raise InputError("half a month has no fixed length", "give it in days")
            result = _later(result, months=sign * int(months))
        else:
            days = count * _DAYS[unit]
            if days.denominator != 1:
                raise InputError("a part of a day does not change the date", "give whole days")
            result += timedelta(days=sign * int(days))
    steps = f"{match['d']} {'before' if sign < 0 else 'after'} {_written(day)} is {_written(result)}"
    return Answer(f"{result:%A}" if weekday else _written(result), steps)


def _durations(text: str) -> list[tuple[Fraction, str]]:
    found = []
    for count, unit in re.findall(rf"({_COUNT})\s*({_DATE_UNIT}|{_CLOCK_UNIT})\b", text):
        number = Fraction(1) if count in ("a", "an") else calculate(count).number
        if number > _MOST:
            raise InputError("that is too long a time", "dates run from the year 1 to 9999")
        found.append((number, unit.rstrip("s") if len(unit) > 1 else unit))
    return found


def _later(day: date, *, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _whole_months(start: date, end: date) -> int:
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if _later(start, months=months) <= end else months - 1


def _weekday(match: re.Match[str], now: datetime) -> Answer | None:
    day = _day(match["a"], now)
    if day is None:
        inner = re.fullmatch(rf"(?P<d>{_DURATION})\s+(?P<way>after|before|from)\s+(?P<a>.+)", match["a"])
        return _moved(inner, now, weekday=True) if inner else None
    return Answer(f"{day:%A}", f"{_written(day)} is a {day:%A}")


def _age(match: re.Match[str], now: datetime) -> Answer | None:
    groups = match.groupdict()
    span = _span(match["a"], now, "in ")
    if span is None:
        return None
    at = _day(groups["b"], now) if groups.get("b") else now.date()
    if at is None:
        return None
    born = span.since.date()
    if born > at:
        raise InputError(f"{_written(born)} is after {_written(at)}", "give the date of birth first")
    years = _whole_months(born, at) // 12
    if span.precision in ("month", "year"):
        youngest = _whole_months(span.until.date() - timedelta(days=1), at) // 12
        if youngest != years:
            return Answer(f"{max(0, youngest)} or {years} years", f"born in {match['a'].strip()}, on {_written(at)}")
    return Answer(_plural(years, "year"), f"born {_written(born)}, on {_written(at)}: {_plural(years, 'year')}")


def _clock_moved(match: re.Match[str], now: datetime) -> Answer | None:
    start = _minutes(match["a"])
    sign = -1 if match["way"] in ("before", "-", "minus") else 1
    change = sum(
        (count * (60 if unit.startswith("h") else 1) for count, unit in _durations(match["d"])), start=Fraction(0)
    )
    if change.denominator != 1:
        raise InputError("only whole minutes are counted", "give hours and minutes")
    total = start + sign * int(change)
    days, minute = divmod(total, 1440)
    text = f"{minute // 60:02d}:{minute % 60:02d}"
    if days:
        text += f" ({_plural(abs(days), 'day')} {'later' if days > 0 else 'earlier'})"
    return Answer(text, f"{match['a']} {'-' if sign < 0 else '+'} {match['d']} = {text}")


def _clock_between(match: re.Match[str], now: datetime) -> Answer:
    first, second = _minutes(match["a"]), _minutes(match["b"])
    length = (second - first) % 1440
    hours, minutes = divmod(length, 60)
    parts = [_plural(hours, "hour")] * bool(hours) + [_plural(minutes, "minute")] * bool(minutes or not hours)
    text = " ".join(parts)
    return Answer(text, f"{match['a']} to {match['b']} is {text} ({_plural(length, 'minute')})")


def _minutes(text: str) -> int:
    text = text.strip()
    if text in ("noon", "midnight"):
        return 720 if text == "noon" else 0
    match = re.fullmatch(r"(\d+)(?::(\d\d))?\s?([ap]m)?", text)
    if match is None:
        raise InputError(f"{text!r} is not a time of day", "write it as 17:25")
    hour = int(match[1])
    if match[3]:
        if not 1 <= hour <= 12:
            raise InputError(f"{text!r} is not a time of day", "write it as 5:25 pm or 17:25")
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return hour * 60 + int(match[2] or 0)


def _days_in(match: re.Match[str], now: datetime) -> Answer | None:
    span = _span(match["a"], now, "in ")
    if span is None or span.precision not in ("month", "year"):
        return None
    days = (span.until.date() - span.since.date()).days
    unit = match["unit"].rstrip("s")
    if unit == "week":
        return Answer(
            f"{write(Fraction(days // 7))} weeks and {_plural(days % 7, 'day')}", f"{days} days in {match['a']}"
        )
    return Answer(_plural(days, "day"), f"from {_written(span.since.date())} on: {days} days")


def _leap(match: re.Match[str], now: datetime) -> Answer:
    year = int(match["year"])
    leap = isleap(year)
    return Answer("yes" if leap else "no", f"{year} is {'a' if leap else 'no'} leap year")


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _written(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day.year}"


_UNITS = r"(?P<unit>days?|weeks?|months?|years?|fortnights?)"
_ARE = r"(?:are there|is it|are|is|do we have|will it be|left|to go)?\s*(?:there\s+)?"
_QUESTIONS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Answer | None]], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (
            rf"(?:how many\s+)?(?:hours|minutes|time|how long)\s+(?:is\s+)?{_ARE}\s*(?:between|from)\s+"
            rf"(?P<a>{_CLOCK})\s+(?:and|to|until|till)\s+(?P<b>{_CLOCK})",
            _clock_between,
        ),
        (rf"(?P<a>{_CLOCK})\s*(?:to|until|till)\s*(?P<b>{_CLOCK})", _clock_between),
        (rf"(?P<a>{_CLOCK})\s*(?P<way>\+|-|plus|minus)\s*(?P<d>{_CLOCK_DURATION})", _clock_moved),
        (rf"(?:the time\s+)?(?P<d>{_CLOCK_DURATION})\s+(?P<way>after|before|from)\s+(?P<a>{_CLOCK})", _clock_moved),
        (
            rf"(?:how many|how long|number of|the number of)?\s*{_UNITS}?\s*{_ARE}\s*(?:between|from)\s+"
            rf"(?P<a>.+?)\s+(?:and|to|until|till)\s+(?P<b>.+)",
            _between,
        ),
        (rf"(?:how many\s+|number of\s+)?{_UNITS}\s+{_ARE}\s*(?:until|till|to|before)\s+(?P<a>.+)", _until),
        (
            rf"(?:between|from)\s+(?P<a>.+?)\s+(?:and|to|until|till)\s+(?P<b>.+?),?\s+"
            rf"(?:is\s+)?how many\s+{_UNITS}",
            _between,
        ),
        (r"(?P<a>.+?)\s+(?:to|until|till|-)\s+(?P<b>.+)", _between),
        (rf"how many\s+{_UNITS}\s+ago\s+(?:was|is)\s+(?P<a>.+)", _since),
        (rf"how (?:long|far)\s+(?:off\s+)?{_ARE}\s*(?:until|till|to)\s+(?P<a>.+)", _until),
        (
            rf"(?:how many\s+|number of\s+)?{_UNITS}\s+{_ARE}\s*(?:has it been\s+|passed\s+|"
            rf"it's been\s+)?since\s+(?P<a>.+)",
            _since,
        ),
        (
            r"how long\s+(?:(?:is it|has it been|it's been|ago)\s+)?(?:since|was|is)\s+(?P<a>.+?)(?:\s+ago)?",
            _since,
        ),
        (rf"{_WHAT_DAY}(?P<a>.+?)(?:\s+(?:on|fall|falls|fall on))?", _weekday),
        (
            r"(?:on\s+)?(?:what|which)\s+(?:day|weekday)\s+(?:does|did|will)\s+(?P<a>.+?)\s+(?:fall(?:\s+on)?|"
            r"be|land(?:\s+on)?)",
            _weekday,
        ),
        (rf"{_WHAT_DATE}(?P<d>{_DURATION})\s+(?P<way>after|before|from|later than|prior to)\s+(?P<a>.+)", _moved),
        (rf"{_WHAT_DATE}(?P<a>.+?)\s*(?P<way>\+|plus|minus|\s-)\s*(?P<d>{_DURATION})", _moved),
        (
            r"(?:how old\s+(?:is|are|was|would|will)?\s*(?:be\s+)?|(?:the\s+)?age of\s+)?(?:someone|somebody|"
            r"a person|i|you|he|she|they|who)?\s*(?:if\s+)?"
            r"(?:i was|you were|he was|she was|who was|was|were|is)?\s*born\s+(?:on\s+|in\s+)?(?P<a>.+?)"
            r"(?:,?\s+(?:be\s+)?how old)?"
            r"(?:\s+(?:be\s+|are they\s+|is she\s+|is he\s+)?(?:on|in|at|by)\s+(?P<b>.+))?",
            _age,
        ),
        (r"(?:how old\s+(?:is|are)\s+\w+\s+if\s+.*?)born\s+(?:on\s+|in\s+)?(?P<a>.+)", _age),
        (r"(?:how many\s+)?(?P<unit>days|weeks)\s+(?:are\s+)?(?:there\s+)?(?:are\s+)?in\s+(?P<a>.+)", _days_in),
        (r"(?:is|was|will)?\s*(?P<year>\d{1,4})\s+(?:be\s+)?(?:is\s+)?a leap year", _leap),
    )
)
