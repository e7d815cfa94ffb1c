"""What values look like."""

from __future__ import annotations

import pytest

from memagent.models.shapes import Shape, shape


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("06:40", "clock"),
        ("half past two", "clock"),
        ("7 pm", "clock"),
        ("26th", "date"),
        ("next Tuesday", "date"),
        ("5 March", "date"),
        ("Tuesday at 9.30", "clock"),
        ("34 a month", "number"),
        ("1.905", "number"),
        ("the Lido Centre", "words"),
        ("Monday's child", "date"),
        ("monday-ish", "date"),
        ("marching band", "words"),
    ],
)
def test_a_value_is_of_the_most_telling_kind_that_is_in_it(words: str, expected: Shape) -> None:
    assert shape(words) == expected
