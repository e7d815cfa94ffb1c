"""Files made from rows and conversations hold what was there, and nothing is overwritten."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from memagent.errors import InputError
from memagent.export import rows_csv, rows_json, session_json, session_markdown, write_new
from memagent.memory.store import MemoryStore

HOSTILE = 'a "quoted", line\nbreak [/x] \x1b[31m \u202e עברית'


def test_csv_is_read_back_as_it_was() -> None:
    text = rows_csv(["a", HOSTILE], [[1, HOSTILE], [None, 2.5]])
    assert list(csv.reader(text.splitlines(keepends=True))) == [["a", HOSTILE], ["1", HOSTILE], ["", "2.5"]]


def test_json_is_read_back_as_it_was() -> None:
    assert json.loads(rows_json(["a", "b"], [[1, HOSTILE], [None, 2.5]])) == [
        {"a": 1, "b": HOSTILE},
        {"a": None, "b": 2.5},
    ]


def test_a_conversation_is_exported_word_for_word(store: MemoryStore) -> None:
    session = store.start_session("test", "the boiler")
    events = [{"event": "failed", "reason": "stopped", "hint": "", "cancelled": True}]
    store.add_message(session.id, "user", HOSTILE, events=events)
    messages = store.messages(session.id)
    assert session_markdown(session, messages).startswith("# the boiler\n\nStarted 2026-03-02")
    assert HOSTILE in session_markdown(session, messages)
    (message,) = json.loads(session_json(session, messages))["messages"]
    assert (message["content"], message["events"]) == (HOSTILE, events)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_new(path, "half a character: \ud800\r\n")
    assert path.read_bytes() == b"half a character: \\ud800\r\n"
    with pytest.raises(InputError, match="exists already"):
        write_new(path, "other")
    assert path.read_bytes().startswith(b"half")
    for bad in (tmp_path / "none" / "a.csv", tmp_path / ("n" * 300), Path("nul\0l")):
        with pytest.raises(InputError, match="cannot be written"):
            write_new(bad, "x")
