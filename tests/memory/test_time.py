"""Times in texts, against one clock: Wednesday 4 March 2026, 10:30 in Paris."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memagent.errors import InputError
from memagent.memory.time import (
    Clock,
    FixedClock,
    SystemClock,
    describe,
    find_times,
    from_text,
    parse_bound,
    resolve,
    to_text,
)

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 4, 10, 30, tzinfo=PARIS)

# (text, the words found, first moment, end, precision); a date alone is its midnight
FOUND = [
    # days by name
    ("we met yesterday", "yesterday", "2026-03-03", "2026-03-04", "day"),
    ("nothing on today", "today", "2026-03-04", "2026-03-05", "day"),
    ("call her tomorrow", "tomorrow", "2026-03-05", "2026-03-06", "day"),
    ("see you tommorow", "tommorow", "2026-03-05", "2026-03-06", "day"),
    ("gym tmrw", "tmrw", "2026-03-05", "2026-03-06", "day"),
    ("the day after tomorrow", "the day after tomorrow", "2026-03-06", "2026-03-07", "day"),
    ("it broke the day before yesterday", "the day before yesterday", "2026-03-02", "2026-03-03", "day"),
    ("out tonight", "tonight", "2026-03-04 18:00", "2026-03-05 05:00", "hour"),
    ("I slept badly last night", "last night", "2026-03-03 18:00", "2026-03-04 05:00", "hour"),
    ("this morning was cold", "this morning", "2026-03-04 05:00", "2026-03-04 12:00", "hour"),
    ("back this afternoon", "this afternoon", "2026-03-04 12:00", "2026-03-04 18:00", "hour"),
    ("pick it up this evening", "this evening", "2026-03-04 18:00", "2026-03-05", "hour"),
    # weekdays
    ("we went on Friday", "Friday", "2026-02-27", "2026-02-28", "day"),
    ("on Friday we will go to Porto", "Friday", "2026-03-06", "2026-03-07", "day"),
    ("On Friday, we went to Porto", "Friday", "2026-02-27", "2026-02-28", "day"),
    ("dentist on friday", "friday", "2026-03-06", "2026-03-07", "day"),
    ("what did I do on Monday?", "Monday", "2026-03-02", "2026-03-03", "day"),
    ("what's on Monday?", "Monday", "2026-03-09", "2026-03-10", "day"),
    ("I'm seeing her on Sunday", "Sunday", "2026-03-08", "2026-03-09", "day"),
    ("she saw him Tuesday", "Tuesday", "2026-03-03", "2026-03-04", "day"),
    ("they met on Wednesday", "Wednesday", "2026-02-25", "2026-02-26", "day"),
    ("the report was due by Friday", "Friday", "2026-03-06", "2026-03-07", "day"),
    ("I booked a table for Saturday", "Saturday", "2026-03-07", "2026-03-08", "day"),
    ("we went by bus and on Friday we will fly", "Friday", "2026-03-06", "2026-03-07", "day"),
    ("sorry, i meant thursday", "thursday", "2026-03-05", "2026-03-06", "day"),
    ("last Friday", "last Friday", "2026-02-27", "2026-02-28", "day"),
    ("this Friday", "this Friday", "2026-03-06", "2026-03-07", "day"),
    ("we ate out this Monday", "this Monday", "2026-03-02", "2026-03-03", "day"),
    ("next Friday", "next Friday", "2026-03-13", "2026-03-14", "day"),
    ("next Monday", "next Monday", "2026-03-09", "2026-03-10", "day"),
    ("this coming Sunday", "this coming Sunday", "2026-03-08", "2026-03-09", "day"),
    ("Friday after next", "Friday after next", "2026-03-20", "2026-03-21", "day"),
    ("Friday week", "Friday week", "2026-03-13", "2026-03-14", "day"),
    ("a week on Friday", "a week on Friday", "2026-03-13", "2026-03-14", "day"),
    ("Tuesday next week", "Tuesday next week", "2026-03-10", "2026-03-11", "day"),
    ("next week on Tuesday", "next week on Tuesday", "2026-03-10", "2026-03-11", "day"),
    ("Monday of last week", "Monday of last week", "2026-02-23", "2026-02-24", "day"),
    ("3 Fridays ago", "3 Fridays ago", "2026-02-13", "2026-02-14", "day"),
    ("call me on Sat", "Sat", "2026-03-07", "2026-03-08", "day"),
    ("lunch Tue at 1", "Tue at 1", "2026-03-10 13:00", "2026-03-10 14:00", "hour"),
    # units
    ("last week", "last week", "2026-02-23", "2026-03-02", "week"),
    ("this week", "this week", "2026-03-02", "2026-03-09", "week"),
    ("what have i got on next week", "next week", "2026-03-09", "2026-03-16", "week"),
    ("next month", "next month", "2026-04-01", "2026-05-01", "month"),
    ("he retired last month", "last month", "2026-02-01", "2026-03-01", "month"),
    ("last year", "last year", "2025-01-01", "2026-01-01", "year"),
    ("this year's resolution", "this year", "2026-01-01", "2027-01-01", "year"),
    ("next year", "next year", "2027-01-01", "2028-01-01", "year"),
    ("the week before last", "the week before last", "2026-02-16", "2026-02-23", "week"),
    ("the month after next", "the month after next", "2026-05-01", "2026-06-01", "month"),
    ("the year before last", "the year before last", "2024-01-01", "2025-01-01", "year"),
    ("last weekend", "last weekend", "2026-02-28", "2026-03-02", "day"),
    ("this weekend", "this weekend", "2026-03-07", "2026-03-09", "day"),
    ("next weekend", "next weekend", "2026-03-14", "2026-03-16", "day"),
    ("we hiked at the weekend", "the weekend", "2026-02-28", "2026-03-02", "day"),
    ("we will hike at the weekend", "the weekend", "2026-03-07", "2026-03-09", "day"),
    ("the weekend of 14 March", "the weekend of 14 March", "2026-03-14", "2026-03-16", "day"),
    # counted
    ("in two weeks", "in two weeks", "2026-03-18", "2026-03-19", "day"),
    ("my stitches come out in ten days", "in ten days", "2026-03-14", "2026-03-15", "day"),
    ("in 3 days' time", "in 3 days' time", "2026-03-07", "2026-03-08", "day"),
    ("in six months", "in six months", "2026-09-01", "2026-10-01", "month"),
    ("three days ago", "three days ago", "2026-03-01", "2026-03-02", "day"),
    ("a week ago", "a week ago", "2026-02-25", "2026-02-26", "day"),
    ("a fortnight ago", "a fortnight ago", "2026-02-18", "2026-02-19", "day"),
    ("a couple of months ago", "a couple of months ago", "2026-01-01", "2026-02-01", "month"),
    ("a few years ago", "a few years ago", "2023-01-01", "2024-01-01", "year"),
    ("a year and a half ago", "a year and a half ago", "2024-09-01", "2024-10-01", "month"),
    ("twenty-five years ago", "twenty-five years ago", "2001-01-01", "2002-01-01", "year"),
    ("5 years ago today", "5 years ago today", "2021-03-04", "2021-03-05", "day"),
    ("two weekends ago", "two weekends ago", "2026-02-21", "2026-02-23", "day"),
    ("20 minutes ago", "20 minutes ago", "2026-03-04 10:10", "2026-03-04 10:11", "minute"),
    ("an hour ago", "an hour ago", "2026-03-04 09:00", "2026-03-04 10:00", "hour"),
    ("in half an hour", "in half an hour", "2026-03-04 11:00", "2026-03-04 11:01", "minute"),
    ("two weeks from Friday", "two weeks from Friday", "2026-03-20", "2026-03-21", "day"),
    ("a week tomorrow", "a week tomorrow", "2026-03-12", "2026-03-13", "day"),
    ("45 days after 2 January 2026", "45 days after 2 January 2026", "2026-02-16", "2026-02-17", "day"),
    ("the day after Christmas", "the day after Christmas", "2026-12-26", "2026-12-27", "day"),
    ("two days before 1 May", "two days before 1 May", "2026-04-29", "2026-04-30", "day"),
    ("the week before 9 June 2023", "the week before 9 June 2023", "2023-05-29", "2023-06-05", "week"),
    # windows
    ("in the last two weeks", "the last two weeks", "2026-02-18", "2026-03-05", "week"),
    ("over the past month", "the past month", "2026-02-04", "2026-03-05", "month"),
    ("for the last three years", "the last three years", "2023-03-04", "2026-03-05", "year"),
    ("next three days", "next three days", "2026-03-04", "2026-03-08", "day"),
    ("pay within two weeks", "within two weeks", "2026-03-04", "2026-03-19", "week"),
    ("since 2019", "since 2019", "2019-01-01", "2026-03-05", "year"),
    ("off since Friday", "since Friday", "2026-02-27", "2026-03-05", "day"),
    ("since last May", "since last May", "2025-05-01", "2026-03-05", "month"),
    ("since Christmas", "since Christmas", "2025-12-25", "2026-03-05", "day"),
    # calendar days
    ("3 March", "3 March", "2026-03-03", "2026-03-04", "day"),
    ("March 3rd", "March 3rd", "2026-03-03", "2026-03-04", "day"),
    ("the 6th of may", "the 6th of may", "2026-05-06", "2026-05-07", "day"),
    ("the eleventh of July.", "the eleventh of July", "2026-07-11", "2026-07-12", "day"),
    ("born on 3 May 1990", "3 May 1990", "1990-05-03", "1990-05-04", "day"),
    ("June 5, 2024", "June 5, 2024", "2024-06-05", "2024-06-06", "day"),
    ("5 Sept. 2023", "5 Sept. 2023", "2023-09-05", "2023-09-06", "day"),
    ("12 Dec '24", "12 Dec '24", "2024-12-12", "2024-12-13", "day"),
    ("we married on 2 May", "2 May", "2026-05-02", "2026-05-03", "day"),
    ("we flew there on 2 May", "2 May", "2025-05-02", "2025-05-03", "day"),
    ("14 july 1789", "14 july 1789", "1789-07-14", "1789-07-15", "day"),
    ("29 February", "29 February", "2028-02-29", "2028-03-01", "day"),
    ("Thursday 5 March 2026", "Thursday 5 March 2026", "2026-03-05", "2026-03-06", "day"),
    ("Sat 7 March", "Sat 7 March", "2026-03-07", "2026-03-08", "day"),
    ("2026-03-02", "2026-03-02", "2026-03-02", "2026-03-03", "day"),
    ("2026/3/2", "2026/3/2", "2026-03-02", "2026-03-03", "day"),
    ("3/4/2026", "3/4/2026", "2026-04-03", "2026-04-04", "day"),
    ("3.5.2026", "3.5.2026", "2026-05-03", "2026-05-04", "day"),
    ("3/4/26", "3/4/26", "2026-04-03", "2026-04-04", "day"),
    ("12/25/2026", "12/25/2026", "2026-12-25", "2026-12-26", "day"),
    ("due on 3/4", "3/4", "2026-04-03", "2026-04-04", "day"),
    ("on the 14th", "the 14th", "2026-03-14", "2026-03-15", "day"),
    ("we paid on the 2nd", "the 2nd", "2026-03-02", "2026-03-03", "day"),
    ("off until the 19th", "the 19th", "2026-03-19", "2026-03-20", "day"),
    ("the vet moved us to the 23rd", "the 23rd", "2026-03-23", "2026-03-24", "day"),
    ("the 1st of next month", "the 1st of next month", "2026-04-01", "2026-04-02", "day"),
    ("Friday the 13th", "Friday the 13th", "2026-03-13", "2026-03-14", "day"),
    ("put back to Tuesday 9th", "Tuesday 9th", "2026-06-09", "2026-06-10", "day"),
    ("10 to 12 May", "10 to 12 May", "2026-05-10", "2026-05-13", "day"),
    ("May 3-5", "May 3-5", "2026-05-03", "2026-05-06", "day"),
    ("between 3 March and 5 April", "3 March and 5 April", "2026-03-03", "2026-04-06", "day"),
    ("3rd March 2020 - 5 April 2021", "3rd March 2020 - 5 April 2021", "2020-03-03", "2021-04-06", "day"),
    ("from 20 December to 5 January", "20 December to 5 January", "2026-12-20", "2027-01-06", "day"),
    ("from Monday to Wednesday", "Monday to Wednesday", "2026-03-09", "2026-03-12", "day"),
    # months, seasons, years, holidays
    ("they start in May", "May", "2026-05-01", "2026-06-01", "month"),
    ("she was there in May", "May", "2025-05-01", "2025-06-01", "month"),
    ("how much did i weigh in january", "january", "2026-01-01", "2026-02-01", "month"),
    ("we go in september", "september", "2026-09-01", "2026-10-01", "month"),
    ("May 2024", "May 2024", "2024-05-01", "2024-06-01", "month"),
    ("runs out in February 2028.", "February 2028", "2028-02-01", "2028-03-01", "month"),
    ("last May", "last May", "2025-05-01", "2025-06-01", "month"),
    ("October was hard", "October", "2025-10-01", "2025-11-01", "month"),
    ("early March", "early March", "2026-03-01", "2026-03-11", "day"),
    ("mid-May", "mid-May", "2026-05-11", "2026-05-21", "day"),
    ("late last year", "late last year", "2025-09-01", "2026-01-01", "month"),
    ("the end of the month", "the end of the month", "2026-03-31", "2026-04-01", "day"),
    ("end of next month", "end of next month", "2026-04-30", "2026-05-01", "day"),
    ("the beginning of May", "the beginning of May", "2026-05-01", "2026-05-02", "day"),
    ("early next week", "early next week", "2026-03-09", "2026-03-11", "day"),
    ("the first Monday of May", "the first Monday of May", "2026-05-04", "2026-05-05", "day"),
    ("the last Friday in May", "the last Friday in May", "2026-05-29", "2026-05-30", "day"),
    ("last week of May", "last week of May", "2026-05-25", "2026-06-01", "week"),
    ("the last day of the month", "the last day of the month", "2026-03-31", "2026-04-01", "day"),
    ("fitted in 2017", "2017", "2017-01-01", "2018-01-01", "year"),
    ("from 2019 to 2021", "2019 to 2021", "2019-01-01", "2022-01-01", "year"),
    ("in the 90s", "90s", "1990-01-01", "2000-01-01", "year"),
    ("Q3 2025", "Q3 2025", "2025-07-01", "2025-10-01", "month"),
    ("last summer", "last summer", "2025-06-01", "2025-09-01", "month"),
    ("next winter", "next winter", "2026-12-01", "2027-03-01", "month"),
    ("summer of 2019", "summer of 2019", "2019-06-01", "2019-09-01", "month"),
    ("at Christmas", "Christmas", "2026-12-25", "2026-12-26", "day"),
    ("we were there at Christmas", "Christmas", "2025-12-25", "2025-12-26", "day"),
    ("New Year's Eve 2024", "New Year's Eve 2024", "2024-12-31", "2025-01-01", "day"),
    ("by easter", "easter", "2026-04-05", "2026-04-06", "day"),
    ("Thanksgiving", "Thanksgiving", "2026-11-26", "2026-11-27", "day"),
    # hours
    ("Thursday at 3", "Thursday at 3", "2026-03-05 15:00", "2026-03-05 16:00", "hour"),
    ("tomorrow at 9", "tomorrow at 9", "2026-03-05 09:00", "2026-03-05 10:00", "hour"),
    ("3pm tomorrow", "3pm tomorrow", "2026-03-05 15:00", "2026-03-05 16:00", "hour"),
    ("at 3pm on Thursday", "3pm on Thursday", "2026-03-05 15:00", "2026-03-05 16:00", "hour"),
    ("half past six", "half past six", "2026-03-04 18:30", "2026-03-04 18:31", "minute"),
    ("8:15", "8:15", "2026-03-04 08:15", "2026-03-04 08:16", "minute"),
    ("the train is at 14:05", "14:05", "2026-03-04 14:05", "2026-03-04 14:06", "minute"),
    ("I'll be there at 8:15", "8:15", "2026-03-04 20:15", "2026-03-04 20:16", "minute"),
    ("moved to 9:20", "9:20", "2026-03-05 09:20", "2026-03-05 09:21", "minute"),
    ("at noon", "noon", "2026-03-04 12:00", "2026-03-04 13:00", "hour"),
    ("at midnight", "midnight", "2026-03-05", "2026-03-05 01:00", "hour"),
    ("a quarter to nine", "a quarter to nine", "2026-03-04 08:45", "2026-03-04 08:46", "minute"),
    ("at 5 o'clock tomorrow", "5 o'clock tomorrow", "2026-03-05 17:00", "2026-03-05 18:00", "hour"),
    ("tonight at 8", "tonight at 8", "2026-03-04 20:00", "2026-03-04 21:00", "hour"),
    ("8 tonight", "8 tonight", "2026-03-04 20:00", "2026-03-04 21:00", "hour"),
    ("last night at 2", "last night at 2", "2026-03-04 02:00", "2026-03-04 03:00", "hour"),
    ("this morning at 3", "this morning at 3", "2026-03-04 03:00", "2026-03-04 04:00", "hour"),
    ("at 7 in the evening", "7 in the evening", "2026-03-04 19:00", "2026-03-04 20:00", "hour"),
    ("yesterday at 3 in the morning", "yesterday at 3 in the morning", "2026-03-03 03:00", "2026-03-03 04:00", "hour"),
    ("Friday morning", "Friday morning", "2026-03-06 05:00", "2026-03-06 12:00", "hour"),
    ("the night of 5 March", "the night of 5 March", "2026-03-05 18:00", "2026-03-06 05:00", "hour"),
    ("Friday 11 to 2pm", "Friday 11 to 2pm", "2026-03-06 11:00", "2026-03-06 14:00", "hour"),
    ("9am to 5pm on Friday", "9am to 5pm on Friday", "2026-03-06 09:00", "2026-03-06 17:00", "hour"),
    ("tomorrow from 2 to 4", "tomorrow from 2 to 4", "2026-03-05 14:00", "2026-03-05 16:00", "hour"),
    ("2026-03-02T09:00Z", "2026-03-02T09:00Z", "2026-03-02 10:00", "2026-03-02 10:01", "minute"),
    ("2026-03-02 09:00", "2026-03-02 09:00", "2026-03-02 09:00", "2026-03-02 09:01", "minute"),
    ("Thursday, March 5 at 4:30pm", "Thursday, March 5 at 4:30pm", "2026-03-05 16:30", "2026-03-05 16:31", "minute"),
]

NOTHING = [
    "",
    "   ",
    "I may go",
    "May I ask something?",
    "2 May be enough",
    "we march on",
    "they march 3 miles",
    "the second one",
    "just a second",
    "in a minute",
    "the sun is out",
    "this sun is killing me",
    "we sat down",
    "I sat on 5 chairs",
    "we sat at 3 tables",
    "she wed him",
    "12",
    "I have 2 cats",
    "no it's 14 not 12",
    "version 2.3.1",
    "python 3.11.7",
    "v1.2.2026.4",
    "it cost £3.50",
    "that is 3/4 of it",
    "flat 3/4",
    "call 555-1234",
    "192.168.1.10",
    "square root of 1764",
    "my pin is 2019",
    "in 2019 dollars",
    "2000 people came",
    "the 14th floor",
    "on the 14th floor",
    "the 3 of us",
    "31 February",
    "13/25/2026",
    "2026-13-45",
    "for six weeks",
    "it takes two hours",
    "three years old",
    "every Friday",
    "every Friday at 8",
    "on Mondays",
    "bins go out tuesdays now",
    "weekends are for football",
    "895 a month",
    "one novel per month",
    "twice in a week",
    "he finished it in two weeks",
    "I paid it in 3 days",
    "ran it in 3:45",
    "i did 5k in 27:40",
    "my sister June is 12",
    "April and May came for dinner",
    "a letter from June",
    "in my thirties",
    "a Christmas tree",
    "happy new year!!",
    "goodnight",
    "Good afternoon.",
    "last one, next door, this time",
    "i take it in the mornings",
    "Saint Augustine",
    "we fall over",
    "Paris, Texas",
    "Level 4 zone F",
]


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(("text", "words", "since", "until", "precision"), FOUND, ids=[row[0] for row in FOUND])
def test_expression_becomes_a_half_open_interval(text: str, words: str, since: str, until: str, precision: str) -> None:
    (span,) = find_times(text, NOW)
    assert (span.text, span.since, span.until, span.precision) == (words, _local(since), _local(until), precision)
    assert text[span.start : span.end] == words


@pytest.mark.parametrize("text", NOTHING)
def test_other_words_and_numbers_are_not_times(text: str) -> None:
    assert find_times(text, NOW) == []


def test_several_times_come_in_order() -> None:
    spans = find_times("We flew on 3 May 2024, came back last Friday, and in two weeks we'll go again.", NOW)
    assert [span.text for span in spans] == ["3 May 2024", "last Friday", "in two weeks"]
    assert [span.text for span in find_times("Tuesday is judo, Thursday is recorder", NOW)] == ["Tuesday", "Thursday"]


def test_typographic_apostrophes_and_spaces_keep_offsets() -> None:
    text = "it’s on\u00a05 May at 3 o’clock"
    (span,) = find_times(text, NOW)
    assert text[span.start : span.end] == "5 May at 3 o’clock"
    assert span.since == _local("2026-05-05 15:00")


def test_month_first_order_is_a_setting() -> None:
    assert resolve("3/4/2026", NOW, day_first=False).since == _local("2026-03-04")  # type: ignore[union-attr]
    assert resolve("25/12/2026", NOW, day_first=False).since == _local("2026-12-25")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("now", "text", "since"),
    [
        ("2026-03-07 12:00", "this weekend", "2026-03-07"),
        ("2026-03-08 12:00", "last weekend", "2026-02-28"),
        ("2026-03-08 12:00", "next Friday", "2026-03-13"),
        ("2026-03-09 12:00", "next Friday", "2026-03-20"),
        ("2026-01-01 00:00", "yesterday", "2025-12-31"),
        ("2026-12-31 23:59", "next month", "2027-01-01"),
        ("2026-05-31 12:00", "in a month", "2026-06-01"),
        ("2024-02-29 12:00", "a year ago today", "2023-02-28"),
        ("2026-06-15 20:45", "lent Piotr the strimmer last saturday", "2026-06-13"),
        ("2025-12-30 11:00", "the lease ends in three days", "2026-01-02"),
        ("2026-03-29 12:00", "yesterday", "2026-03-28"),
    ],
)
def test_edges_of_weeks_months_and_years(now: str, text: str, since: str) -> None:
    span = resolve(text, _local(now))
    assert span is not None and span.since == _local(since)


def test_elapsed_hours_are_real_hours_across_a_clock_change() -> None:
    spring_forward = datetime(2026, 3, 29, 4, 30, tzinfo=PARIS)  # 02:00 became 03:00
    span = resolve("2 hours ago", spring_forward)
    assert span is not None and span.since == datetime(2026, 3, 29, 1, 0, tzinfo=PARIS)
    tomorrow = resolve("tomorrow", datetime(2026, 3, 28, 12, tzinfo=PARIS))
    assert tomorrow is not None and tomorrow.until.astimezone(UTC) - tomorrow.since.astimezone(UTC) == timedelta(
        hours=23
    )


def test_the_timezone_of_now_is_the_persons() -> None:
    tokyo = NOW.replace(hour=23).astimezone(ZoneInfo("Asia/Tokyo"))
    span = resolve("today", tokyo)
    assert span is not None and span.since == datetime(2026, 3, 5, tzinfo=ZoneInfo("Asia/Tokyo"))


def test_resolve_gives_the_first_or_none() -> None:
    assert resolve("no time here", NOW) is None
    span = resolve("from Porto yesterday, or last week", NOW)
    assert span is not None and span.text == "yesterday"


def test_years_out_of_range_are_ignored() -> None:
    assert find_times("in 9999 years", NOW) == []
    assert find_times("9999 years ago", NOW) == []
    assert find_times("9999-12-31 was the last day", datetime(9999, 1, 1, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-03-02", False, "2026-03-02"),
        ("2026-03-02", True, "2026-03-03"),
        ("2026-03", True, "2026-04-01"),
        ("2025-12", True, "2026-01-01"),
        ("2025", False, "2025-01-01"),
        ("2025", True, "2026-01-01"),
        ("2026-03-02T09:00", True, "2026-03-02 09:00"),
        ("2026-03-02 09:00:30", False, "2026-03-02 09:00:30"),
        ("2026-03-02T09:00Z", False, "2026-03-02 10:00"),
        (" last week ", False, "2026-02-23"),
        ("last week", True, "2026-03-02"),
        ("yesterday", True, "2026-03-04"),
        ("may", False, "2026-05-01"),
        ("friday", False, "2026-03-06"),
        ("fri", True, "2026-03-07"),
        ("3 days ago", False, "2026-03-01"),
        ("3/4/2026", False, "2026-04-03"),
        ("8:15", True, "2026-03-04 08:15"),
        ("christmas", False, "2026-12-25"),
    ],
)
def test_bounds_that_a_person_may_give(text: str, end: bool, moment: str) -> None:
    assert parse_bound(text, NOW, end=end) == _local(moment)


def test_now_is_a_bound() -> None:
    assert parse_bound("now", NOW, end=True) == NOW


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "2026-13", "12", "0000", "yesterday or so, maybe", "31/31/2026", "x" * 5000, "'; --"],
)
def test_a_bound_that_is_no_time_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_bound(text, NOW, end=False)
    assert refusal.value.hint and len(refusal.value.message) < 120 and "\n" not in refusal.value.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12 March", "12 March 2026"),
        ("Thursday at 3", "Thursday 5 March 2026, 15:00"),
        ("8:15", "Wednesday 4 March 2026, 08:15"),
        ("last March", "March 2025"),
        ("in 2019", "2019"),
        ("in the 90s", "1990 to 1999"),
        ("last week", "the week of 23 February 2026"),
        ("last weekend", "28 February to 1 March 2026"),
        ("this weekend", "7 to 8 March 2026"),
        ("next winter", "December 2026 to February 2027"),
        ("last summer", "June to August 2025"),
        ("last night", "Tuesday 3 March 2026, night"),
        ("tomorrow morning", "Thursday 5 March 2026, morning"),
        ("Friday 9am to 5pm", "Friday 6 March 2026, 09:00 to 17:00"),
        ("from 20 December to 5 January", "20 December 2026 to 5 January 2027"),
    ],
)
def test_descriptions_keep_the_precision(text: str, words: str) -> None:
    span = resolve(text, NOW)
    assert span is not None and describe(span, NOW) == words


def test_a_moment_is_described_in_the_persons_timezone() -> None:
    assert describe(datetime(2026, 3, 11, 23, 0, tzinfo=UTC), NOW) == "12 March 2026"
    assert describe(datetime(2026, 3, 5, 14, 0, tzinfo=UTC), NOW) == "Thursday 5 March 2026, 15:00"


def test_text_form_sorts_as_time_and_round_trips() -> None:
    assert to_text(datetime(2026, 3, 2, 10, 0, tzinfo=PARIS)) == "2026-03-02T09:00:00.000000Z"
    assert to_text(datetime(33, 1, 1, tzinfo=UTC)) == "0033-01-01T00:00:00.000000Z"
    assert from_text("2026-03-02T09:00:00.000000Z") == datetime(2026, 3, 2, 9, tzinfo=UTC)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=30))), min_value=datetime(2, 1, 1)))
def test_every_moment_round_trips(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment
    assert len(to_text(moment)) == 27


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-02T09:00:00", "2026-99-02T09:00:00Z"])
def test_text_that_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        from_text(text)


def test_moments_without_a_timezone_are_refused() -> None:
    naive = datetime(2026, 3, 4)
    for call in (
        lambda: to_text(naive),
        lambda: FixedClock(naive),
        lambda: find_times("today", naive),
        lambda: parse_bound("today", naive, end=True),
        lambda: describe(naive, NOW),
    ):
        with pytest.raises(InputError, match="no timezone"):
            call()


def test_clocks() -> None:
    clock: Clock = FixedClock(NOW)
    assert clock.now() == NOW
    before = datetime.now(UTC)
    assert before <= SystemClock().now() <= datetime.now(UTC) + timedelta(seconds=1)


_WORDS = st.sampled_from(
    [word for row in FOUND for word in row[0].split()]
    + ["1", "31", "/", "-", ":", "of", "ago", "’", "\n", "9999", "00", "𝟛", "٣"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=14).map(" ".join))
def test_any_mixture_of_words_gives_ordered_sane_spans(text: str) -> None:
    last = 0
    for span in find_times(text, NOW):
        assert last <= span.start < span.end <= len(text)
        assert span.since < span.until
        assert span.text == text[span.start : span.end]
        assert describe(span, NOW)
        last = span.end


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.datetimes(timezones=st.just(UTC)))
def test_any_text_at_any_moment_is_safe(text: str, now: datetime) -> None:
    for span in find_times(text, now):
        assert span.since < span.until


def test_a_sentence_costs_at_most_two_milliseconds() -> None:
    sentence = "We went to the market last Friday at half past six with Ana, and will go again on 14 May."
    find_times(sentence, NOW)
    costs = []
    for _ in range(50):
        started = time.perf_counter()
        find_times(sentence, NOW)
        costs.append(time.perf_counter() - started)
    assert statistics.median(costs) <= 0.002


@pytest.mark.parametrize(
    "part", ["1 ", "in two ", "last ", "Friday 3 March at 8:15 ", "2026-03-02", "the 1st of ", "a couple of ", " "]
)
def test_a_long_hostile_text_is_read_in_bounded_time(part: str) -> None:
    started = time.perf_counter()
    find_times(part * (1_000_000 // len(part)), NOW)
    assert time.perf_counter() - started < 8
