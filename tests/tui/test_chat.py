"""Talking, as a person does it: what is said, what is shown, what is stopped, what is asked first."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from memagent.config import load_settings
from memagent.conversation import TextDelta, ToolCall
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest
from memagent.models.scripted import ScriptedModel
from tests.tui.chats import open_chat
from tests.tui.pages import HOSTILE, screen_text
from tui.chat.cards import Consent
from tui.chat.gauge import ContextGauge
from tui.chat.welcome import Example, Welcome

ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})
WENDOVER = ToolCall("b", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Wendover"})
SEARCH = ToolCall("s", "memory_search", {"query": "boiler"})


async def test_a_turn_shows_what_was_said_what_memory_did_and_the_reply(store: MemoryStore) -> None:
    async with open_chat(store, [ADD, "Noted, **Hartnell** it is."]) as chat:
        await chat.say("the boiler is serviced by Hartnell")
        assert chat.said == ["the boiler is serviced by Hartnell"]
        assert [card.card.words for card in chat.cards] == ["remembered boiler: serviced by = Hartnell · id 1"]
        assert chat.replies == ["Noted, **Hartnell** it is."]
        await chat.until(lambda: chat.feed == ["remembered boiler: serviced by = Hartnell"])
        shown = screen_text(chat.app)
        assert "Noted, Hartnell it is." in shown  # the Markdown is rendered
        assert "tokens in" in shown
        assert chat.screen.query_one(ContextGauge).usage is not None
        assert chat.composer.text == ""


async def test_a_card_opens_to_arguments_result_and_sql(store: MemoryStore) -> None:
    async with open_chat(store, [ADD, "ok"]) as chat:
        await chat.say("the boiler is serviced by Hartnell")
        chat.cards[0].focus()
        await chat.pilot.press("enter")
        shown = str(chat.cards[0].content)
        assert "subject = boiler" in shown
        assert "insert into facts" in shown
        await chat.pilot.press("enter")
        assert "insert into facts" not in str(chat.cards[0].content)
        await chat.pilot.press("ctrl+o")
        assert chat.cards[0].opened


async def test_an_update_shows_before_and_after(store: MemoryStore) -> None:
    async with open_chat(store, [[ADD, WENDOVER], "ok"]) as chat:
        await chat.say("Hartnell, no, Wendover services the boiler")
        assert "− Hartnell\n    + Wendover" in str(chat.cards[1].content)


@pytest.mark.parametrize(("steps", "red"), [(["ok"], True), ([SEARCH, "ok"], False)])
async def test_a_failed_call_turns_red_only_if_it_was_not_mended(
    store: MemoryStore, steps: list[str | ToolCall], red: bool
) -> None:
    bad = ToolCall("x", "memory_search", {"query": " "})
    async with open_chat(store, [bad, *steps]) as chat:
        await chat.say("look for the boiler")
        assert chat.cards[0].unmended is red


class Endless(ScriptedModel):
    """A model that talks until it is stopped."""

    def __init__(self) -> None:
        super().__init__(live=True)

    def respond(self, request: ChatRequest) -> Iterator[TextDelta | ToolCall]:
        while not request.cancel.wait(0.01):
            yield TextDelta("on and on ")


class Broken(Endless):
    """A model that fails in the middle of a reply."""

    def respond(self, request: ChatRequest) -> Iterator[TextDelta | ToolCall]:
        yield TextDelta("so far so")
        raise RuntimeError("the weights have melted")


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_escape_and_ctrl_c_stop_a_reply_at_once_and_nothing_said_is_lost(store: MemoryStore, key: str) -> None:
    async with open_chat(store, Endless()) as chat:
        await chat.send("tell me everything")
        await chat.until(lambda: "Esc stops" in chat.status)
        started = time.monotonic()
        await chat.pilot.press(key)
        await chat.ended()
        assert time.monotonic() - started < 2
        assert chat.notes[-1] == "stopped · everything said so far is kept"
        assert [message.content for message in store.messages(1)] == ["tell me everything"]


async def test_a_message_sent_during_a_reply_stays_in_the_input(store: MemoryStore) -> None:
    async with open_chat(store, Endless()) as chat:
        await chat.send("first")
        await chat.send("second")
        assert chat.composer.text == "second"
        assert "still coming" in chat.notices[-1]
        await chat.pilot.press("escape")
        await chat.ended()


async def test_a_model_that_fails_is_told_of_and_one_can_go_on(store: MemoryStore) -> None:
    async with open_chat(store, Broken()) as chat:
        await chat.say("hello there")
        assert "the weights have melted" in chat.notices[-1]
        assert store.messages(1)[0].content == "hello there"
        await chat.say("and again")
        assert [message.content for message in store.messages(1)] == ["hello there", "and again"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_in_mode_ask_a_write_waits_for_the_person(store: MemoryStore, allowed: bool) -> None:
    async with open_chat(store, [ADD, "done"], settings=load_settings(memory="ask")) as chat:
        await chat.send("the boiler is serviced by Hartnell")
        await chat.until(lambda: chat.screen.query(Consent))
        assert "remember boiler: serviced by = Hartnell?" in screen_text(chat.app)
        assert store.facts() == []
        await chat.pilot.press("y" if allowed else "n")
        await chat.ended()
        assert len(store.facts()) == int(allowed)
        assert not chat.screen.query(Consent)
        if not allowed:
            assert "you did not approve it" in chat.cards[0].card.words


async def test_whoever_is_typing_does_not_answer_by_accident(store: MemoryStore) -> None:
    async with open_chat(store, [ADD, "done"], settings=load_settings(memory="ask")) as chat:
        chat.composer.put("the boiler is serviced by Hartnell")
        chat.composer.action_send()
        chat.composer.put("maybe ")
        await chat.until(lambda: chat.screen.query(Consent))
        await chat.pilot.press("y")
        assert chat.composer.text == "maybe y"
        assert chat.screen.query(Consent)
        await chat.pilot.press("escape")
        await chat.ended()
        assert store.facts() == []


async def test_the_memory_mode_is_shown_and_switched_and_holds_from_the_next_turn(store: MemoryStore) -> None:
    async with open_chat(store, [ADD, "done"]) as chat:
        for mode in ("ask", "read-only", "off"):
            await chat.pilot.press("f8")
            assert f"memory {mode}" in screen_text(chat.app).splitlines()[0]
        await chat.say("the boiler is serviced by Hartnell")
        assert store.facts() == []
        assert "memory is off" in chat.cards[0].card.words
        await chat.pilot.press("f8")
        assert chat.app.memory_mode == "on"


async def test_several_lines_are_one_message_and_the_history_brings_them_back(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        await chat.pilot.press("a", "ctrl+j", "b", "enter")
        await chat.ended()
        assert chat.said == ["a\nb"]
        await chat.say("second")
        await chat.pilot.press("x", "up")
        assert chat.composer.text == "second"
        await chat.pilot.press("up")
        assert chat.composer.text == "a\nb"
        await chat.pilot.press("down", "down")
        assert chat.composer.text == "x"


async def test_what_was_said_in_an_earlier_run_is_in_the_history(store: MemoryStore) -> None:
    session = store.start_session().id
    store.add_message(session, "user", "from before")
    async with open_chat(store) as chat:
        await chat.until(lambda: chat.feed == [])
        await chat.pilot.pause(0.1)
        await chat.pilot.press("up")
        assert chat.composer.text == "from before"


async def test_a_long_paste_is_a_short_mark_and_is_sent_whole(store: MemoryStore) -> None:
    from textual.events import Paste

    text = "\r\n".join(f"line {number}" for number in range(400))
    async with open_chat(store) as chat:
        chat.app.post_message(Paste("short"))
        chat.app.post_message(Paste(text))
        await chat.pilot.pause()
        assert chat.composer.text.startswith("short[pasted #1: 400 lines")
        await chat.pilot.press("enter")
        await chat.ended()
        assert store.messages(1)[0].content == "short" + text.replace("\r\n", "\n")


async def test_a_message_that_is_too_long_stays_in_the_input_with_a_word_why(store: MemoryStore) -> None:
    async with open_chat(store) as chat:
        chat.composer.put("x" * 100_001)
        await chat.pilot.press("enter")
        assert "the limit is 100,000" in chat.notices[-1]
        assert len(chat.composer.text) == 100_001
        assert store.latest_session() is None


async def test_a_new_person_sees_what_to_try_and_enter_takes_it(store: MemoryStore) -> None:
    async with open_chat(store, ["hello"]) as chat:
        assert "A small model with a large memory." in screen_text(chat.app)
        chat.screen.query(Example).first().focus()
        await chat.pilot.press("enter")
        assert chat.composer.has_focus
        assert chat.composer.text == "my sister Ingrid lives in Trondheim"
        await chat.pilot.press("enter")
        await chat.ended()
        assert not chat.screen.query(Welcome)


async def test_a_new_conversation_begins_empty_and_the_old_one_is_kept(store: MemoryStore) -> None:
    async with open_chat(store, ["one", "two"]) as chat:
        await chat.say("first")
        await chat.pilot.press("ctrl+n")
        await chat.until(lambda: chat.said == [])
        await chat.say("second")
        assert chat.said == ["second"]
        assert [session.title for session in store.sessions()] == ["second", "first"]


async def test_what_is_forgotten_leaves_the_screen_as_well(store: MemoryStore) -> None:
    async with open_chat(store, [ADD, "ok"]) as chat:
        await chat.say("the boiler is serviced by Hartnell")
        await chat.until(lambda: chat.feed)
        store.forget_fact(1, asked_by="user")
        await chat.until(lambda: "Hartnell" not in screen_text(chat.app))
        await chat.pilot.press("up")
        assert "Hartnell" not in chat.composer.text


async def test_the_feed_leads_to_the_memory_and_takes_operations_back(store: MemoryStore) -> None:
    async with open_chat(store, [[ADD, WENDOVER], "ok"]) as chat:
        await chat.say("Wendover services the boiler")
        await chat.until(lambda: len(chat.feed) == 2)
        chat.screen.query_one("#feed").focus()
        await chat.pilot.press("end", "u")
        await chat.until(lambda: len(chat.feed) == 3)
        assert [fact.value for fact in store.facts()] == ["Hartnell"]
        await chat.pilot.press("home", "enter")
        await chat.until(lambda: chat.app.current_mode == "memories")


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_literally_everywhere(store: MemoryStore, text: str) -> None:
    value = text.replace("\0", "").encode("utf-8", "ignore").decode()
    add = ToolCall("a", "memory_add", {"subject": value[:60], "attribute": value[:60], "value": value[:2000]})
    store.add_fact(FactDraft("old", "value", value[:2000], value[:2000]), asked_by="user")
    async with open_chat(store, [[add, SEARCH, ToolCall("x", "no_such_tool", {"a": text})], value]) as chat:
        await chat.say(value)
        await chat.pilot.press("ctrl+o")
        await chat.pilot.pause()
        shown = screen_text(chat.app)
        assert not any(ord(character) < 32 and character != "\n" for character in shown)
        assert "\u202e" not in shown
        assert chat.said == ["\n".join(value.splitlines())]
        chat.app.tell(text)
        await chat.pilot.pause()


async def test_the_scripted_model_of_these_tests_sees_the_whole_request(store: MemoryStore) -> None:
    model = ScriptedModel(["ok"])
    async with open_chat(store, model) as chat:
        await chat.say("hello")
        assert model.requests[0].messages[-1].content == "hello"
