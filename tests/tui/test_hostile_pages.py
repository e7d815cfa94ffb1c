"""Hostile text through every widget of the memories, SQL and sessions screens: shown literally, nothing obeyed."""

from __future__ import annotations

from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from memagent.errors import InputError
from memagent.memory.claims import clean
from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.store import MemoryStore
from tests.tui.pages import HOSTILE, PageApp, open_page, said, screen_text, until
from tui.dialogs import AskDialog, TextDialog
from tui.screens.conflicts import ConflictDialog
from tui.screens.memories import MemoriesScreen
from tui.screens.memory_form import EditDialog
from tui.screens.sessions import SessionsScreen
from tui.screens.sql import SqlScreen
from tui.screens.sql_editor import SqlEditor
from tui.screens.sql_picker import PickDialog
from tui.widgets import FitTable

SIZE = (120, 36)
STEERING = [chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x200F, 0x202E, 0x2066, 0x2028)]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.confirm.PATIENCE", 60.0)


def storable(text: str) -> str:
    """Half a character cannot be stored; the store says so."""
    try:
        return clean(text, "text")
    except InputError:
        return text.encode("utf-8", "replace").decode()


@pytest.fixture(params=["short", "long"])
def text(request: pytest.FixtureRequest) -> str:
    """All short ones at once, which begin with markup; or the long line."""
    texts = sorted(HOSTILE, key=len)
    wanted = [text for text in HOSTILE if text is not texts[-1]] if request.param == "short" else texts[-1:]
    return storable(" ".join(wanted))


def check(app: PageApp) -> str:
    """What the terminal is sent holds nothing that it would obey."""
    shown = screen_text(app)
    assert not set(shown.replace("\n", "")) & set(STEERING)
    return shown


def fill(store: MemoryStore, text: str) -> int:
    """The text wherever text can be: titles, messages, every part of a fact, a conflict, the log."""
    session = store.start_session(text, text)
    message = store.add_message(session.id, "user", f"{text} value", speaker=text)
    store.add_message(session.id, "assistant", text)
    span = SourceSpan(message.id, None, 0, len(text), text)
    draft = FactDraft(f"s {text}", f"a {text}", f"v {text}", f"t {text}", sources=(span,))
    change = store.add_fact(draft, asked_by="user", session_id=session.id)
    store.add_fact(FactDraft(f"s {text}", f"a {text}", f"w {text}", text, trust="import"), asked_by="import")
    assert change.after is not None
    changed = store.update_fact(change.after.id, f"x {text}", asked_by="user", reason=text)
    assert changed.after is not None
    hit = {"kind": "fact", "ref": changed.after.id, "id": 1, "text": text, "score": 0.5, "channels": {}, "date": text}
    events = [{"event": "recalled", "query": text, "hits": [hit], "milliseconds": 1.0}]
    store.add_message(session.id, "assistant", text, events=events)
    return changed.after.id


async def paste(pilot: Pilot[Any], text: str) -> None:
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()


async def test_the_memories_screen(store: MemoryStore, text: str) -> None:
    fact_id = fill(store, text)
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        table = app.screen.query_one(FitTable)
        await until(pilot, lambda: table.row_count == 2)
        screen = app.screen
        assert isinstance(screen, MemoriesScreen)
        screen.show_fact(fact_id)
        await until(pilot, lambda: f"id {fact_id} " in said(screen, "#detail-page"))
        assert "Used in answers" in said(screen, "#detail-page")
        assert "[bold]" not in text or "[bold]loud[/bold]" in check(app)
        check(app)
        for field in ("#search", "#about", "#since"):
            screen.query_one(field).focus()
            await paste(pilot, text)
            await pilot.pause(0.3)
            check(app)
        await pilot.press("escape", "d")
        await pilot.pause(0.3)
        check(app)


async def test_the_windows_of_the_memories_screen(store: MemoryStore, text: str) -> None:
    fill(store, text)
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query_one(FitTable).row_count == 2)
        await pilot.press("c")
        await until(
            pilot, lambda: isinstance(app.screen, ConflictDialog) and "Old" in said(app.screen, "#conflict-page")
        )
        check(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen))
        values = {fact.value for fact in store.facts()}
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditDialog))
        check(app)
        await pilot.press("ctrl+s")  # nothing was changed: the value must not be touched by having been shown
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen))
        assert {fact.value for fact in store.facts()} == values
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditDialog))
        await paste(pilot, text)
        app.screen.query_one("#since").focus()
        await paste(pilot, text)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: said(app.screen, ".fault"))
        check(app)


async def test_the_sql_screen(store: MemoryStore, text: str) -> None:
    fill(store, text)
    app = open_page("sql", store)
    async with app.run_test(size=SIZE) as pilot:
        editor = app.screen.query_one(SqlEditor)
        quoted = text.replace("'", "''").replace("\0", " ")
        name = text.replace('"', '""').replace("\0", " ")[:50]
        for sql in (
            f"select title as \"{name}\", '{quoted}' as b, content from sessions join messages",
            f"select {text}",
            f'select * from "{name}"',
        ):
            app.screen.query_one("#sql-status").update("")  # type: ignore[attr-defined]
            editor.load_text(sql)
            await pilot.press("f5")
            await until(pilot, lambda: said(app.screen, "#sql-status"))
            check(app)
        editor.load_text("select title, content from sessions join messages order by messages.id")
        await pilot.press("f5")
        await until(pilot, lambda: "rows" in said(app.screen, "#sql-status"))
        app.screen.query_one("#rows").focus()
        await pilot.press("space")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        check(app)
        await pilot.press("escape", "f8")
        await until(pilot, lambda: isinstance(app.screen, PickDialog))
        await pilot.press("down", "down")
        check(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SqlScreen))
        editor.focus()
        await paste(pilot, text)
        check(app)


async def test_the_sessions_screen(store: MemoryStore, text: str) -> None:
    fill(store, text)
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query_one(FitTable).row_count == 1)
        await until(pilot, lambda: app.screen.query("Reply"))
        check(app)
        await pilot.press("d")
        await pilot.pause(0.2)
        check(app)
        await pilot.press("slash")
        await paste(pilot, "value")
        await until(pilot, lambda: "Found in" in said(app.screen, "#passages"))
        check(app)
        await paste(pilot, text)
        await pilot.pause(0.4)
        check(app)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: app.screen.query_one(FitTable).row_count == 1)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        await paste(pilot, text)
        check(app)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
