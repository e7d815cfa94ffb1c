"""What holds on every screen: resuming, long conversations, two windows, keys, themes, help, and what goes wrong."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from memagent.agent.assemble import Agent
from memagent.config import Settings, load_settings
from memagent.conversation import ToolCall
from memagent.errors import ModelError, StoreBusyError
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from memagent.models.scripted import ScriptedModel
from tests.tui.chats import Chat, open_chat
from tests.tui.pages import screen_text, until
from tui.app import MemagentApp
from tui.chat.screen import ChatScreen
from tui.chat.transcript import Earlier, MessageView, Transcript
from tui.keys import actions, unknown_actions
from tui.screens.help import HelpScreen

ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})
WENDOVER = ToolCall("b", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Wendover"})
BAD = ToolCall("c", "memory_search", {"query": ""})


def transcript(chat: Chat) -> list[str]:
    """The conversation as it is drawn, without the empty lines above it."""
    region = chat.screen.query_one(Transcript).content_region
    lines = screen_text(chat.app).splitlines()[region.y : region.bottom]
    return [line[region.x : region.right].rstrip() for line in lines if line[region.x : region.right].strip()]


async def test_a_resumed_conversation_looks_exactly_as_it_did_live(store: MemoryStore) -> None:
    steps = [[ADD, BAD], "Noted: **Hartnell**.", WENDOVER, "- one\n- two"]
    async with open_chat(store, steps, size=(120, 60)) as chat:
        await chat.say("the boiler is serviced by Hartnell")
        await chat.say("no, by Wendover")
        await chat.pilot.press("ctrl+o")
        await chat.pilot.pause(0.2)
        live = transcript(chat)
    async with open_chat(store, session_id=1, size=(120, 60)) as chat:
        await chat.until(lambda: len(chat.replies) == 2)
        await chat.pilot.press("ctrl+o")
        await chat.pilot.pause(0.2)
        assert transcript(chat) == live
        assert any("insert into facts" in line for line in live)


def long_session(store: MemoryStore, messages: int) -> int:
    session = store.start_session("", "long").id
    reply = "It is **so**:\n\n- a list\n- of things\n\n```python\nprint('and code')\n```\n"
    for number in range(messages // 2):
        store.add_message(session, "user", f"question {number}")
        store.add_message(session, "assistant", reply)
    return session


async def test_a_session_of_500_messages_mounts_fewer_than_300_widgets(store: MemoryStore) -> None:
    session = long_session(store, 500)
    async with open_chat(store, session_id=session) as chat:
        await chat.until(lambda: chat.said)
        assert chat.said[-1] == "question 249"
        assert len(chat.screen.query("*")) < 300
        for _ in range(3):
            await chat.say("and so on")
        assert len(chat.screen.query("*")) < 300


async def test_older_messages_are_loaded_when_asked_for_down_to_the_first(store: MemoryStore) -> None:
    session = long_session(store, 50)
    async with open_chat(store, session_id=session) as chat:
        await chat.until(lambda: chat.said)
        assert "load earlier (30 more)" in str(chat.screen.query_one(Earlier).content)
        for expected in (20, 25):
            chat.screen.query_one(Earlier).focus()
            await chat.pilot.press("enter")
            await chat.until(lambda expected=expected: len(chat.said) == expected)  # type: ignore[misc]
        assert chat.said == [f"question {number}" for number in range(25)]
        assert not chat.screen.query(Earlier)


async def test_a_conversation_that_goes_on_does_not_grow_without_end(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.chat.transcript.MOST", 10)
    monkeypatch.setattr("tui.chat.transcript.BATCH", 4)
    async with open_chat(store) as chat:
        for number in range(7):
            await chat.say(f"message {number}")
        await chat.until(lambda: chat.screen.query(Earlier))
        assert len(chat.screen.query(MessageView)) <= 10
        assert chat.said[-1] == "message 6"
        chat.screen.query_one(Earlier).action_load()
        await chat.until(lambda: chat.said == [f"message {number}" for number in range(7)])


async def test_two_windows_on_one_store_see_each_others_writes_within_two_seconds(store: MemoryStore, url: str) -> None:
    with MemoryStore.open(url) as other:
        async with open_chat(store, [ADD, "ok"]) as chat:
            started = time.monotonic()
            other.add_fact(FactDraft("garage", "code", "4719"), asked_by="user")
            await chat.until(lambda: chat.feed == ["remembered garage: code = 4719"])
            assert time.monotonic() - started < 2
            assert "elsewhere" in screen_text(chat.app)


async def test_the_keys_of_the_four_places_work_from_every_place(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        for key, place in (("f6", "sessions"), ("f4", "sql"), ("f6", "sessions"), ("f3", "memories"), ("f2", "chat")):
            await chat.pilot.press(key)
            await chat.until(lambda place=place: chat.app.current_mode == place)  # type: ignore[misc]


async def test_keys_can_be_changed_in_the_configuration(store: MemoryStore, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[keys]\n"chat.new" = "ctrl+b"\n"chat.send" = "f12"\n', encoding="utf-8")
    async with open_chat(store) as chat:
        await chat.pilot.press("h", "enter", "i")
        assert chat.composer.text == "h\ni"
        await chat.pilot.press("f12")
        await chat.ended()
        assert chat.said == ["h\ni"]
        await chat.pilot.press("ctrl+n")
        await chat.pilot.pause(0.2)
        assert chat.said == ["h\ni"]
        await chat.pilot.press("ctrl+b")
        await chat.until(lambda: chat.said == [])


async def test_a_key_for_an_action_that_does_not_exist_is_told_of(store: MemoryStore) -> None:
    settings = Settings(home=Path("/nowhere"), store_url="", keys={"chat.fly": "f9"})
    async with open_chat(store, settings=settings) as chat:
        await chat.until(lambda: any("chat.fly" in notice for notice in chat.notices))


def test_every_action_of_ours_has_a_name_of_its_own_and_no_key_that_terminals_cannot_send() -> None:
    known = actions()
    assert {"chat.send", "chat.stop", "card.open", "feed.undo", "app.help", "go.sql"} <= set(known)
    assert unknown_actions(["chat.send", "nonsense"]) == ["nonsense"]
    assert not {"ctrl+m", "ctrl+i", "ctrl+h"} & {key for keys in known.values() for key in keys.split(",")}


async def test_help_is_about_the_focused_part_and_names_its_keys(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        await chat.pilot.press("f1")
        await until(chat.pilot, lambda: isinstance(chat.app.screen, HelpScreen))
        await chat.pilot.pause(0.2)
        shown = screen_text(chat.app)
        assert "Your message" in shown
        assert "chat.send" in str(chat.app.screen.query_one("#keys").content)  # type: ignore[attr-defined]
        await chat.pilot.press("escape")
        chat.screen.query_one("#feed").focus()
        await chat.pilot.press("f1")
        await chat.pilot.pause(0.2)
        assert "Memory feed" in screen_text(chat.app)


async def test_the_palette_offers_every_place_mode_and_theme(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        titles = [command.title for command in chat.app.get_system_commands(chat.screen)]
        for wanted in ("Go to Memories", "Memory: read-only", "Theme: nord", "Help", "Quit", "Save a picture"):
            assert wanted in titles
        await chat.pilot.press("ctrl+p")
        await chat.pilot.press(*"go to sql")
        await chat.pilot.pause(0.5)
        await chat.pilot.press("enter")
        await chat.until(lambda: chat.app.current_mode == "sql")


async def test_a_theme_is_kept_for_next_time(store: MemoryStore, home: Path) -> None:
    async with open_chat(store) as chat:
        chat.app.choose_theme("nord")
        assert chat.app.theme == "nord"
    async with open_chat(store) as chat:
        assert chat.app.theme == "nord"


async def test_without_colour_nothing_is_coloured(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_chat(store) as chat:
        for strip in chat.screen._compositor.render_strips():
            for segment in strip:
                colour = segment.style.color.triplet if segment.style and segment.style.color else None
                assert colour is None or max(colour) - min(colour) <= 2


async def run_without_agent(error: Exception) -> list[str]:
    def opener(settings: Settings) -> Agent:
        raise error

    app = MemagentApp(load_settings(), opener)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app._notifications)
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        screen.query_one("#composer").put("hello")  # type: ignore[attr-defined]
        await pilot.press("enter")
        assert screen.query_one("#composer").text == "hello"  # type: ignore[attr-defined]
        await pilot.press("f3", "f4", "f6", "f2")
        return [notice.message for notice in app._notifications]


@pytest.mark.parametrize("error", [StoreBusyError("another process holds it", "wait"), RuntimeError("boom")])
async def test_a_store_that_cannot_be_opened_is_told_of_and_what_is_typed_stays(error: Exception) -> None:
    assert any(str(error) in notice for notice in await run_without_agent(error))


async def test_a_model_that_does_not_load_is_told_of_and_what_is_said_is_kept(store: MemoryStore) -> None:
    agent = Agent(store, "missing")
    agent._fault = ModelError("the model file is gone", "reinstall")
    agent.ready.set()
    app = MemagentApp(load_settings(), lambda _: agent)
    async with app.run_test() as pilot:
        chat = Chat(app, pilot)
        await chat.until(lambda: app.model_state == "the model did not load")
        await chat.say("remember me")
        assert any("the model file is gone" in note for note in chat.notes)
        assert [message.content for message in store.messages(1)] == ["remember me"]


async def test_one_can_type_and_look_around_while_the_model_loads(store: MemoryStore) -> None:
    agent = Agent(store, "slow")
    app = MemagentApp(load_settings(), lambda _: agent)
    async with app.run_test(size=(120, 36)) as pilot:
        chat = Chat(app, pilot)
        await chat.until(lambda: app.model_state == "loading the model")
        assert "loading the model" in screen_text(app)
        await pilot.press("f3", "f2")
        await chat.send("hello")
        threading.Timer(0.3, lambda: agent.give(ScriptedModel(["hi"]), None)).start()
        await chat.ended()
        assert chat.replies == ["hi"]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(20, 5), (80, 24), (200, 60), (3, 2)])
async def test_every_screen_can_be_drawn_at_any_size(store: MemoryStore, size: tuple[int, int]) -> None:
    async with open_chat(store, [ADD, "ok"]) as chat:
        await chat.say("the boiler")
        await chat.pilot.resize_terminal(*size)
        for key in ("f3", "f4", "f6", "f2", "f1", "escape", "f7"):
            await chat.pilot.press(key)
            await chat.pilot.pause()
            screen_text(chat.app)


async def test_the_memory_pane_gives_way_below_100_columns_and_a_key_brings_it_back(store: MemoryStore) -> None:
    async with open_chat(store, size=(99, 30)) as chat:
        pane: Any = chat.screen.query_one("#memory")
        assert not pane.display or not pane.region.width
        await chat.pilot.press("f7")
        await chat.until(lambda: pane.region.width > 90)
        await chat.pilot.press("f7")
        await chat.pilot.resize_terminal(100, 30)
        await chat.until(lambda: 30 <= pane.region.width <= 50)
