"""One turn on a real store, with a scripted model: what is said is kept, what is shown is what is stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from memagent.agent.assemble import Agent
from memagent.agent.turn import DECLINE, MAX_CALLS, run_turn
from memagent.conversation import (
    ContextUsage,
    Event,
    Failed,
    Finished,
    Recalled,
    TextDelta,
    ToolCall,
    ToolReturned,
    event_from_dict,
)
from memagent.errors import InputError, ModelError, NotFoundError
from memagent.memory.records import FactDraft, Message
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest, Confidence
from memagent.models.scripted import ScriptedModel, Step

ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "service company", "value": "Hartnell"})
SEARCH = ToolCall("s", "memory_search", {"query": "boiler"})


class Talk:
    """A session with a scripted model."""

    def __init__(self, store: MemoryStore, steps: Sequence[Step] = (), context_tokens: int = 2048) -> None:
        self.store = store
        self.model = ScriptedModel(steps, context_tokens=context_tokens)
        self.agent = Agent(store, "scripted")
        self.agent.give(self.model, None)
        self.session = store.start_session().id
        self.cancel = threading.Event()

    def turn(self, text: str) -> Iterator[Event]:
        return run_turn(self.agent, self.session, text, cancel=self.cancel)

    def say(self, text: str) -> list[Event]:
        return list(self.turn(text))

    @property
    def messages(self) -> list[Message]:
        return self.store.messages(self.session)


def names(events: Sequence[Event]) -> list[str]:
    shown = [type(event).__name__ for event in events]
    return [name for at, name in enumerate(shown) if at == 0 or (name, shown[at - 1]) != ("TextDelta", "TextDelta")]


def finished(events: Sequence[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def stored(message: Message) -> list[Event]:
    return [event_from_dict(event) for event in message.events]


def returned(events: Sequence[Event]) -> list[ToolReturned]:
    return [event for event in events if isinstance(event, ToolReturned)]


# --- the order of things ---


def test_the_message_is_durable_before_the_model_is_asked(store: MemoryStore, url: str) -> None:
    seen: list[list[str]] = []

    def look(_: ChatRequest) -> list[str]:
        with MemoryStore.open(url) as other:
            seen.append([message.content for message in other.messages(talk.session)])
        return ["noted"]

    talk = Talk(store, [look])
    talk.say("the boiler is serviced by Hartnell")
    assert seen == [["the boiler is serviced by Hartnell"]]


def test_events_come_in_order(store: MemoryStore) -> None:
    talk = Talk(store, [[ADD], "I'll remember that your boiler is serviced by Hartnell, with all that follows."])
    events = talk.say("the boiler is serviced by Hartnell")
    assert names(events) == ["Recalled", "ContextUsage", "ToolCalled", "ToolReturned", "TextDelta", "Finished"]
    reply = finished(events).reply
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == reply
    assert [(message.role, message.content) for message in talk.messages] == [
        ("user", "the boiler is serviced by Hartnell"),
        ("assistant", reply),
    ]
    assert talk.messages[1].tokens == finished(events).reply_tokens == len(reply.split())


def test_the_model_sees_what_was_said_its_calls_and_their_results(store: MemoryStore) -> None:
    talk = Talk(store, ["hello", [ADD], "noted"])
    talk.say("hi there")
    talk.say("the boiler is serviced by Hartnell")
    first, second, third = talk.model.requests
    assert [(m.role, m.content) for m in first.messages] == [("user", "hi there")]
    assert [(m.role, m.content) for m in second.messages[:2]] == [("user", "hi there"), ("assistant", "hello")]
    _, _, said, asked, answered = third.messages
    assert (said.content, asked.tool_calls) == ("the boiler is serviced by Hartnell", (ADD,))
    assert answered.tool_result is not None and answered.tool_result.call_id == ADD.id
    assert len(third.tools) == 8


def test_stored_events_are_the_ones_that_were_shown(store: MemoryStore) -> None:
    talk = Talk(store, [[ADD, SEARCH], [ToolCall("x", "nonsense", {})], "noted"])
    talk.say("call me Zoë\u2028\x1b[31m")
    talk = Talk(store, [[ADD, SEARCH], [ToolCall("x", "nonsense", {})], "noted"])
    events = talk.say("the boiler is serviced by Hartnell since yesterday")
    shown = [event for event in events if not isinstance(event, TextDelta)]
    assert stored(talk.messages[1]) == shown
    assert returned(events)[0].result.change is not None
    assert not returned(events)[-1].result.ok


def test_what_was_told_is_recalled_in_the_next_session(store: MemoryStore) -> None:
    Talk(store, [[ADD], "noted"]).say("the boiler is serviced by Hartnell")
    talk = Talk(store, ["Hartnell does, you said so."])
    events = talk.say("who services the boiler?")
    recalled = events[0]
    assert isinstance(recalled, Recalled) and recalled.hits
    assert talk.model.requests[0].recalled == recalled.hits
    assert finished(events).grounded


def test_context_usage_is_told_once_and_counts_what_fell_out(store: MemoryStore) -> None:
    talk = Talk(store, [[SEARCH], "ok"], context_tokens=2048)
    for number in range(60):
        store.add_message(talk.session, "user", f"note {number} " + "word " * 40)
    events = talk.say("well")
    (usage,) = [event for event in events if isinstance(event, ContextUsage)]
    assert usage.dropped_messages > 0 and usage.used + usage.reserved <= usage.window
    assert finished(events).prompt_tokens == usage.used
    assert usage.dropped_messages + len(talk.model.requests[0].messages) - 1 == 60


# --- calls ---


def test_an_identical_call_is_answered_from_the_first(store: MemoryStore) -> None:
    again = ToolCall("b", ADD.name, dict(reversed(ADD.arguments.items())))
    talk = Talk(store, [[ADD], [again], "noted"])
    first, second = returned(talk.say("the boiler is serviced by Hartnell"))
    assert second.result.content == first.result.content and second.result.call_id == "b"
    assert store.facts()[0].times_told == 1
    assert len([operation for operation in store.operations() if operation.name == "add"]) == 1


def test_the_same_call_in_another_turn_runs_again(store: MemoryStore) -> None:
    talk = Talk(store, [[ADD], "noted", [ADD], "noted"])
    talk.say("the boiler is serviced by Hartnell")
    (event,) = returned(talk.say("again: it is Hartnell"))
    assert event.result.content["action"] == "repeated"


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_no_more_calls_run_than_the_limit(store: MemoryStore, at_once: int) -> None:
    made = iter(range(10_000))

    def calls(_: ChatRequest) -> list[ToolCall]:
        return [ToolCall(f"c{n}", "memory_search", {"query": f"thing {n}"}) for _, n in zip(range(at_once), made)]  # noqa: B905

    talk = Talk(store, [calls] * 200)
    events = talk.say("go on for ever")
    assert len(returned(events)) == MAX_CALLS
    assert finished(events).reply == DECLINE


def test_a_mistake_of_the_model_is_told_to_it_and_can_be_mended(store: MemoryStore) -> None:
    talk = Talk(store, [[ToolCall("1", "memory_add", {"subject": "boiler"})], [ADD], "noted"])
    events = talk.say("the boiler is serviced by Hartnell")
    assert [event.result.ok for event in returned(events)] == [False, True]
    told = talk.model.requests[1].messages[-1].tool_result
    assert told is not None and "attribute and value" in told.content["error"]


# --- endings ---


def ends_early(talk: Talk, events: list[Event]) -> Failed:
    """The turn failed; its message is kept, with what was shown."""
    failed = events[-1]
    assert isinstance(failed, Failed)
    (message,) = talk.messages
    assert message.role == "user"
    assert stored(message) == [event for event in events if not isinstance(event, TextDelta)]
    return failed


def test_cancelled_before_it_begins(store: MemoryStore) -> None:
    talk = Talk(store, ["never said"])
    talk.cancel.set()
    assert ends_early(talk, talk.say("hello there")).cancelled
    assert talk.model.requests == []


def test_cancelled_in_mid_reply(store: MemoryStore) -> None:
    def stop(_: ChatRequest) -> list[str]:
        talk.cancel.set()
        return ["some words that will not be shown"]

    talk = Talk(store, [stop])
    assert ends_early(talk, talk.say("hello there")).cancelled


def test_cancelled_between_calls_runs_no_further_call(store: MemoryStore) -> None:
    talk = Talk(store, [[SEARCH, ADD], "noted"])
    events: list[Event] = []
    for event in talk.turn("the boiler is serviced by Hartnell"):
        events.append(event)
        if isinstance(event, ToolReturned):
            talk.cancel.set()
    assert ends_early(talk, events).cancelled
    assert store.facts() == [] and len(talk.model.requests) == 1


def test_what_a_tool_wrote_before_the_cancel_is_kept(store: MemoryStore) -> None:
    def stop(_: ChatRequest) -> list[str]:
        talk.cancel.set()
        return ["x"]

    talk = Talk(store, [[ADD], stop])
    assert ends_early(talk, talk.say("the boiler is serviced by Hartnell")).cancelled
    assert [fact.value for fact in store.facts()] == ["Hartnell"]


class Breaks(ScriptedModel):
    def respond(self, request: ChatRequest) -> Iterator[TextDelta | ToolCall]:
        if not self.requests:
            yield from super().respond(request)
            return
        yield TextDelta("it is ")
        raise ModelError("the server went away", "start it again")


def test_a_model_that_fails_in_mid_reply(store: MemoryStore) -> None:
    talk = Talk(store)
    talk.agent.give(Breaks([[ADD]]), None)
    events = talk.say("the boiler is serviced by Hartnell")
    failed = ends_early(talk, events)
    assert (failed.reason, failed.hint, failed.cancelled) == ("the server went away", "start it again", False)
    assert names(events) == ["Recalled", "ContextUsage", "ToolCalled", "ToolReturned", "Failed"]


def test_the_turn_after_a_failed_one_works(store: MemoryStore) -> None:
    talk = Talk(store)
    talk.agent.give(Breaks([[ADD]]), None)
    talk.say("the boiler is serviced by Hartnell")
    talk.agent.give(ScriptedModel(["Hartnell."]), None)
    assert finished(talk.say("who services the boiler?")).grounded


def test_a_window_that_is_too_small_fails_the_turn_and_says_so(store: MemoryStore) -> None:
    talk = Talk(store, context_tokens=256)
    failed = ends_early(talk, talk.say("hello there"))
    assert "256 tokens is too small" in failed.reason and "context_tokens" in failed.hint


def test_what_cannot_be_kept_is_refused_and_not_stored(store: MemoryStore) -> None:
    talk = Talk(store)
    for text in ("", "  \n", "a\0b", "\ud800", "x" * 100_001):
        with pytest.raises(InputError):
            talk.say(text)
    assert talk.messages == [] and talk.model.requests == []
    with pytest.raises(NotFoundError):
        list(run_turn(talk.agent, talk.session + 1, "hi"))


def leave_after(talk: Talk, kind: type[Event]) -> None:
    events = talk.turn("the boiler is serviced by Hartnell")
    for event in events:
        if isinstance(event, kind):
            break
    events.close()  # type: ignore[attr-defined]


def test_a_front_end_that_leaves_early_finds_the_events_with_the_message(store: MemoryStore) -> None:
    talk = Talk(store, [[ADD], "noted"])
    leave_after(talk, ToolReturned)
    (message,) = talk.messages
    assert names(stored(message)) == ["Recalled", "ContextUsage", "ToolCalled", "ToolReturned", "Failed"]
    assert stored(message)[-1] == Failed("the front end left", cancelled=True)


@pytest.mark.parametrize("kind", [TextDelta, Finished])
def test_a_front_end_that_leaves_in_mid_reply_finds_the_whole_reply(store: MemoryStore, kind: type[Event]) -> None:
    talk = Talk(store, [[ADD], "noted, and I will not forget it"])
    leave_after(talk, kind)
    message, reply = talk.messages
    assert message.events == () and reply.content == "noted, and I will not forget it"
    assert isinstance(stored(reply)[-1], Finished)


def test_a_front_end_that_leaves_after_a_failure_finds_it_once(store: MemoryStore) -> None:
    talk = Talk(store)
    talk.agent.give(Breaks([[ADD]]), None)
    leave_after(talk, Failed)
    assert [event for event in names(stored(talk.messages[0])) if event == "Failed"] == ["Failed"]


# --- check before speaking ---


def test_how_sure_the_model_is_goes_with_its_reply_and_not_with_what_replaced_it(store: MemoryStore) -> None:
    invented = [Confidence(0.8), "It is Vaillant."]
    talk = Talk(store, [[Confidence(0.9), "Hello."], invented, invented])
    greeted = talk.say("hi")
    assert finished(greeted).confidence == 0.9 and stored(talk.messages[1])[-1] == finished(greeted)
    assert finished(talk.say("who services the boiler?")).confidence is None


def test_an_unsupported_reply_is_asked_for_again_with_the_evidence_in_front(store: MemoryStore) -> None:
    Talk(store, [[ADD], "noted"]).say("the boiler is serviced by Hartnell")
    talk = Talk(store, ["It is Vaillant, since 1998.", "You said it is Hartnell."])
    events = talk.say("who services the boiler?")
    assert [request.evidence_first for request in talk.model.requests] == [False, True]
    assert (finished(events).reply, finished(events).grounded) == ("You said it is Hartnell.", True)
    assert "Vaillant" not in "".join(message.content for message in talk.messages)


def test_a_reply_that_stays_unsupported_is_declined(store: MemoryStore) -> None:
    talk = Talk(store, ["It is Vaillant.", "I am sure it is Vaillant."])
    events = talk.say("who services the boiler?")
    assert (finished(events).reply, finished(events).grounded) == (DECLINE, False)
    assert [event.text for event in events if isinstance(event, TextDelta)] and DECLINE.startswith("I don't know")
    assert talk.messages[1].content == DECLINE


def test_after_the_check_failed_the_model_may_still_look(store: MemoryStore) -> None:
    Talk(store, [[ADD], "noted"]).say("the boiler is serviced by Hartnell")
    talk = Talk(store, ["It is Vaillant.", [SEARCH], "It is Hartnell."])
    assert finished(talk.say("who was it again?")).reply == "It is Hartnell."


def test_words_of_a_memory_support_a_reply_whatever_stands_around_them(store: MemoryStore) -> None:
    session = store.start_session()
    store.add_message(session.id, "user", 'guests:\nAna\t"Bea"\nO\'Neil, 12\n40')
    talk = Talk(store, ["we have Ana, Bea, O'Neil, 12 and 40"])
    assert finished(talk.say("who are the guests?")).grounded


# --- a turn that erases ---


def forgetting(store: MemoryStore, reply: str) -> tuple[Talk, list[Event]]:
    store.add_fact(FactDraft("user", "dentist", "Soto", "my dentist is Soto on Elm Road"), asked_by="user")

    def forget(request: ChatRequest) -> list[ToolCall]:
        result = request.messages[-1].tool_result
        assert result is not None
        number = next(hit["id"] for hit in result.content["hits"] if hit["kind"] == "fact")
        return [ToolCall("f", "memory_forget", {"id": number})]

    talk = Talk(store, [[ToolCall("s", "memory_search", {"query": "dentist Soto"})], forget, reply])
    return talk, talk.say("please forget my dentist Soto")


def test_a_turn_that_forgets_shows_what_it_did(store: MemoryStore) -> None:
    _, events = forgetting(store, "Forgotten.")
    assert [event.result.ok for event in returned(events)] == [True, True]
    assert returned(events)[-1].result.change is not None
    assert store.facts(state="all") == []


@pytest.mark.parametrize("reply", ["Forgotten.", "I have forgotten that your dentist is Soto."])
def test_a_turn_that_forgets_keeps_none_of_the_words(store: MemoryStore, url: str, reply: str) -> None:
    talk, events = forgetting(store, reply)
    assert finished(events).reply == reply
    kept = stored(talk.messages[1])
    assert [type(event) for event in kept] == [type(event) for event in events if not isinstance(event, TextDelta)]
    (recalled,) = [event for event in kept if isinstance(event, Recalled)]
    assert (recalled.query, recalled.hits) == ("", ())
    assert returned(kept)[0].result.content == {"hits": []}
    assert returned(kept)[1].result.words == "forgot it, with its history"
    text = repr(talk.messages) + repr(store.operations())
    assert "Soto" not in text and "Elm Road" not in text
    assert store.database.path is not None
    folder = store.database.path.parent
    store.close()
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files and not any(b"Soto" in file.read_bytes() for file in files)
