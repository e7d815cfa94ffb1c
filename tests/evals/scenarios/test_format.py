"""When the sessions of a scenario begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from memagent.evals.scenarios.format import FIRST_DAY, Sitting, Step, starts

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def sittings(*dates: datetime | None) -> list[Sitting]:
    return [Sitting((Step("hello"),), date) for date in dates]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ([None], [FIRST_DAY]),
        ([None, None, None], [FIRST_DAY, FIRST_DAY + DAY, FIRST_DAY + 2 * DAY]),
        ([MARCH], [MARCH]),
        ([None, None, MARCH], [MARCH - 2 * DAY, MARCH - DAY, MARCH]),
        ([MARCH, None, None], [MARCH, MARCH + DAY, MARCH + 2 * DAY]),
        ([MARCH, None, MARCH + 7 * DAY], [MARCH, MARCH + DAY, MARCH + 7 * DAY]),
        ([MARCH, None, MARCH + DAY], [MARCH, MARCH + DAY / 2, MARCH + DAY]),
        ([MARCH, None, None, MARCH + DAY], [MARCH, MARCH + DAY / 3, MARCH + DAY * 2 / 3, MARCH + DAY]),
        ([MARCH, None, MARCH - DAY], [MARCH, MARCH, MARCH - DAY]),
    ],
)
def test_a_session_without_a_date_lies_between_its_neighbours(
    dates: list[datetime | None], expected: list[datetime]
) -> None:
    found = starts(sittings(*dates))
    assert all(abs(a - b) < timedelta(seconds=1) for a, b in zip(found, expected, strict=True)), found


def test_small_talk_may_be_given_in_windows() -> None:
    assert Step(filler_windows=2.5).filler(2048) == 5120
    assert Step(filler_tokens=600).filler(2048) == 600
    assert Step("hello").filler(2048) == 0
