"""Rules that name an hour of some day: 8:15, 3pm, half past six, at noon, in the evening.

Hours without am or pm: 1 to 6 are taken as afternoon ("at 3", "half past six", "3:30" but not "03:30"), 7 to 12 as they
stand; a part of the day named with them ("tonight", "in the morning") decides where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from memagent.memory.time_grammar.spans import DAY, Piece, Precision, part_of_day
from memagent.memory.time_grammar.words import DAY_PART, GOES_ON, number

HOUR = timedelta(hours=1)
_SETTLES = {"morning": (0, 12), "afternoon": (12, 19), "evening": (15, 24), "night": (18, 30)}  # hours said with a part
_HOUR_WORD = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|1[0-2]|[1-9])"


@dataclass(frozen=True)
class Hour:
    """A clock time, or a part of the day, not yet of a day. `either` says that it could be am or pm.

    `alone` says that it is clear without a day beside it.
    """

    start: int
    end: int
    hour: int = 0
    minute: int = 0
    precision: Precision = "hour"
    either: bool = False
    alone: bool = True
    part: str = ""
    length: timedelta = HOUR  # of a range such as "9 to 5"; else what the precision says


Build = Callable[["re.Match[str]"], "Hour | None"]
_RULES: list[tuple[re.Pattern[str], Build]] = []


def _clock(pattern: str) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        _RULES.append((re.compile(pattern, re.IGNORECASE), build))
        return build

    return add


@_clock(
    rf"(?<![\w.,:/£$€+-])(?P<lead>(?:from|between)\s+)?(?P<h1>2[0-3]|1\d|0?\d)(?P<m1>:[0-5]\d)?\s?(?P<half1>[ap]m)?"
    rf"\s*(?:-|–|to|until|till|and)\s*(?P<h2>2[0-3]|1\d|0?\d)(?P<m2>:[0-5]\d)?\s?(?P<half2>[ap]m)?(?![\w:/%]|"
    rf"[.,]\d){GOES_ON}"
)
def _hours(match: re.Match[str]) -> Hour | None:
    clear = match["half1"] or match["half2"] or (match["m1"] and match["m2"])
    if not (clear or match["lead"]) or (" and " in match.group() and not (match["lead"] or "").startswith(("b", "B"))):
        return None
    first, last = (60 * int(match[f"h{n}"]) + int((match[f"m{n}"] or ":0")[1:]) for n in (1, 2))
    length = (last - first) % 720 or 720
    half = (match["half1"] or match["half2"] or "").lower()
    if match["half1"] and match["half2"] and match["half1"].lower() != match["half2"].lower():
        length += 720 if length < 720 and first % 720 < last % 720 else 0
    elif not match["half1"] and match["half2"] and first % 720 > last % 720:
        half = "am" if half == "pm" else "pm"  # 11 to 2pm
    if half:
        first = first % 720 + (720 if half == "pm" else 0)
    start = match.end("lead") if match["lead"] else match.start()
    either = not half and first < 780
    return Hour(start, match.end(), first // 60, first % 60, "hour", either, bool(clear), "", timedelta(minutes=length))


@_clock(r"(?<![\w.,:/£$€+-])(?P<hour>[01]?\d|2[0-3])(?P<minute>[:.][0-5]\d)?\s?(?P<half>[ap])\.?m\b\.?")
def _am_pm(match: re.Match[str]) -> Hour | None:
    hour = int(match["hour"])
    if hour > 12 or (hour == 0 and match["half"].lower() == "p"):
        return None
    hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    end = match.end() - (1 if match.group().endswith(".") and "." not in match.group()[:-1][-3:] else 0)
    minute = int(match["minute"][1:]) if match["minute"] else 0
    return Hour(match.start(), end, hour, minute, "minute" if match["minute"] else "hour")


@_clock(
    r"(?<![\w.,:/£$€+-])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:/]|\.\d|\s*(?:minutes?|mins?|"
    r"hours?|hrs?|ratio)\b)"
)
def _digits(match: re.Match[str]) -> Hour | None:
    before = match.string[max(0, match.start() - 16) : match.start()]
    if re.search(
        r"\b(?:ratio|score|scored|won|lost|in|verse|psalms?|john|luke|mark|matthew|genesis|romans|proverbs|chapter|"
        r"of)\s+$",
        before,
        re.IGNORECASE,
    ):
        return None
    either = match["hour"] in "123456"
    hour = int(match["hour"])
    return Hour(match.start(), match.end(), hour, int(match["minute"]), "minute", either or hour in range(7, 12))


@_clock(
    rf"\b(?:(?P<half>half)\s+past\s+(?P<h1>{_HOUR_WORD})|(?P<quarter>quarter)\s+(?P<way>past|to)\s+"
    rf"(?P<h2>{_HOUR_WORD})|"
    rf"(?P<n>five|ten|twenty[- ]five|twenty|5|10|20|25)\s+(?:minutes\s+)?past\s+(?P<h3>{_HOUR_WORD})|"
    rf"(?<=at\s)(?P<m>five|ten|twenty[- ]five|twenty|5|10|20|25)\s+to\s+(?P<h4>{_HOUR_WORD})|(?:(?<=at\s)|"
    rf"(?<=by\s))half\s+(?P<h5>{_HOUR_WORD}))\b"
)
def _spoken(match: re.Match[str]) -> Hour:
    hour = int(number(next(match[name] for name in ("h1", "h2", "h3", "h4", "h5") if match[name])))
    if match["quarter"]:
        minutes = 15 if match["way"].lower() == "past" else -15
    elif match["n"]:
        minutes = int(number(match["n"]))
    elif match["m"]:
        minutes = -int(number(match["m"]))
    else:
        minutes = 30
    hour, minute = (hour, minutes) if minutes > 0 else ((hour - 2) % 12 + 1, 60 + minutes)
    start = match.start()
    article = re.search(r"\ba\s+$", match.string[max(0, start - 4) : start], re.IGNORECASE)
    return Hour(start - len(article.group()) if article else start, match.end(), hour, minute, "minute", True)


@_clock(rf"\b(?P<hour>{_HOUR_WORD})\s+o['’ ]?clock\b")
def _o_clock(match: re.Match[str]) -> Hour:
    return Hour(match.start(), match.end(), int(number(match["hour"])), 0, "hour", True)


@_clock(rf"\b(?:12\s+)?(?P<name>noon|midday|midnight)\b{GOES_ON}")
def _named(match: re.Match[str]) -> Hour:
    return Hour(match.start(), match.end(), 24 if match["name"].lower() == "midnight" else 12)


@_clock(
    rf"\b(?:at|@|by|around|about|from)\s+(?:about\s+|around\s+)?(?P<hour>{_HOUR_WORD}|1[3-9]|2[0-3])(?![\w:/%]|"
    rf"[.,]\d|\s*[ap]\.?m\b){GOES_ON}"
    rf"(?!\s+(?:of|to)\b)|(?<![\w.,:/£$€-])(?P<bare>{_HOUR_WORD})(?=\s+(?:in\s+the\s+{DAY_PART}|at\s+night|tonight|"
    rf"this\s+evening)\b)"
)
def _at(match: re.Match[str]) -> Hour:
    hour = int(number(match["hour"] or match["bare"]))
    return Hour(match.start(), match.end(), hour, 0, "hour", hour <= 12, alone=False)


@_clock(
    rf"\b(?:(?:in|during)\s+the\s+|at\s+|the\s+)?(?:early\s+|late\s+)?(?P<part>{DAY_PART})\b|(?P<bed>\b(?:at\s+)?"
    rf"(?:lunchtime|dinnertime)\b)"
)
def _part(match: re.Match[str]) -> Hour | None:
    if match["bed"]:
        return Hour(match.start(), match.end(), 12 if "lunch" in match["bed"].lower() else 19, alone=False)
    return Hour(match.start(), match.end(), alone=False, part=match["part"].lower())


def find_hours(text: str) -> list[Hour]:
    """Every clock time and part of the day in a text, in order, none overlapping."""
    found = [hour for pattern, build in _RULES for match in pattern.finditer(text) if (hour := build(match))]
    found.sort(key=lambda hour: (hour.start, -hour.end))
    kept: list[Hour] = []
    for hour in found:
        if not kept or hour.start >= kept[-1].end:
            kept.append(hour)
    return kept


def place(start: int, end: int, day: Piece, hours: list[Hour]) -> Piece:
    """The hour on that day; `day` may itself be a part of a day (tonight), which then settles am or pm."""
    midnight = day.since.replace(hour=0, minute=0)
    clock = next((hour for hour in hours if not hour.part), None)
    part = next((hour.part for hour in hours if hour.part), "")
    if clock is None:
        return Piece(start, end, *part_of_day(midnight, part), "hour", day.repeats)
    if not part and day.is_part_of_day:
        part = next(
            name for name in ("morning", "afternoon", "evening", "night") if part_of_day(midnight, name)[1] >= day.until
        )
    window = (midnight + _SETTLES[part][0] * HOUR, midnight + _SETTLES[part][1] * HOUR) if part else None
    since = _moment(midnight, clock, window)
    length = clock.length if clock.precision == "hour" else timedelta(minutes=1)
    return Piece(start, end, since, since + length, clock.precision, day.repeats)


def _moment(midnight: datetime, clock: Hour, window: tuple[datetime, datetime] | None) -> datetime:
    moment = midnight + timedelta(hours=clock.hour, minutes=clock.minute)
    if not clock.either:
        return moment
    if window:
        first = moment - 12 * HOUR if clock.hour == 12 else moment
        choices = (first, first + 12 * HOUR, first + DAY)
        inside = [choice for choice in choices if window[0] <= choice < window[1]]
        if inside:
            return inside[0]
    return moment + 12 * HOUR if clock.hour <= 6 else moment
