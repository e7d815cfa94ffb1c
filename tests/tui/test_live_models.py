"""Models that are shown as they talk: what is streamed, withdrawn and thought over, and how it looks when resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from memagent.agent.routing import Routing
from memagent.config import load_settings
from memagent.conversation import ReasoningDelta, TextDelta, ToolCall
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest, Output
from memagent.models.scripted import ScriptedModel, Step
from tests.tui.chats import Chat, open_chat
from tests.tui.pages import screen_text
from tui.chat.reasoning import Reasoning
from tui.commands import commands

SEARCH = ToolCall("s", "memory_search", {"query": "boiler"})
SERVER = "http://localhost:11434/v1#qwen3:4b"
WRONG = "It is Wendover & Sons, since 1987."


def live(*steps: Step) -> ScriptedModel:
    return ScriptedModel(steps, live=True)


class Slow(ScriptedModel):
    """Thinks, says one step of its script, and goes on only when it is let."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(steps, live=True)
        self.go_on = threading.Event()

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        yield ReasoningDelta("they ask ")
        yield ReasoningDelta("about [b]heating[/b]")
        yield from super().respond(request)
        while not self.go_on.wait(0.01) and not request.cancel.is_set():
            pass
        self.go_on.clear()


def notes(chat: Chat) -> list[str]:
    """The quiet lines, without durations and token counts."""
    return [note for note in chat.notes if "tokens in" not in note]


async def test_text_is_on_the_screen_before_the_turn_has_ended(store: MemoryStore) -> None:
    model = Slow("Good morning to you.")
    async with open_chat(store, model) as chat:
        await chat.send("good morning")
        await chat.until(lambda: "Good morning to you." in screen_text(chat.app))
        assert chat.screen.busy
        model.go_on.set()
        await chat.ended()
        assert chat.replies == ["Good morning to you."]


async def test_what_is_not_supported_is_withdrawn_with_its_reason_and_looks_the_same_when_resumed(
    store: MemoryStore,
) -> None:
    model = Slow(WRONG, "You have not told me.")
    async with open_chat(store, model) as chat:
        chat.app.agent.routing = Routing(best_of=1, think_tokens=500, think_seconds=30)
        await chat.send("who looks after the boiler?")
        await chat.until(lambda: WRONG in screen_text(chat.app).replace("&amp;", "&"))
        model.go_on.set()
        await chat.until(lambda: "thinking longer (1 of 1; 0 of 500 tokens" in chat.status)
        assert WRONG not in screen_text(chat.app)
        assert chat.replies == []
        model.go_on.set()
        await chat.ended()
        assert chat.replies == ["You have not told me."]
        shown = notes(chat)
        assert shown[0].startswith("withdrawn: nothing in memory or said here supports ")
        assert "Wendover" in shown[0] and "1987" in shown[0]
        assert shown[1].startswith("thinking longer (1 of 1; 0 of 500 tokens, 0 of 30 s): nothing in memory supports")
        assert "thinking longer" not in chat.status
    assert [message.content for message in store.messages(1)][-1] == "You have not told me."
    async with open_chat(store, session_id=1) as resumed:
        await resumed.until(lambda: resumed.replies)
        assert resumed.replies == ["You have not told me."]
        assert notes(resumed) == shown


async def test_a_reply_that_nothing_mends_is_replaced_by_a_refusal_to_guess(store: MemoryStore) -> None:
    async with open_chat(store, live(WRONG, WRONG)) as chat:
        await chat.say("who looks after the boiler?")
        assert chat.replies == ["I don't know: nothing in memory supports an answer."]
        assert "Wendover & Sons, since" not in screen_text(chat.app)
        assert "reply replaced" in chat.notes[-1]


async def test_words_in_front_of_a_tool_call_go_without_a_word(store: MemoryStore) -> None:
    async with open_chat(store, live(["Let me look. ", SEARCH], "You have not told me.")) as chat:
        await chat.say("who looks after the boiler?")
        assert chat.replies == ["You have not told me."]
        assert notes(chat) == []
        assert len(chat.cards) == 1


async def test_thoughts_are_one_closed_line_that_opens_and_are_not_kept(store: MemoryStore) -> None:
    model = Slow("Hello there.")
    async with open_chat(store, model) as chat:
        await chat.send("hello")
        await chat.until(lambda: chat.screen.query(Reasoning) and chat.replies)
        thought = chat.screen.query_one(Reasoning)
        assert str(thought.content).startswith("▸ thought for ")
        model.go_on.set()
        await chat.ended()
        assert "they ask" not in screen_text(chat.app)
        thought.focus()
        await chat.pilot.press("enter")
        assert "they ask about [b]heating[/b]" in screen_text(chat.app)
        await chat.pilot.press("ctrl+o")
        assert not thought.opened
        assert chat.replies == ["Hello there."]
    async with open_chat(store, session_id=1) as resumed:
        await resumed.until(lambda: resumed.replies)
        assert not resumed.screen.query(Reasoning)


async def test_a_turn_that_is_stopped_while_it_thinks_longer_has_no_reply_then_and_later(store: MemoryStore) -> None:
    model = Slow(WRONG, "never said")
    async with open_chat(store, model) as chat:
        chat.app.agent.routing = Routing(best_of=1)
        await chat.send("who looks after the boiler?")
        await chat.until(lambda: chat.replies)
        model.go_on.set()
        await chat.until(lambda: "thinking longer" in chat.status)
        await chat.pilot.press("escape")
        await chat.ended()
        assert chat.replies == []
        shown = chat.notes
        assert shown[-1].startswith("stopped")
    async with open_chat(store, session_id=1) as resumed:
        await resumed.until(lambda: resumed.notes)
        assert (resumed.replies, resumed.notes) == ([], shown)


class Whole(ScriptedModel):
    """Gives the text of each step in one piece, as a slow server may."""

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        yield TextDelta("".join(out.text for out in super().respond(request) if isinstance(out, TextDelta)))


async def test_the_mode_is_shown_and_switched_where_another_model_talks(store: MemoryStore) -> None:
    settings = load_settings(model=SERVER, mode="tools")
    async with open_chat(store, Whole(["ok"], live=True), settings=settings) as chat:
        await chat.until(lambda: "memory on · mode tools" in screen_text(chat.app).splitlines()[0])
        offered = {command.title: command.callback for command in commands(chat.app, chat.screen)}
        offered["Mode: auto"]()
        await chat.until(lambda: "mode auto" in screen_text(chat.app).splitlines()[0])
        assert not chat.app.agent.routing.tools
        assert chat.app.agent.routing.reading
        assert "only the specialists use memory" in chat.notices[-1]


async def test_the_shipped_model_has_no_mode_to_switch(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        assert "mode" not in screen_text(chat.app).splitlines()[0]
        assert not any(command.title.startswith("Mode: ") for command in commands(chat.app, chat.screen))


@pytest.mark.parametrize("mode", ["on", "off"])
async def test_all_that_the_model_would_see_is_shown_and_nothing_is_stored(store: MemoryStore, mode: str) -> None:
    store.edit_core_block("person", "", "called Ada [b]", asked_by="user")
    async with open_chat(store, settings=load_settings(memory=mode)) as chat:
        before = len(store.operations())
        chat.composer.put("who looks after the boiler?")
        await chat.pilot.press("f9")
        await chat.until(lambda: "What the model would see now" in screen_text(chat.app))
        await chat.pilot.press("end")
        await chat.pilot.pause(0.3)
        shown = screen_text(chat.app)
        assert "who looks after the boiler?" in shown
        assert ("called Ada [b]" in shown) is (mode == "on")
        await chat.pilot.press("escape")
        assert (len(store.operations()), store.latest_session()) == (before, None)
        assert chat.composer.text == "who looks after the boiler?"
