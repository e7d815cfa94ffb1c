"""The clock, the text form of a moment in the database, and the times that a text names.

Moments are stored as ISO 8601 in UTC with microseconds and a trailing `Z` (27 characters), so that they sort as text.

Expressions of time are read by a grammar of our own (`memagent.memory.time_grammar`), loaded at the first use (80 ms).
dateparser 1.5 was measured first, with `languages=["en"]`: of 37 ordinary English expressions it knew 28, none of them
with its precision ("last month" is a day), and its search took "We", "sat on 5", "may" and "the sun" for dates, moved
"the day after tomorrow" by a day, dropped the hour of "Thursday at 3", and took 1.4 ms a sentence.

Defaults, where English leaves a choice: past or future follows the tense of the clause; without a hint a weekday is the
coming one, and a date without a year the one just past if that was within 45 days, else the coming one. 3/4/2026 is
3 April unless `day_first=False`. Seasons are those of the northern hemisphere, in whole months.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal, Protocol

from memagent.errors import InputError

Precision = Literal["minute", "hour", "day", "week", "month", "year"]

_DAY = timedelta(days=1)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BOUND_HINT = "write a date such as 2026-03-02, a moment such as 2026-03-02T09:00, or words such as 'last week'"


class Clock(Protocol):
    """Where the present comes from; tests and scenarios set their own."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in the person's timezone."""
        ...


class SystemClock:
    """The machine's clock in the machine's timezone (its rules, not only today's offset)."""

    def now(self) -> datetime:
        return datetime.now(_local_zone())


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still at `at`, which must be timezone-aware."""

    at: datetime

    def __post_init__(self) -> None:
        _require_aware(self.at)

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class TimeSpan:
    """Characters `start:end` of a text name the half-open interval `since <= t < until` (timezone-aware).

    `precision` is how exactly it was named: "in May" is a month, "at 8:15" a minute, "the weekend" two days.
    """

    text: str
    start: int
    end: int
    since: datetime
    until: datetime
    precision: Precision


def to_text(moment: datetime) -> str:
    """The form of the TIME columns: `2026-03-02T09:00:00.000000Z`.

    Raises InputError without a timezone, and on the edge of the calendar.
    """
    _require_aware(moment)
    try:
        there = moment.astimezone(UTC)
    except OverflowError:
        raise InputError(f"{moment} lies outside the calendar", "give a year between 2 and 9998") from None
    return there.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def from_text(text: str) -> datetime:
    """Inverse of `to_text`, in UTC; takes any ISO 8601 moment with an offset. Raises InputError for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"not a moment in time: {text[:60]!r}", "write it as 2026-03-02T09:00:00Z") from None
    _require_aware(moment)
    return moment.astimezone(UTC)


def find_times(text: str, now: datetime, *, day_first: bool = True) -> list[TimeSpan]:
    """Every time that `text` names, in order, resolved against `now` (aware; its timezone is the person's).

    Durations ("for six weeks") and repetitions ("every Friday", "at weekends") are not times. Only the first 20,000
    characters are read. Raises InputError when `now` has no timezone.
    """
    zone = _require_aware(now)
    from memagent.memory.time_grammar.find import find  # 80 ms of patterns, which most commands never need

    return [
        TimeSpan(
            text[piece.start : piece.end],
            piece.start,
            piece.end,
            piece.since.replace(tzinfo=zone),
            piece.until.replace(tzinfo=zone),
            piece.precision,
        )
        for piece in find(text, now.replace(tzinfo=None), zone, day_first)
    ]


def resolve(text: str, now: datetime, *, day_first: bool = True) -> TimeSpan | None:
    """The first time that `text` names, or None."""
    times = find_times(text, now, day_first=day_first)
    return times[0] if times else None


def parse_bound(text: str, now: datetime, *, end: bool, day_first: bool = True) -> datetime:
    """The moment meant by the `--since` (`end=False`) or `--until` (`end=True`) of a person, for a half-open interval.

    A bound that names a day, month or year as an end includes it: until "2026-03-02" is the start of 3 March. The whole
    input must be one time. Raises InputError for anything else.
    """
    zone = _require_aware(now)
    words = text.strip()
    if words.lower() == "now":
        return now
    try:
        moment = None if len(words) <= 10 else datetime.fromisoformat(words)
    except ValueError:
        moment = None
    try:
        if moment is not None:
            return moment if moment.utcoffset() is not None else moment.replace(tzinfo=zone)
        if re.fullmatch(r"\d{4}(-\d{2})?", words):
            return _partial_iso(words, end).replace(tzinfo=zone)
        for lead in ("", "on ", "in ", "at ", "on the "):
            for span in find_times(lead + words, now, day_first=day_first):
                if span.start <= len(lead) and span.end == len(lead) + len(words):
                    return span.since if not end or span.precision == "minute" else span.until
    except (ValueError, OverflowError):
        pass
    raise InputError(f"not a date or time: {words[:60]!r}", _BOUND_HINT)


def describe(span: TimeSpan | datetime, now: datetime) -> str:
    """Words for a time in the timezone of `now`: '12 March 2026', 'Thursday 5 March 2026, 15:00', 'March 2026'.

    A bare datetime at local midnight is described as its day.
    """
    zone = _require_aware(now)
    if isinstance(span, datetime):
        _require_aware(span)
        moment = span.astimezone(zone)
        return _day(moment) if moment.hour == moment.minute == moment.second == 0 else _minute(moment)
    since, until = span.since.astimezone(zone), span.until.astimezone(zone)
    if span.precision in ("minute", "hour"):
        return _hours(since, until, span.precision)
    last = (until.replace(tzinfo=None) - timedelta(microseconds=1)).replace(tzinfo=zone)
    if span.precision == "year" and _is_start_of_year(since) and _is_start_of_year(until):
        return f"{since.year}" if since.year == last.year else f"{since.year} to {last.year}"
    if span.precision == "month" and since.day == until.day == 1:
        return _months(since, last)
    if span.precision == "week" and since.weekday() == 0 and _wall(until) - _wall(since) == 7 * _DAY:
        return f"the week of {_day(since)}"
    return _days(since, last)


def _hours(since: datetime, until: datetime, precision: str) -> str:
    length = _wall(until) - _wall(since)
    part = {(5, 7): "morning", (12, 6): "afternoon", (18, 6): "evening", (18, 11): "night"}.get(
        (since.hour, length // timedelta(hours=1))
    )
    if precision == "hour" and part:
        return f"{_WEEKDAYS[since.weekday()]} {_day(since)}, {part}"
    if length <= timedelta(hours=1):
        return _minute(since)
    if since.date() == until.date():
        return f"{_minute(since)} to {until:%H:%M}"
    return f"{_minute(since)} to {_minute(until)}"


def _days(since: datetime, last: datetime) -> str:
    if since.date() == last.date():
        return _day(since)
    if since.year != last.year:
        return f"{_day(since)} to {_day(last)}"
    if since.month != last.month:
        return f"{since.day} {_MONTHS[since.month - 1]} to {_day(last)}"
    return f"{since.day} to {_day(last)}"


def _months(since: datetime, last: datetime) -> str:
    first, final = _MONTHS[since.month - 1], f"{_MONTHS[last.month - 1]} {last.year}"
    if (since.year, since.month) == (last.year, last.month):
        return final
    return f"{first} to {final}" if since.year == last.year else f"{first} {since.year} to {final}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _minute(moment: datetime) -> str:
    return f"{_WEEKDAYS[moment.weekday()]} {_day(moment)}, {moment:%H:%M}"


def _is_start_of_year(moment: datetime) -> bool:
    return moment.month == moment.day == 1


def _wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _partial_iso(text: str, end: bool) -> datetime:
    """First moment of a year or year-month, or of the next one for an end."""
    year, month = int(text[:4]), int(text[5:] or 1)
    if end and len(text) == 4:
        year += 1
    elif end:
        year, month = year + month // 12, month % 12 + 1
    return datetime(year, month, 1)


@lru_cache(maxsize=1)
def _local_zone() -> tzinfo:
    import tzlocal  # 30 ms that only the first look at the clock pays

    try:
        return tzlocal.get_localzone()
    except (LookupError, OSError, ValueError):  # TZ or /etc/localtime names no known zone: today's offset must do
        return datetime.now().astimezone().tzinfo or UTC


def _require_aware(moment: datetime) -> tzinfo:
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InputError(f"the moment {moment.isoformat()} has no timezone", "give an offset: 2026-03-02T09:00Z")
    return moment.tzinfo
