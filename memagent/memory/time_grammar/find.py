"""Runs the rules over a text and joins what they find."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from memagent.memory.time_grammar import dates, relative
from memagent.memory.time_grammar.clock import HOUR, Hour, find_hours, place
from memagent.memory.time_grammar.rules import Context
from memagent.memory.time_grammar.spans import DAY, Piece, edge, shift, unit_piece, weekend_of
from memagent.memory.time_grammar.words import NUMBER, UNIT, number

LONGEST = 20_000  # characters; what a message says beyond that is not searched for times

_WORTH_A_LOOK = re.compile(
    r"\d|day|tonight|tonite|night|morning|afternoon|evening|tom+or+ow|tmr|tomoz|week|month|year|fortnight|decade|"
    r"hour|minute|"
    r"\bmins?\b|\bhrs?\b|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|spring|summer|autumn|fall|winter|mas\b|easter|"
    r"new year|valentine|halloween|thanksgiving|noon|o['’ ]?clock|\b(?:mon|tues?|wed|thurs?|fri|sat|sun)\b|ties\b|"
    r"\bpast\b|quarter|half|lunchtime|dinnertime",
    re.IGNORECASE,
)
_REPEATED = re.compile(
    r"\b(?:every|each|per|any|alternate|most)\s+(?:other\s+|single\s+|second\s+|week\s+on\s+)?(?:the\s+)?$",
    re.IGNORECASE,
)
_DAY_THEN_HOUR = re.compile(
    r"[\s,]+(?:(?:in|during)\s+the\s+|at\s+|@\s*|around\s+|about\s+|by\s+|from\s+|before\s+|after\s+|the\s+)*|\s*@\s*",
    re.IGNORECASE,
)
_HOUR_THEN_DAY = re.compile(r"[\s,]*(?:on\s+|of\s+|for\s+|the\s+)*", re.IGNORECASE)
_HOUR_THEN_PART = re.compile(r"[\s,]*(?:on\s+|in\s+the\s+|at\s+)*", re.IGNORECASE)
_TO = re.compile(r"\s*(?:-|–|—|to|until|till|through|thru|up\s+to)\s*(?:the\s+)?", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+(?:the\s+)?", re.IGNORECASE)
_BETWEEN = re.compile(r"\bbetween\s+(?:the\s+)?$", re.IGNORECASE)
_SINCE = re.compile(r"\b(?:ever\s+)?since\s+(?:about\s+|around\s+|the\s+)*$", re.IGNORECASE)
_EDGE = re.compile(
    r"\b(?:the\s+)?(?P<edge>early|late|mid|(?:end|start|beginning|middle)\s+of|(?:first|second)\s+half\s+of)(?:\s+|"
    r"-)(?:in\s+)?(?:the\s+)?$",
    re.IGNORECASE,
)
_WEEKEND = re.compile(r"\b(?:the\s+)?weekend\s+(?P<how>of|before|after)\s+(?:the\s+)?$", re.IGNORECASE)
_OFFSET = re.compile(
    rf"\b(?:(?P<the>the)|(?P<n>{NUMBER}))\s+(?P<unit>{UNIT})(?:\s+(?P<how>before|after|from|on))?\s+(?:the\s+)?$",
    re.IGNORECASE,
)


def find(text: str, now: datetime, zone: tzinfo, day_first: bool) -> list[Piece]:
    """Every time in the text, in order, none overlapping; `now` is naive, in `zone`."""
    if not _WORTH_A_LOOK.search(text, 0, LONGEST):
        return []
    context = Context(text[:LONGEST].replace("’", "'").replace("\u00a0", " "), now, day_first, zone)
    pieces = _join_hours(context, _days(context))
    pieces = [_extend(context, one) for one in pieces]
    return _join_ranges(context, _without_overlaps(pieces))


def _days(context: Context) -> list[Piece]:
    found: list[Piece] = []
    impossible: list[tuple[int, int]] = []
    for one in (*dates.RULES, *relative.RULES):
        for match in one.pattern.finditer(context.text):
            try:
                piece = one.build(context, match)
            except (ValueError, OverflowError, IndexError):  # 31 February, the year 12000: no date, nor any part of it
                impossible.append(match.span())
                continue
            if piece and not _REPEATED.search(context.text[max(0, piece.start - 30) : piece.start]):
                found.append(piece)
    return _without_overlaps(
        [piece for piece in found if not any(low <= piece.start and piece.end <= high for low, high in impossible)]
    )


def _without_overlaps(pieces: list[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda one: (one.start, -one.end)):
        if not kept or piece.start >= kept[-1].end:
            kept.append(piece)
        elif piece.end - piece.start > kept[-1].end - kept[-1].start:
            kept[-1] = piece
    return kept


def _join_hours(context: Context, days: list[Piece]) -> list[Piece]:
    text = context.text
    hours = _outside(days, find_hours(text))
    starts = [hour.start for hour in hours]
    used: set[Hour] = set()
    joined: list[Piece] = []
    for day in days:
        if not (day.is_day or day.is_part_of_day):
            joined.append(day)
            continue
        near = hours[bisect_left(starts, day.start - 80) : bisect_left(starts, day.end + 80)]
        beside = _hours_beside(text, day, [hour for hour in near if hour not in used])
        used.update(beside)
        if beside and not (day.is_part_of_day and all(hour.part for hour in beside)):
            start, end = min(day.start, *(hour.start for hour in beside)), max(day.end, *(hour.end for hour in beside))
            day = place(start, end, day, beside)
        joined.append(day)
    left = [hour for hour in hours if hour not in used]
    return _without_overlaps([*joined, *_hours_alone(context, left)])


def _outside(days: list[Piece], hours: list[Hour]) -> list[Hour]:
    """The hours that no day covers; both lists are in order."""
    starts = [day.start for day in days]

    def covered(hour: Hour) -> bool:
        at = bisect_left(starts, hour.end)
        return at > 0 and days[at - 1].end > hour.start

    return [hour for hour in hours if not covered(hour)]


def _hours_beside(text: str, day: Piece, hours: list[Hour]) -> list[Hour]:
    """At most one clock time and one part of the day, next to the day on either side."""
    beside: list[Hour] = []
    start, end = day.start, day.end
    for _ in range(2):
        for hour in hours:
            if hour in beside or any(bool(hour.part) == bool(other.part) for other in beside):
                continue
            if end <= hour.start <= end + 24 and _DAY_THEN_HOUR.fullmatch(text, end, hour.start):
                beside.append(hour)
                end = hour.end
            elif start - 24 <= hour.end <= start and _HOUR_THEN_DAY.fullmatch(text, hour.end, start):
                beside.append(hour)
                start = hour.start
    return beside


def _hours_alone(context: Context, hours: list[Hour]) -> list[Piece]:
    """Clock times with no day beside them are of today, or of the day that the tense asks for."""
    pieces: list[Piece] = []
    taken: set[Hour] = set()
    for at, hour in enumerate(hours):
        if hour.part or hour in taken:
            continue
        after = hours[at + 1] if at + 1 < len(hours) else None
        group = [hour]
        if after and after.part and _HOUR_THEN_PART.fullmatch(context.text, hour.end, after.start):
            group.append(after)
            taken.add(after)
        if not hour.alone and len(group) == 1:
            continue
        start, end = hour.start, group[-1].end
        if _REPEATED.search(context.text[max(0, start - 30) : start]) or re.match(
            r"\s+(?:every|each)\b", context.text[end : end + 12], re.IGNORECASE
        ):
            continue
        if not hour.alone:  # "at 7 in the evening": the preposition is not part of it
            start = hour.end - len(re.split(r"[\s@]+", context.text[start : hour.end])[-1])
        day = unit_piece(start, end, context.today, "day")
        piece = place(start, end, day, group)
        direction = context.tense.direction(start, end)
        if direction == "future" and piece.until <= context.now:
            half_day = hour.either and hour.hour <= 8 and len(group) == 1 and piece.since + 12 * HOUR > context.now
            piece = _moved(piece, 12 * HOUR if half_day else DAY)
        elif direction == "past" and piece.since > context.now:
            piece = _moved(piece, -DAY)
        pieces.append(piece)
    return pieces


def _moved(piece: Piece, by: timedelta) -> Piece:
    return replace(piece, since=piece.since + by, until=piece.until + by)


def _extend(context: Context, piece: Piece) -> Piece:
    """`since X`, `early X`, `the weekend of X`, `two days before X`: the words in front change what X means."""
    low = max(0, piece.start - 40)
    before = context.text[low : piece.start]
    try:
        match = _EDGE.search(before)
        if (
            match
            and piece.precision in ("week", "month", "year")
            and not match["edge"].lower().startswith(("first", "second"))
        ):
            piece = replace(edge(match["edge"], piece), start=low + match.start())
            before = before[: match.start()]
        match = _WEEKEND.search(before)
        if match and piece.precision in ("day", "week"):
            return _weekend_near(piece, match["how"].lower(), low + match.start())
        match = _OFFSET.search(before)
        if match and piece.precision in ("day", "week", "month"):
            piece = _offset(piece, match, low)
            before = context.text[low : piece.start]
        match = _SINCE.search(before)
        if match and piece.since <= context.now:
            return replace(piece, start=low + match.start(), until=context.today + DAY)
    except (ValueError, OverflowError):
        return piece
    return piece


def _weekend_near(piece: Piece, how: str, start: int) -> Piece:
    since = weekend_of(piece.since)
    if how == "before" and since + DAY >= piece.since:
        since -= 7 * DAY
    elif how == "after" and since <= piece.since:
        since += 7 * DAY
    return Piece(start, piece.end, since, since + 2 * DAY, "day")


def _offset(piece: Piece, match: re.Match[str], low: int) -> Piece:
    unit, how = match["unit"].lower().rstrip("s"), (match["how"] or "").lower()
    start = low + match.start()
    if unit in ("hour", "minute", "min", "hr", "decade", "weekend"):
        return piece
    sign = -1 if how == "before" else 1
    if how == "on" and unit not in ("week", "fortnight"):
        return piece
    if not how and not (piece.is_day and match["n"] and unit in ("week", "fortnight")):
        return piece
    if match["the"]:
        if how not in ("before", "after") or unit == "fortnight":
            return piece
        return unit_piece(start, piece.end, shift(piece.since, sign, unit), unit)
    count = number(match["n"])
    if count != int(count):
        return piece
    since = shift(piece.since, sign * int(count), unit)
    return Piece(start, piece.end, since, since + (piece.until - piece.since), piece.precision)


def _join_ranges(context: Context, pieces: list[Piece]) -> list[Piece]:
    """`A to B`, `A - B`, `between A and B` become one interval."""
    joined: list[Piece] = []
    for piece in pieces:
        first = joined[-1] if joined else None
        if first and _links(context.text, first, piece):
            for _ in range(2):
                if piece.repeats and piece.since < first.since:
                    by = shift(piece.since, 1, piece.repeats) - piece.since
                    piece = _moved(piece, by)
            if first.since < piece.until:
                joined[-1] = Piece(first.start, piece.end, first.since, piece.until, piece.precision, first.repeats)
                continue
        joined.append(piece)
    return joined


def _links(text: str, first: Piece, second: Piece) -> bool:
    if second.start - first.end > 16:
        return False
    if _TO.fullmatch(text, first.end, second.start):
        return True
    before = text[max(0, first.start - 16) : first.start]
    return _AND.fullmatch(text, first.end, second.start) is not None and _BETWEEN.search(before) is not None
