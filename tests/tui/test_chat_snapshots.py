"""How the chat looks. After a change that is meant: pytest --snapshot-update."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot

import tui.chat.status
import tui.chat.transcript
import tui.views
from memagent.agent.assemble import Agent
from memagent.config import Settings, load_settings
from memagent.conversation import ToolCall
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from memagent.models.scripted import ScriptedModel, Step
from tests.tui.chats import SIZE, Chat
from tests.tui.pages import HOSTILE, PageApp
from tui.chat.cards import Consent
from tui.chat.status import StatusLine

SMALL = (80, 24)
Compare = Callable[..., bool]
ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})
WENDOVER = ToolCall("b", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Wendover"})
SEARCH = ToolCall("s", "memory_search", {"query": "boiler"})
BAD = ToolCall("x", "memory_search", {"query": " "})
CODE = "```sql\nselect value from facts\n```"
MARKDOWN = f"now it is **Wendover**:\n\n- no longer `Hartnell`\n- from today\n\n{CODE}"


@pytest.fixture(autouse=True)
def same_everywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone, and how long things take, are those of no machine."""
    monkeypatch.setattr(tui.views, "milliseconds", lambda value: "1 ms")
    monkeypatch.setattr(tui.chat.status, "milliseconds", lambda value: "1 ms")
    monkeypatch.setattr(PageApp, "store_words", "memory.db")
    with monkeypatch.context() as context:
        context.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def opened(store: MemoryStore, steps: Sequence[Step] = (), **settings: Any) -> PageApp:
    """The application on its chat screen."""
    agent = Agent(store, "scripted")
    agent.give(ScriptedModel(steps), None)
    app = PageApp("chat", agent)
    app.settings = Settings(**{**vars(load_settings()), **settings})
    app.memory_mode = app.settings.memory
    app.theme = app.settings.theme or app.theme
    return app


def saying(*messages: str, then: str = "") -> Callable[[Pilot[Any]], Any]:
    """Say these one after the other, then press a key."""

    async def run(pilot: Pilot[Any]) -> None:
        chat = Chat(pilot.app, pilot)  # type: ignore[arg-type]
        await chat.until(lambda: chat.app.model_state == "ready" and chat.screen.query("#composer"))
        for message in messages:
            await chat.say(message)
            feed = len(chat.app.store.operations())
            await chat.until(lambda feed=feed: len(chat.feed) == feed)  # type: ignore[misc]
        chat.composer.cursor_blink = False
        if then:
            await pilot.press(*then.split())
        await pilot.pause(0.3)

    return run


def test_a_new_person_s_first_screen(snap_compare: Compare, store: MemoryStore) -> None:
    assert snap_compare(opened(store), run_before=saying(), terminal_size=SIZE)


def test_a_new_person_s_first_screen_in_a_small_terminal(snap_compare: Compare, store: MemoryStore) -> None:
    assert snap_compare(opened(store), run_before=saying(), terminal_size=SMALL)


def test_a_conversation(snap_compare: Compare, store: MemoryStore) -> None:
    app = opened(store, [[ADD, BAD], "Noted.", [SEARCH, WENDOVER], MARKDOWN])
    talk = saying("the boiler is serviced by Hartnell", "no, by Wendover")
    assert snap_compare(app, run_before=talk, terminal_size=SIZE)


def test_a_conversation_in_a_small_terminal(snap_compare: Compare, store: MemoryStore) -> None:
    app = opened(store, [ADD, "Noted."])
    assert snap_compare(app, run_before=saying("the boiler is serviced by Hartnell"), terminal_size=SMALL)


def test_an_opened_card(snap_compare: Compare, store: MemoryStore) -> None:
    store.add_fact(FactDraft("boiler", "serviced by", "Hartnell", "the boiler: Hartnell"), asked_by="user")
    app = opened(store, [SEARCH, "Hartnell."], expand="always")
    assert snap_compare(app, run_before=saying("who services the boiler?"), terminal_size=SIZE)


def test_a_write_that_waits_for_consent(snap_compare: Compare, store: MemoryStore) -> None:
    app = opened(store, [ADD, "Noted."], memory="ask")

    async def ask(pilot: Pilot[Any]) -> None:
        await saying()(pilot)
        chat = Chat(app, pilot)
        await chat.send("the boiler is serviced by Hartnell")
        await chat.until(lambda: chat.screen.query(Consent))
        chat.screen.query_one("#status", StatusLine)._spinner.stop()  # type: ignore[union-attr]
        chat.screen.query_one("#status").display = False  # it counts the seconds
        await pilot.pause(0.3)

    assert snap_compare(app, run_before=ask, terminal_size=SIZE)


def test_help(snap_compare: Compare, store: MemoryStore) -> None:
    assert snap_compare(opened(store), run_before=saying(then="f1"), terminal_size=SIZE)


def test_hostile_words(snap_compare: Compare, store: MemoryStore) -> None:
    app = opened(store, [HOSTILE[0], HOSTILE[2]])
    assert snap_compare(app, run_before=saying(HOSTILE[0], HOSTILE[1]), terminal_size=SIZE)


@pytest.mark.parametrize("theme", ["memagent-day", "ansi-dark"])
def test_other_colours(snap_compare: Compare, store: MemoryStore, theme: str) -> None:
    app = opened(store, [ADD, "Noted."], theme=theme)
    assert snap_compare(app, run_before=saying("the boiler is serviced by Hartnell"), terminal_size=SIZE)
