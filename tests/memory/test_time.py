"""Times in texts, against one clock: Wednesday 4 March 2026, 10:30 in Paris."""

from __future__ import annotations

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
from tests.memory.time_cases import FOUND, NOTHING

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 4, 10, 30, tzinfo=PARIS)


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
        started = time.process_time()
        find_times(sentence, NOW)
        costs.append(time.process_time() - started)
    assert min(costs) <= 0.002


@pytest.mark.parametrize(
    "part",
    [
        "1 ",
        "in two ",
        "last ",
        "Friday 3 March at 8:15 ",
        "2026-03-02",
        "the 1st of ",
        "a couple of ",
        "got my in a ",
        "got my test in a Friday ",
        " ",
    ],
)
def test_a_long_hostile_text_is_read_in_bounded_time(part: str) -> None:
    started = time.process_time()
    find_times(part * (1_000_000 // len(part)), NOW)
    assert time.process_time() - started < 2
