"""Text from outside cannot steer the screen, and reads the same in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.cli import screen

HOSTILE = "\x1b]0;owned\x07 \x9b2J \u202etxt.exe \u2066 \u200b \ufeff \U000e0041 \ud800"


def test_what_steers_a_terminal_is_written_out() -> None:
    shown = screen.visible(HOSTILE)
    assert shown == ("\\x1b]0;owned\\x07 \\x9b2J \\u202etxt.exe \\u2066 \\u200b \\ufeff \\U000e0041 \\ud800")


@pytest.mark.parametrize("text", ["naïve café", "日本語", "می‌خواهم", "👩‍👩‍👧", "a\tb\nc", "C++ [/x] %s {}"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert screen.visible(text) == text


@given(st.text(st.characters()))
def test_nothing_shown_can_start_an_escape_sequence(text: str) -> None:
    shown = screen.visible(text)
    assert not any(ord(c) < 32 and c not in "\n\t" or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert screen.visible(shown) == shown


@given(st.text(st.characters()))
def test_one_line_is_one_line(text: str) -> None:
    assert len(screen.one_line(text).splitlines()) <= 1


@given(st.recursive(st.text(st.characters()) | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_json_gives_back_what_went_in(value: object) -> None:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screen, "out", lambda text="": out.write(text))
        screen.json_out(value)
    assert json.loads(out.getvalue()) == value
    assert screen.visible(out.getvalue()) == out.getvalue()


def test_tables_align_wide_characters_and_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(["id", "name"], [[7, "日本"], [12, "a\nb"], [100, None]])
    assert capsys.readouterr().out.splitlines() == [" id  name", "  7  日本", " 12  a ⏎ b", "100"]


@given(st.lists(st.integers(1, 300), min_size=1, max_size=8), st.integers(20, 200))
def test_columns_fit_where_they_can(widths: list[int], room: int) -> None:
    cut = screen.fitted(widths, room)
    assert all(new <= old for new, old in zip(cut, widths, strict=True))
    assert sum(cut) <= max(room, sum(min(width, 8) for width in widths))


def test_csv_is_verbatim_where_no_terminal_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    screen.csv_out(["a", "b"], [["x\ny", None], ['"', b"\x01"]])
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [["a", "b"], ["x\ny", ""], ['"', "01"]]


def test_moments_are_shown_in_local_time() -> None:
    moment = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert screen.when(moment) == moment.astimezone().strftime("%Y-%m-%d %H:%M")
