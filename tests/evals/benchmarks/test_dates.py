"""Times that were named, in words that stand without the conversation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memagent.evals.benchmarks.dates import dated, day
from memagent.memory.time import find_times

SAID = datetime(2023, 7, 15, 13, 0, tzinfo=UTC)  # a Saturday


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("last Friday I went", "the Friday before 15 July 2023"),
        ("we won on Friday", "the Friday before 15 July 2023"),
        ("we play next Friday", "the Friday after 15 July 2023"),
        ("last week", "the week before 15 July 2023"),
        ("this week", "the week of 15 July 2023"),
        ("last weekend", "the weekend before 15 July 2023"),
        ("two weekends ago", "two weekends before 15 July 2023"),
        ("three weeks ago", "three weeks before 15 July 2023"),
        ("a week ago", "the week before 15 July 2023"),
        ("a few years ago", "a few years before 2023"),
        ("a couple of days ago", "a couple of days before 15 July 2023"),
        ("yesterday", "14 July 2023"),
        ("two days ago", "13 July 2023"),
        ("last night", "14 July 2023"),
        ("at 3pm today", "15 July 2023"),
        ("next month", "August 2023"),
        ("last year", "2022"),
        ("five years ago", "2018"),
        ("last summer", "summer 2022"),
        ("since 2016", "since 2016"),
        ("on 2 May 2023", "2 May 2023"),
    ],
)
def test_a_time_is_exact_where_it_was_and_else_by_the_day_it_was_said(text: str, words: str) -> None:
    (time,) = find_times(text, SAID)
    assert dated(time, SAID) == words


def test_a_day_is_given_without_its_hour() -> None:
    assert day(SAID) == "15 July 2023"
