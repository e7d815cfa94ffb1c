"""The sessions screen as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.store import MemoryStore
from tests.tui.pages import PageApp, open_page, said, screen_text, typed, until
from tui.chat.cards import ToolCard
from tui.chat.transcript import MessageView
from tui.dialogs import AskDialog
from tui.screens.sessions import SessionsScreen
from tui.screens.sessions_data import LAST, PASSAGES
from tui.widgets import FitTable

SIZE = (120, 36)
CALL = {"id": "a", "name": "memory_add", "arguments": {"subject": "boiler"}}
RETURNED = {
    "event": "tool_returned",
    "call": CALL,
    "result": {"call_id": "a", "name": "memory_add", "ok": True, "content": {}, "words": "remembered boiler"},
}
FINISHED = {"event": "finished", "reply": "Noted.", "milliseconds": 9.0, "prompt_tokens": 9, "reply_tokens": 2}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine has all the time it needs for the second press."""
    monkeypatch.setattr("tui.confirm.PATIENCE", 60.0)


@pytest.fixture
def talk(store: MemoryStore) -> int:
    """Two conversations; the newer one has a tool call."""
    other = store.start_session("test", "")
    boiler = store.start_session("test", "The boiler")
    store.add_message(other.id, "user", "Do you like Äpfel?")
    store.add_message(other.id, "assistant", "I do not eat.")
    message = store.add_message(boiler.id, "user", "The boiler is serviced by Hartnell.")
    store.add_message(boiler.id, "assistant", "Noted.", events=[RETURNED, FINISHED])
    span = SourceSpan(message.id, None, 26, 34, "Hartnell")
    store.add_fact(FactDraft("boiler", "serviced by", "Hartnell", sources=(span,)), asked_by="user")
    return boiler.id


def titles(app: PageApp) -> list[str]:
    table = app.screen.query_one(FitTable)
    return [str(table.get_row_at(number)[2]) for number in range(table.row_count)]


def previewed(app: PageApp, message_id: int) -> bool:
    """Whether the preview shows the conversation with this message, and nothing is left of the one before."""
    shown = [view.message_id for view in app.screen.query(MessageView)]
    return len(shown) == 2 and message_id in shown


async def test_conversations_are_listed_and_the_end_of_one_is_shown_with_its_tool_calls(
    store: MemoryStore, talk: int
) -> None:
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: titles(app) == ["The boiler", "untitled"])
        await until(pilot, lambda: app.screen.query(ToolCard))
        assert "remembered boiler" in screen_text(app) and "serviced by Hartnell" in screen_text(app)
        await pilot.press("down")
        await until(pilot, lambda: "I do not eat" in screen_text(app))


async def test_everything_that_was_said_is_searched(store: MemoryStore, talk: int) -> None:
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(titles(app)) == 2)
        await pilot.press("slash")
        await typed(pilot, "äpfel")
        await until(pilot, lambda: titles(app) == ["untitled"])
        await until(pilot, lambda: "user: Do you like Äpfel?" in said(app.screen, "#passages"))
        await typed(pilot, "xyz")
        await until(pilot, lambda: titles(app) == [])
        await until(pilot, lambda: "No conversation has these words" in said(app.screen, "#passages"))
        await pilot.press("escape")
        await until(pilot, lambda: len(titles(app)) == 2)


async def test_a_long_conversation_is_previewed_in_parts(store: MemoryStore) -> None:
    session = store.start_session("test", "long")
    for number in range(500):
        store.add_message(session.id, "user", f"message number {number}")
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(app.screen.query(MessageView)) == LAST)
        assert f"load earlier ({500 - LAST} more)" in screen_text(app)
        assert len(app.screen.query("*")) < 300
        app.screen.query_one("Earlier").focus()
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen.query(MessageView)) > LAST)
        await pilot.press("slash")
        await typed(pilot, "number")
        await until(pilot, lambda: said(app.screen, "#passages").count("message number") == PASSAGES)


async def test_rename(store: MemoryStore, talk: int) -> None:
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(titles(app)) == 2)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        await pilot.press("end")
        await typed(pilot, " and more")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and titles(app)[0] == "The boiler and more")
        assert store.session(talk).title == "The boiler and more"


async def test_export_as_markdown_or_json(store: MemoryStore, talk: int, tmp_path: Path) -> None:
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(titles(app)) == 2)
        for name in ("a.md", "a.json"):
            await pilot.press("x")
            await until(pilot, lambda: isinstance(app.screen, AskDialog))
            answer = app.screen.query_one("#answer")
            assert answer.value == f"session-{talk}-the-boiler.md"  # type: ignore[attr-defined]
            answer.value = str(tmp_path / name)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, SessionsScreen))
    assert "serviced by Hartnell" in (tmp_path / "a.md").read_text(encoding="utf-8")
    assert len(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["messages"]) == 2


async def test_deleting_takes_two_presses_and_keeps_what_was_learned(store: MemoryStore, talk: int) -> None:
    (other, boiler) = (store.messages(session.id)[0].id for session in reversed(store.sessions()))
    app = open_page("sessions", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: previewed(app, boiler))
        await pilot.press("d", "down")
        await until(pilot, lambda: previewed(app, other))
        await pilot.press("d")
        assert len(store.sessions()) == 2
        await pilot.press("up")
        await until(pilot, lambda: previewed(app, boiler))
        await pilot.press("d", "d")
        await until(pilot, lambda: titles(app) == ["untitled"] and previewed(app, other))
        assert [session.title for session in store.sessions()] == [""]
        assert [fact.value for fact in store.facts()] == ["Hartnell"]


async def test_enter_goes_on_with_a_conversation(store: MemoryStore, talk: int) -> None:
    app = open_page("sessions", store)
    asked: list[int] = []
    app.resume_session = asked.append  # type: ignore[method-assign,assignment]
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(titles(app)) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: asked == [talk])


async def test_an_empty_store_explains_itself(store: MemoryStore) -> None:
    app = open_page("sessions", store)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "No conversation yet" in screen_text(app))
        await pilot.press("d", "n", "x", "y", "enter")
        assert isinstance(app.screen, SessionsScreen)
