"""How the memories, SQL and sessions screens look. After a change that is meant: pytest --snapshot-update."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import TextArea, Tree

from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.sql import QueryResult, read_only_query
from memagent.memory.store import MemoryStore
from tests.tui.pages import open_page, said, typed, until
from tui.chat.cards import ToolCard
from tui.screens import sql_data
from tui.screens.conflicts import ConflictDialog
from tui.screens.memory_form import EditDialog
from tui.screens.sql_editor import Completions, SqlEditor
from tui.widgets import FitTable

WIDE, SMALL = (120, 36), (80, 24)
Compare = Callable[..., bool]
TOLD: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("boiler", "serviced by", "Hartnell", "The boiler gets its service from Hartnell.", {}),
    ("user", "allergy", "walnuts", "I am allergic to walnuts.", {"single": False}),
    ("Ada", "birthday", "3 May", "Ada's birthday is on 3 May.", {"kind": "event", "valid_from": datetime(2026, 5, 3, tzinfo=UTC)}),  # noqa: E501
    ("dog", "name", "Biscuit", "Our dog is called Biscuit.", {}),
    ("user", "prefers", "green tea over coffee", "I prefer green tea over coffee.", {"kind": "preference"}),
    ("Oslo trip", "leaves on", "12 June", "The Oslo trip leaves on 12 June.", {"kind": "plan"}),
)  # fmt: skip


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone, and how long a query takes, are those of no machine."""

    def in_no_time(*arguments: Any, **options: Any) -> QueryResult:
        return replace(read_only_query(*arguments, **options), milliseconds=1.0)

    monkeypatch.setattr(sql_data, "read_only_query", in_no_time)
    with monkeypatch.context() as context:
        context.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def home_life(store: MemoryStore) -> MemoryStore:
    """A store with a little of everything."""
    session = store.start_session("memagent", "The boiler and the dog")
    ids = []
    for subject, attribute, value, text, more in TOLD:
        message = store.add_message(session.id, "user", text)
        start = text.index(value)
        span = SourceSpan(message.id, None, start, start + len(value), value)
        draft = FactDraft(subject, attribute, value, text, sources=(span,), **more)
        change = store.add_fact(draft, asked_by="model", session_id=session.id)
        assert change.after is not None
        ids.append(change.after.id)
        call = {
            "id": "a",
            "name": "memory_add",
            "arguments": {"subject": subject, "attribute": attribute, "value": value},
        }
        words = f"remembered {subject}: {attribute} = {value} · id {change.after.id}"
        result = {"call_id": "a", "name": "memory_add", "ok": True, "content": {}, "words": words, "milliseconds": 3.0}
        finished = {
            "event": "finished",
            "reply": "Noted.",
            "milliseconds": 21.0,
            "prompt_tokens": 312,
            "reply_tokens": 2,
        }
        returned = {"event": "tool_returned", "call": call, "result": result}
        store.add_message(session.id, "assistant", "Noted.", events=[returned, finished])
    changed = store.update_fact(ids[0], "Quixley & Sons", asked_by="user", reason="they sold the firm")
    assert changed.after is not None
    store.pin_fact(changed.after.id, True)
    letter = FactDraft("dog", "name", "Toast", "A letter says that the dog is called Toast.", trust="import")
    store.add_fact(letter, asked_by="import")
    store.add_message(session.id, "user", "Who looks after the boiler?")
    hit = {"kind": "fact", "ref": changed.after.id, "id": 1, "text": "boiler", "score": 0.9, "channels": {"dense": 0.8}}
    recalled = {"event": "recalled", "query": "boiler", "hits": [{**hit, "date": "2 March 2026"}], "milliseconds": 4.0}
    store.add_message(session.id, "assistant", "Quixley & Sons look after the boiler.", events=[recalled])
    other = store.start_session("memagent", "Plans for June")
    store.add_message(other.id, "user", "What is planned for June?")
    store.add_message(other.id, "assistant", "The **Oslo trip** leaves on 12 June.")
    return store


def still(pilot: Pilot[Any]) -> None:
    for area in pilot.app.screen.query(TextArea):
        area.cursor_blink = False


def rows(pilot: Pilot[Any]) -> int:
    return pilot.app.screen.query_one(FitTable).row_count


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_memories(home_life: MemoryStore, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: rows(pilot) == 7)
        await pilot.press("down")
        await until(pilot, lambda: "Used in answers" in said(pilot.app.screen, "#detail-page"))

    assert snap_compare(open_page("memories", home_life), terminal_size=size, run_before=before)


def test_memories_searched(home_life: MemoryStore, snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: rows(pilot) == 7)
        await pilot.press("slash")
        await typed(pilot, "dog na")
        await until(pilot, lambda: rows(pilot) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: "dog · name" in said(pilot.app.screen, "#detail-page"))

    assert snap_compare(open_page("memories", home_life), terminal_size=WIDE, run_before=before)


def test_a_memory_edited(home_life: MemoryStore, snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: rows(pilot) == 7)
        await pilot.press("down", "e")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditDialog))
        still(pilot)

    assert snap_compare(open_page("memories", home_life), terminal_size=WIDE, run_before=before)


def test_a_conflict(home_life: MemoryStore, snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: rows(pilot) == 7)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConflictDialog))
        await until(pilot, lambda: "Toast" in said(pilot.app.screen, "#conflict-page"))

    assert snap_compare(open_page("memories", home_life), terminal_size=WIDE, run_before=before)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_sql(home_life: MemoryStore, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        still(pilot)
        await until(pilot, lambda: len(pilot.app.screen.query_one(Tree).root.children) == 2)
        await pilot.press("f5")
        await until(pilot, lambda: "7 rows" in said(pilot.app.screen, "#sql-status"))

    assert snap_compare(open_page("sql", home_life), terminal_size=size, run_before=before)


def test_sql_completions(home_life: MemoryStore, snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        still(pilot)
        editor = pilot.app.screen.query_one(SqlEditor)
        await until(pilot, lambda: editor.relations)
        editor.clear()
        await typed(pilot, "select * from fact")
        await until(pilot, lambda: pilot.app.screen.query_one(Completions).is_open)

    assert snap_compare(open_page("sql", home_life), terminal_size=WIDE, run_before=before)


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
def test_sessions(home_life: MemoryStore, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: rows(pilot) == 2)
        await pilot.press("slash")
        await typed(pilot, "boiler")
        await until(pilot, lambda: rows(pilot) == 1)
        await until(pilot, lambda: "Found in" in said(pilot.app.screen, "#passages"))
        await until(pilot, lambda: pilot.app.screen.query(ToolCard))
        await pilot.press("enter")
        await pilot.pause(0.5)

    assert snap_compare(open_page("sessions", home_life), terminal_size=size, run_before=before)
