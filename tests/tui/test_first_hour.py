"""A new person, with the shipped model: talk, see the fact stored, find it, query it, edit it, forget it, undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.config import load_settings
from tests.tui.chats import Chat
from tests.tui.pages import screen_text, until
from tui.app import MemagentApp
from tui.chat.screen import ChatScreen
from tui.chat.welcome import Example

SIZES = [(120, 36), (80, 24)]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", SIZES)
async def test_a_new_person_finds_everything_without_reading_anything(home: Path, size: tuple[int, int]) -> None:
    home.mkdir()
    app = MemagentApp(load_settings())
    try:
        async with app.run_test(size=size) as pilot:
            chat = Chat(app, pilot)

            def shows(text: str) -> bool:
                return text in screen_text(app)

            async def see(text: str) -> None:
                await until(pilot, lambda: shows(text), 60)

            await until(pilot, lambda: isinstance(app.screen, ChatScreen) and app.screen.query(Example), 60)
            await see("A small model with a large memory")

            # The first thing to try is offered: take it, send it, see it stored.
            app.screen.query(Example).first().focus()
            await pilot.press("enter", "enter")
            await see("remembered sister Ingrid: home city = Trondheim")
            await until(pilot, lambda: not chat.screen.busy and chat.feed, 60)
            await chat.say("where does Ingrid live?")
            assert "Trondheim" in chat.replies[-1]

            # Find it in the browser, by typing.
            await pilot.press("f3")
            await see("1 memory")
            await see("Trondheim")

            # Ask for it in SQL: the query that stands there already shows it.
            await pilot.press("f4")
            await see("current_facts")
            await pilot.press("f5")
            await see("1 row")

            # Correct it in words, and see before and after.
            await pilot.press("f2")
            await chat.say("Ingrid has moved to Bergen")
            await see("Bergen")
            assert [fact.value for fact in app.store.facts()] == ["Bergen"]

            # Take that back where it was shown.
            await pilot.press("f3")
            await see("Bergen")
            await pilot.press("u")
            await until(pilot, lambda: [fact.value for fact in app.store.facts()] == ["Trondheim"], 60)

            # Forget it for good: press twice.
            await see("Trondheim")
            await pilot.press("d", "d")
            await until(pilot, lambda: app.store.facts() == [], 60)
            await pilot.press("f2")
            await until(pilot, lambda: not shows("Trondheim"), 60)
            await chat.say("where does Ingrid live?")
            assert "Trondheim" not in chat.replies[-1]
    finally:
        app.close()
