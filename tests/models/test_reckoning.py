"""What is calculated from an answer: the time until or since a day that was told."""

from __future__ import annotations

import pytest

from memagent.models.answers import Found
from memagent.models.reckoning import elapsed
from memagent.models.rivals import Candidate
from tests.models.scripted_reading import message

MAY = ("2026-05-08T00:00:00+00:00", "2026-05-09T00:00:00+00:00")
MARCH = ("2024-03-01T00:00:00+00:00", "2024-04-01T00:00:00+00:00")
YEAR = ("2019-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00")


def told(words: str, since: str, until: str, kind: str = "when") -> Found:
    """An answer whose words mean this time."""
    text = f"it was {words}"
    start = text.index(words)
    time = {"text": words, "start": start, "end": len(text), "since": since, "until": until, "means": words}
    candidate = Candidate(message(text, times=[time]), words, 0.9, {}, start, len(text))
    return Found(kind, (candidate,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "span", "wanted"),
    [
        ("how many weeks is it since I stopped smoking?", MAY, ("how many weeks since 8 May 2026", "8 May 2026")),
        ("how long ago did I stop?", MAY, ("how many days since 8 May 2026", "8 May 2026")),
        ("how many days until the exam?", MAY, ("how many days until 8 May 2026", "8 May 2026")),
        ("how long have I been there?", MARCH, ("how many months since March 2024", "March 2024")),
        ("how long have I been there?", YEAR, ("how many years since 2019", "2019")),
        ("how many days until the move?", MARCH, None),  # which day of it is not known
        ("how long should it simmer?", MAY, None),
        ("when did I stop?", MAY, None),
    ],
)
def test_the_time_to_a_day_is_calculated(question: str, span: tuple[str, str], wanted: tuple[str, str] | None) -> None:
    assert elapsed(told("then", *span), question) == wanted


def test_a_day_beside_the_answer_is_not_counted_from() -> None:
    text = "the boat is 9 metres, we bought it then"
    time = {"text": "then", "start": len(text) - 4, "end": len(text), "since": MAY[0], "until": MAY[1], "means": "then"}
    length = Candidate(message(text, times=[time]), "9 metres", 0.9, {}, 12, 20)
    assert elapsed(Found("value", (length,)), "how long has it been, in metres?") is None
    assert elapsed(Found("when", (length,)), "how long is it since we bought it?") is not None


def test_nothing_is_calculated_from_a_list() -> None:
    assert elapsed(told("then", *MAY, kind="values"), "how many days since then?") is None
