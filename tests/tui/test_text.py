"""What the border lets through: nothing that steers a terminal, nothing that is markup, nothing without end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.pages import HOSTILE
from tui.text import block, cell, content, content_line, cut, line


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_literally_and_never_steers(text: str) -> None:
    for shown in (line(text), block(text), content(text).plain, content_line(text).plain, cell(text).plain):
        assert not any(
            ord(character) < 32 and character != "\n" or 0x7F <= ord(character) < 0xA0 for character in shown
        )
        assert not any(character in "\u202e\u2066\u200f\u2028\ud83d\ufeff" for character in shown)
    assert "\n" not in line(text) + cell(text).plain


def test_markup_is_not_parsed() -> None:
    text = "[bold]x[/bold] [/y]"
    assert content(text).plain == content_line(text).plain == cell(text).plain == text
    assert content(text).spans == []


@given(st.text(), st.integers(1, 50))
def test_a_line_is_never_longer_than_it_may_be(text: str, limit: int) -> None:
    assert len(line(text, limit)) <= limit
    assert len(cut(text, limit)) <= limit


def test_a_long_block_says_how_much_is_missing() -> None:
    assert block("a" * 30, 10) == "a" * 10 + "… (20 more characters)"
    assert block("a\tb") == "a    b"


def test_a_cell_of_nothing_is_empty_and_numbers_may_stand_right() -> None:
    assert cell(None).plain == ""
    assert cell(3, justify="right").justify == "right"
