"""Memory works with a chat model that never calls a tool, and with one that does; what is unsupported is not said."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from memagent.agent.assemble import Agent
from memagent.agent.routing import Routing, routing_of
from memagent.agent.turn import DECLINE, run_turn
from memagent.config import load_settings
from memagent.conversation import (
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    TextDelta,
    Thinking,
    ToolCall,
    ToolReturned,
    Withdrawn,
)
from memagent.errors import ModelError
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest, Output, Usage
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.helpers import Helpers
from memagent.models.prompt import chat_messages
from memagent.models.scripted import ScriptedModel, Step
from memagent.models.specialists import Specialists
from memagent.tools.registry import TOOLS


@pytest.fixture(scope="module")
def helpers() -> Helpers:
    return Helpers(Specialists())


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


class Talk:
    """Sessions with a scripted chat model beside the real specialists."""

    def __init__(self, store: MemoryStore, routing: Routing, embedder: MiniLMEmbedder | None = None) -> None:
        self.store, self.routing = store, routing
        self.agent = Agent(store, "scripted")
        self.embedder = embedder
        self.cancel = threading.Event()
        self.model = ScriptedModel()
        self.new()

    def new(self) -> None:
        self.session = self.store.start_session().id

    def say(self, text: str, *steps: Step, live: bool = True, model: ScriptedModel | None = None) -> list[Event]:
        self.model = model or ScriptedModel(steps, live=live, context_tokens=4096)
        self.agent.give(self.model, self.embedder, self.routing)
        return list(run_turn(self.agent, self.session, text, cancel=self.cancel))


@pytest.fixture
def both(store: MemoryStore, helpers: Helpers, embedder: MiniLMEmbedder) -> Talk:
    return Talk(store, Routing(helpers=helpers, capture=True, reading=True, quoting=True), embedder)


def reply(events: Sequence[Event]) -> str:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1].reply


def streamed(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def kept(store: MemoryStore) -> list[str]:
    return [fact.value for fact in store.facts()]


def prompt(request: ChatRequest) -> str:
    return str(chat_messages(request)[-1]["content"])


# --- capture and reading for a model that never calls a tool ---


def test_what_is_told_is_kept_though_the_model_calls_nothing(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    assert kept(both.store) == ["Trondheim"]


def test_the_model_gets_what_memory_has_read_for_it(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    both.new()
    events = both.say("where does Ingrid live?", "She lives in Trondheim.")
    seen = prompt(both.model.requests[0])
    assert "Looked up for this message:" in seen and "Trondheim" in seen.partition("Looked up")[2]
    assert seen.endswith("where does Ingrid live?")
    assert reply(events) == "She lives in Trondheim."


def test_what_is_corrected_is_superseded(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    both.say("Ingrid has moved to Bergen", "Good to know.")
    assert kept(both.store) == ["Bergen"]


def test_what_is_to_be_forgotten_is_forgotten_before_the_model_speaks(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    events = both.say("forget where Ingrid lives", "Done.")
    assert kept(both.store) == [] and reply(events) == "Done."
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("ToolReturned") < kinds.index("TextDelta")


def test_arithmetic_is_exact(both: Talk) -> None:
    events = both.say("what is 1234 * 5678?", "It is 7006652.")
    assert reply(events) == "It is 7006652." and "7006652" in prompt(both.model.requests[0]).replace(",", "")


def test_a_question_to_which_memory_has_no_answer_brings_no_note(both: Talk) -> None:
    both.say("what is my sister called?", "I don't know.")
    assert both.model.requests[0].notes == ()


def test_what_was_told_is_kept_even_where_the_model_fails(both: Talk) -> None:
    class Down(ScriptedModel):
        def respond(self, request: ChatRequest) -> Iterator[Output]:
            raise ModelError("nothing answers at http://127.0.0.1:1/v1", "start the server")
            yield TextDelta("")

    events = both.say("my sister Ingrid lives in Trondheim", model=Down(context_tokens=4096))
    assert isinstance(events[-1], Failed) and kept(both.store) == ["Trondheim"]


def test_what_the_model_kept_itself_is_not_kept_twice(both: Talk) -> None:
    add = ToolCall("1", "memory_add", {"subject": "Ingrid", "attribute": "town", "value": "Trondheim"})
    both.say("my sister Ingrid lives in Trondheim", [add], "Noted.")
    assert kept(both.store) == ["Trondheim"]


def test_a_write_of_what_nobody_said_is_refused_and_the_model_is_told(both: Talk) -> None:
    add = ToolCall("1", "memory_add", {"subject": "Ingrid", "attribute": "husband", "value": "Olaf"})
    events = both.say("my sister Ingrid lives in Trondheim", [add], "Noted.")
    results = [event.result for event in events if isinstance(event, ToolReturned)]
    assert not results[0].ok and "nobody has said Olaf" in results[0].words
    assert kept(both.store) == ["Trondheim"]


def test_a_model_cannot_support_its_reply_with_its_own_calls(both: Talk) -> None:
    search = ToolCall("1", "memory_search", {"query": "is she called Brunhilde?"})
    events = both.say("what is my sister called?", [search], "She is called Brunhilde.", "I am sure: Brunhilde.")
    assert reply(events) == DECLINE


# --- modes and parts that are switched off ---


def test_in_the_mode_tools_the_specialists_do_nothing(store: MemoryStore, helpers: Helpers) -> None:
    talk = Talk(store, Routing(helpers=helpers))
    events = talk.say("my sister Ingrid lives in Trondheim", "How nice!")
    assert kept(store) == [] and not [event for event in events if isinstance(event, ToolReturned)]
    assert len(talk.model.requests[0].tools) == len(TOOLS)


def test_in_the_mode_auto_the_model_is_offered_no_tools(store: MemoryStore, helpers: Helpers) -> None:
    talk = Talk(store, Routing(tools=False, helpers=helpers, capture=True, reading=True))
    talk.say("my sister Ingrid lives in Trondheim", "How nice!")
    assert talk.model.requests[0].tools == () and "memory_add" not in talk.model.requests[0].system
    assert kept(store) == ["Trondheim"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (True, True, True, True)),
        ({"mode": "tools"}, (True, False, False, True)),
        ({"mode": "auto"}, (False, True, True, True)),
        ({"capture": "no"}, (True, False, True, True)),
        ({"reading": "off"}, (True, True, False, True)),
        ({"check": "false"}, (True, True, True, False)),
    ],
)
def test_settings_choose_the_parts(given: dict[str, str], expected: tuple[bool, ...]) -> None:
    routing = routing_of(load_settings(model="http://localhost:9/v1#x", **given))
    assert (routing.tools, routing.capture, routing.reading, routing.check) == expected
    assert (routing.helpers is not None) == any(expected[1:])


def test_the_shipped_model_needs_no_routing() -> None:
    assert routing_of(load_settings(mode="auto")) == Routing()


# --- streaming with the check behind it ---


def test_a_sound_reply_is_shown_as_it_comes_and_once(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    events = both.say("where does Ingrid live?", "She lives in Trondheim, as you said.")
    assert streamed(events) == "She lives in Trondheim, as you said."
    assert len([event for event in events if isinstance(event, TextDelta)]) == 7, "word by word"
    assert not [event for event in events if isinstance(event, Withdrawn | Thinking)]


def test_an_unsupported_reply_is_withdrawn_and_thought_over(both: Talk) -> None:
    both.say("my sister Ingrid lives in Trondheim", "How nice!")
    events = both.say("where does Ingrid live?", "She lives in Hamburg.", "She lives in Trondheim.")
    assert [event.missing for event in events if isinstance(event, Withdrawn)] == [("Hamburg",)]
    (thinking,) = [event for event in events if isinstance(event, Thinking)]
    assert "Hamburg" in thinking.reason and (thinking.attempt, thinking.attempts) == (1, 1)
    assert reply(events) == "She lives in Trondheim."
    after = events[events.index(thinking) :]
    assert streamed(after) == "She lives in Trondheim."
    assert "Your last reply named" in prompt(both.model.requests[1])
    assert "Hamburg" not in "".join(message.content for message in both.store.messages(both.session))


def test_words_before_a_call_are_withdrawn(both: Talk) -> None:
    search = ToolCall("1", "memory_search", {"query": "Ingrid"})
    events = both.say("what do you know of Ingrid?", ["Let me look. ", search], "Nothing yet.")
    assert Withdrawn() in events and reply(events) == "Nothing yet."


def test_talk_about_nothing_that_memory_could_know_may_use_what_the_model_knows(both: Talk) -> None:
    events = both.say("hello there, good morning!", "Good morning! How about Vivaldi?")
    assert reply(events) == "Good morning! How about Vivaldi?"


def test_without_the_check_the_model_may_say_anything(store: MemoryStore) -> None:
    events = Talk(store, Routing(check=False)).say("who wrote Faust?", "That was Goethe.")
    assert reply(events) == "That was Goethe."


def test_thoughts_are_shown_and_not_stored(store: MemoryStore) -> None:
    class Thinks(ScriptedModel):
        def respond(self, request: ChatRequest) -> Iterator[Output]:
            yield ReasoningDelta("The person greets me, says Sigmund.")
            yield TextDelta("Hello!")
            yield Usage(777, 12)

    talk = Talk(store, Routing())
    events = talk.say("hello", model=Thinks(live=True, context_tokens=4096))
    assert ReasoningDelta("The person greets me, says Sigmund.") in events
    assert "Sigmund" not in repr(store.messages(talk.session))
    assert isinstance(events[-1], Finished) and (events[-1].prompt_tokens, events[-1].reply_tokens) == (777, 12)


# --- thinking longer ---


def test_of_several_attempts_the_one_that_agrees_best_with_the_evidence_is_said(
    store: MemoryStore, helpers: Helpers, embedder: MiniLMEmbedder
) -> None:
    talk = Talk(store, Routing(helpers=helpers, capture=True, reading=True, best_of=3), embedder)
    talk.say("my sister Ingrid lives in Trondheim", "How nice!")
    events = talk.say(
        "where does Ingrid live?", "In Hamburg.", "I am not sure.", "Now in Oslo.", "So Ingrid lives in Trondheim."
    )
    assert reply(events) == "So Ingrid lives in Trondheim."
    assert [event.attempt for event in events if isinstance(event, Thinking)] == [1, 2, 3]
    assert [request.attempt for request in talk.model.requests] == [0, 0, 1, 2], "others than the likeliest"
    declines = talk.say("where does Ingrid live?", "In Hamburg.", "I am not sure.", "Now in Oslo.", "In Rome, or Oslo.")
    assert reply(declines) == "I am not sure."


@pytest.mark.parametrize("budget", [{"think_tokens": 3}, {"think_seconds": 0.0}, {"best_of": 0}])
def test_thinking_longer_ends_with_its_budget(store: MemoryStore, budget: dict[str, float]) -> None:
    routing = Routing(**{"best_of": 16, **budget})  # type: ignore[arg-type]
    talk = Talk(store, routing)
    events = talk.say("where does Ingrid live?", *["It is in Hamburg or in Oslo."] * 20)
    assert reply(events) == DECLINE and len(talk.model.requests) <= 2


def test_an_empty_reply_is_asked_for_again(store: MemoryStore) -> None:
    events = Talk(store, Routing()).say("hello", "", "Hello!")
    assert reply(events) == "Hello!"
