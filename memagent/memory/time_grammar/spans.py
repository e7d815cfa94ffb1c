"""Calendar arithmetic on naive local datetimes: a rule speaks of wall-clock time, the zone is put on at the end."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Precision = Literal["minute", "hour", "day", "week", "month", "year"]

DAY = timedelta(days=1)
UNIT_PRECISION: dict[str, Precision] = {
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "year",
    "decade": "year",
}
_PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (18, 29)}


@dataclass(frozen=True)
class Piece:
    """Characters `start:end` of the text mean the half-open, naive local interval `since`..`until`.

    `repeats` is the unit after which the same words come round again ("week" for a weekday, "year" for 3 March).
    """

    start: int
    end: int
    since: datetime
    until: datetime
    precision: Precision
    repeats: str = ""

    @property
    def is_day(self) -> bool:
        return self.precision == "day" and self.until - self.since == DAY

    @property
    def is_part_of_day(self) -> bool:
        return self.precision == "hour" and self.until - self.since > timedelta(hours=1)


def midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def shift_months(moment: datetime, months: int) -> datetime:
    """The same day `months` later, or the last day of that month where it is shorter."""
    index = moment.year * 12 + moment.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def unit_start(moment: datetime, unit: str) -> datetime:
    """Midnight at the start of the day, week (Monday), month, year or decade that holds `moment`."""
    day = midnight(moment)
    if unit == "week":
        return day - day.weekday() * DAY
    if unit == "month":
        return day.replace(day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    if unit == "decade":
        return day.replace(year=day.year - day.year % 10, month=1, day=1)
    return day


def shift(moment: datetime, count: int, unit: str) -> datetime:
    """`moment` plus `count` days, weeks, fortnights, months, years or decades."""
    if unit in ("month", "year", "decade"):
        return shift_months(moment, count * {"month": 1, "year": 12, "decade": 120}[unit])
    return moment + count * {"day": 1, "week": 7, "fortnight": 14}[unit] * DAY


def unit_piece(start: int, end: int, moment: datetime, unit: str) -> Piece:
    """The whole day, week, month, year or decade around `moment`."""
    first = unit_start(moment, unit)
    return Piece(start, end, first, shift(first, 1, unit), UNIT_PRECISION[unit])


def edge(name: str, whole: Piece) -> Piece:
    """The `early`, `mid`, `late`, `start of`, `middle of` or `end of` part of a week, month or year."""
    name = name.lower()
    first, last = whole.since, whole.until
    length: Precision = "day"
    if whole.precision == "month":
        marks = (0, 10, 20)
    elif whole.precision == "week":
        marks = (0, 2, 4)
    else:
        marks, length = (0, 4, 8), "month"
    if name.startswith(("end", "start", "beginning")) and whole.precision != "week":
        day = last - DAY if name.startswith("end") else first
        return Piece(whole.start, whole.end, day, day + DAY, "day", whole.repeats)

    def mark(n: int) -> datetime:
        return shift_months(first, n) if length == "month" else first + n * DAY

    if name.startswith(("early", "start", "beginning")):
        bounds = (mark(marks[0]), mark(marks[1]))
    elif name.startswith(("mid", "middle")):
        bounds = (mark(marks[1]), mark(marks[2]))
    else:
        bounds = (mark(marks[2]), last)
    return Piece(whole.start, whole.end, *bounds, length, whole.repeats)


def weekend_of(moment: datetime) -> datetime:
    """Saturday of the week (Monday to Sunday) that holds `moment`."""
    return unit_start(moment, "week") + 5 * DAY


def part_of_day(day: datetime, part: str) -> tuple[datetime, datetime]:
    """Morning 05-12, afternoon 12-18, evening 18-24, night 18-05."""
    first, last = _PARTS[part]
    return day + timedelta(hours=first), day + timedelta(hours=last)


def nth_weekday(month: datetime, weekday: int, nth: int) -> datetime:
    """The nth weekday (from 1; -1 is the last) of a month, given by its first day. ValueError if there is none."""
    if nth < 0:
        last = shift_months(month, 1) - DAY
        return last - (last.weekday() - weekday) % 7 * DAY
    day = month + ((weekday - month.weekday()) % 7 + 7 * (nth - 1)) * DAY
    if day.month != month.month:
        raise ValueError("no such weekday in that month")
    return day


def easter(year: int) -> datetime:
    """Easter Sunday in the Gregorian calendar (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return datetime(year, f // 31, f % 31 + 1)


def holiday(name: str, year: int) -> datetime:
    """The day of a holiday of that year; the name in lower case, without apostrophes."""
    if name.startswith("easter") or name == "good friday":
        return easter(year) + {"good friday": -2, "easter monday": 1}.get(name, 0) * DAY
    if name == "thanksgiving":
        return nth_weekday(datetime(year, 11, 1), 3, 4)
    for prefix, month, day in (
        ("christmas eve", 12, 24),
        ("boxing", 12, 26),
        ("new years eve", 12, 31),
        ("new year", 1, 1),
        ("valentine", 2, 14),
        ("halloween", 10, 31),
    ):
        if name.startswith(prefix):
            return datetime(year, month, day)
    return datetime(year, 3, 17) if "patrick" in name else datetime(year, 12, 25)
