"""What a person types or pastes becomes messages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.terminal import Terminal

ECHO = [
    sys.executable,
    "-c",
    "from memagent.cli.lines import LineReader\n"
    "reader = LineReader()\n"
    "while (text := reader.read()) is not None:\n    print('got', ascii(text))\n"
    "print('end')",
]


@pytest.fixture
def terminal() -> Terminal:
    return Terminal(ECHO)


def test_a_typed_line_is_a_message_and_control_d_ends(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("> ")
        terminal.type("hello there\r")
        terminal.wait_for("got 'hello there'")
        terminal.wait_for("> ")
        terminal.type("\x04")
        terminal.wait_for("end")


def test_lines_pasted_together_are_one_message(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("> ")
        terminal.type("\x1b[200~first\nsecond\nthird\x1b[201~\r")
        terminal.wait_for(r"got 'first\nsecond\nthird'")


def test_the_line_can_be_edited(terminal: Terminal) -> None:
    with terminal:
        terminal.wait_for("> ")
        terminal.type("helo\x1b[Dl\r")
        terminal.wait_for("got 'hello'")


def test_a_pipe_gives_a_message_for_each_line_whatever_its_bytes() -> None:
    result = subprocess.run(ECHO, input=b"one\n\ncaf\xe9\nlast", capture_output=True, check=True)
    assert result.stdout.decode().splitlines() == ["got 'one'", "got ''", r"got 'caf\udce9'", "got 'last'", "end"]
