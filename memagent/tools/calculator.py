"""Exact arithmetic in symbols or words: numbers, percentages, units, dates and durations.

What is typed is parsed by a grammar of our own into exact fractions; nothing is handed to Python to run. Time and size
are bounded: 500 characters, 1000 digits, 40 levels of brackets.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from memagent.errors import InputError

LONGEST = 500  # characters


@dataclass(frozen=True)
class Calculation:
    """A result: `value_text` is what to say; `explanation` one line of how; `exact` False where it was rounded."""

    value_text: str
    explanation: str
    exact: bool = True


def evaluate(expression: str, now: datetime) -> Calculation:
    """The value of an expression or question, such as "15% of 84", "5 feet 11 in cm", "6 weeks after 3 May".

    `now` (timezone-aware) is the clock for "today" and for dates without a year. Dates such as 3/4/2026 are read day
    first. Raises InputError, with a hint, for anything that cannot be calculated.
    """
    if len(expression) > LONGEST:
        raise InputError(f"the expression is longer than {LONGEST} characters", "calculate it in parts")
    from memagent.tools.calculation import dates, phrases  # 0.13 s of patterns, which most sessions never need
    from memagent.tools.calculation.words import plain

    question = phrases.strip_wrapping(plain(expression))
    if not question:
        raise InputError("there is nothing to calculate", "write something like 15% of 84")
    found = dates.answer(question, now) or phrases.answer(question)
    return Calculation(found.text, found.steps, found.exact)
