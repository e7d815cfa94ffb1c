"""The shipped chat model through whole turns on a real store, on cases that leave no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.conversation import ChatMessage, Event, Finished, ToolReturned
from memagent.evals.scenarios.checks import declines
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.specialists import Specialists, Turn
from tests.models.scripted_reading import fact, understood


@pytest.fixture(scope="module")
def specialists() -> Specialists:
    return Specialists()


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


class Person:
    """Someone who talks to the agent; every `restart` is a new session with an empty window."""

    def __init__(self, store: MemoryStore, specialists: Specialists, embedder: MiniLMEmbedder) -> None:
        self.store = store
        self.agent = Agent(store, specialists.name)
        self.agent.give(specialists, embedder)
        self.events: list[Event] = []
        self.restart()

    def restart(self) -> None:
        self.session = self.store.start_session().id

    def says(self, text: str) -> str:
        self.events = list(run_turn(self.agent, self.session, text))
        assert isinstance(self.events[-1], Finished), self.events[-1]
        assert self.events[-1].grounded
        return self.events[-1].reply

    @property
    def confidence(self) -> float | None:
        ended = self.events[-1]
        assert isinstance(ended, Finished)
        return ended.confidence

    def called(self, name: str) -> int:
        return sum(isinstance(e, ToolReturned) and e.call.name == name and e.result.ok for e in self.events)

    @property
    def values(self) -> list[str]:
        return [fact.value for fact in self.store.facts()]


@pytest.fixture
def person(store: MemoryStore, specialists: Specialists, embedder: MiniLMEmbedder) -> Iterator[Person]:
    yield Person(store, specialists, embedder)


PLAIN = [
    ("my favourite colour is green", "green", "what is my favourite colour?"),
    ("my sister's name is Beatrix", "Beatrix", "what is my sister's name?"),
    ("I work as a nurse", "nurse", "what is my job?"),
    ("I live in Porto", "Porto", "where do I live?"),
    ("my dentist is Dr Soto", "Soto", "who is my dentist?"),
]


@pytest.mark.parametrize(("told", "value", "asked"), PLAIN, ids=[value for _, value, _ in PLAIN])
def test_what_was_told_is_one_fact_and_is_answered_in_another_session(
    person: Person, told: str, value: str, asked: str
) -> None:
    reply = person.says(told)
    assert len(person.values) == 1 and value in person.values[0] and value in reply
    (fact,) = person.store.facts()
    ((span, message),) = person.store.sources(fact.id)
    assert message is not None and message.content[span.start : span.end] == span.quote == fact.value
    person.restart()
    assert value.casefold() in person.says(asked).casefold()
    assert len(person.values) == 1, "a question wrote something"


def test_how_sure_an_answer_is_depends_on_what_was_told(person: Person) -> None:
    person.says("my favourite colour is green")
    assert person.confidence is None, "nothing was asked"
    person.restart()
    person.says("what is my favourite colour?")
    told = person.confidence
    person.says("what is my sister's middle name?")
    untold = person.confidence
    assert told is not None and untold is not None and 0.0 <= untold < 0.5 < told <= 1.0


def test_a_correction_takes_the_place_of_what_was_told(person: Person) -> None:
    person.says("my favourite colour is green")
    person.says("actually, my favourite colour is blue now, not green")
    assert person.values == ["blue"]
    (fact,) = person.store.facts()
    assert [version.value for version in person.store.history(fact.id)] == ["green", "blue"]
    person.restart()
    reply = person.says("what is my favourite colour?").casefold()
    assert "blue" in reply and "green" not in reply


def test_a_whole_question_after_one_about_the_past_asks_for_itself(person: Person) -> None:
    person.says("I work as a florist")
    person.says("new job! i'm a bus driver now")
    person.restart()
    assert "florist" in person.says("what was my job before this one?")
    reply = person.says("and what is it now").casefold()
    assert "bus driver" in reply and "florist" not in reply


def test_many_facts_in_one_message_are_kept_once_and_said_back(person: Person) -> None:
    said = "ramipril is 5mg, atorvastatin is 20mg, ferrous fumarate is 210mg, sertraline is 50mg, the inhaler is 100mcg"
    reply = person.says(said)
    assert {"5mg", "20mg", "210mg", "50mg", "100mcg"} <= set(person.values) and len(person.values) <= 6
    assert "50mg" in reply and person.called("memory_add") == len(person.values)


def test_a_list_is_kept_as_one_and_loses_only_what_is_taken_off(person: Person) -> None:
    person.says("shopping list: oat milk, lentils and bin bags")
    assert len({(fact.subject, fact.attribute) for fact in person.store.facts()}) == 1
    person.says("take the lentils off my shopping list")
    assert sorted(person.values) == ["bin bags", "oat milk"]
    person.restart()
    reply = person.says("what's on my shopping list?").casefold()
    assert "oat milk" in reply and "bin bags" in reply and "lentils" not in reply


def test_a_list_is_given_whole_where_one_thing_seems_to_be_asked_for(person: Person) -> None:
    person.says("shopping list: oat milk, lentils and bin bags pls")
    person.says("put washing powder on the shopping list as well")
    person.restart()
    reply = person.says("im outside the shop, what do i need?").casefold()
    assert all(item in reply for item in ("oat milk", "lentils", "bin bags", "washing powder"))


@pytest.mark.parametrize(
    ("said", "asked", "counted"),
    [
        ("my theory exam is ten weeks from today", "how many weeks to go till my theory exam?", "10 weeks"),
        ("I stopped smoking three weeks ago today", "how many days is it now since I stopped smoking?", "21 days"),
    ],
)
def test_the_time_until_or_since_a_day_is_counted(person: Person, said: str, asked: str, counted: str) -> None:
    person.says(said)
    person.restart()
    assert counted in person.says(asked) and person.called("calculate") == 1


def test_a_request_to_forget_that_is_said_twice_erases_once(person: Person) -> None:
    person.says("Xiomara is on the cello in our quartet")
    person.says("between us, Xiomara's expecting, due in August")
    person.says("I shouldn't have told you about Xiomara's baby. Forget that one, would you")
    assert person.called("memory_forget") == 1
    assert "cello" in person.values and "August" not in person.values


@pytest.mark.parametrize("told", ["We're flying to Valencia with the kids", "We've got a parrot called Ziggy"])
def test_what_we_tell_is_said_back(person: Person, told: str) -> None:
    assert told.removeprefix("We") in person.says(told)


def test_after_a_question_about_the_past_now_is_asked_for(person: Person) -> None:
    person.says("I live in Leeds")
    person.says("I live in Porto now")
    person.restart()
    assert "Leeds" in person.says("where did I live before?")
    reply = person.says("And now?")
    assert "Porto" in reply and "Leeds" not in reply


def test_a_reason_beside_a_request_to_forget_does_not_say_what_is_meant(person: Person) -> None:
    person.says("i have a crush on Jonas in 10b")
    person.says("pls forget who i have a crush on, my brother uses this laptop")
    assert person.called("memory_forget") == 1
    assert declines(person.says("who do i have a crush on?"))


def test_what_is_done_leaves_the_list_and_stays_in_the_history(person: Person) -> None:
    person.says("put oat milk, bin bags and lentils on the shopping list")
    assert person.called("memory_add") == 3
    reply = person.says("got the lentils")
    assert person.called("memory_end") == 1 and person.called("memory_add") == 0 and "no longer lentils" in reply
    person.restart()
    reply = person.says("what's on the shopping list?").casefold()
    assert "oat milk" in reply and "bin bags" in reply and "lentils" not in reply
    assert [fact.value for fact in person.store.facts(state="retired")] == ["lentils"]


def test_what_has_ended_can_still_be_forgotten_with_the_message_that_ended_it(person: Person) -> None:
    person.says("put oat milk, bin bags and lentils on the shopping list")
    person.says("got the lentils")
    person.says("forget the lentils")
    assert person.called("memory_forget") == 1
    assert "lentils" not in [fact.value for fact in person.store.facts(state="all")]
    assert not [said.content for said in person.store.messages(person.session) if "entils" in said.content]
    assert sorted(person.values) == ["bin bags", "oat milk"]


@pytest.mark.parametrize(("act", "sure", "ends"), [("forget", 0.7, False), ("ask", 0.5, True), ("ask", 0.9, False)])
def test_what_is_to_be_forgotten_is_not_merely_ended(
    specialists: Specialists, act: str, sure: float, ends: bool
) -> None:
    text = "got rid of the banjo last week"
    owned = fact("instruments I own: a banjo and an oboe", "instruments I own", "banjo", single=False)
    turn = Turn(text, (), (owned,), (), "")
    said = replace(understood(text, act), act_probability=sure)
    assert specialists._only_ends(text, said, turn) is ends


def test_what_one_sentence_ends_and_the_next_replaces_is_replaced(person: Person) -> None:
    person.says("I drive a Skoda Fabia")
    reply = person.says("I traded in the Fabia. I drive a Kia Niro now.")
    assert "could not" not in reply and "Niro" in reply
    assert [value for value in person.values if "Fabia" in value] == []
    person.restart()
    assert "Niro" in person.says("what car do I drive?")


def test_what_was_told_again_with_another_value_takes_its_place(person: Person) -> None:
    person.says("I live in Porto")
    person.says("I live in Leeds")
    assert person.values == ["Leeds"]


def test_one_message_does_not_replace_what_it_tells_itself(person: Person) -> None:
    person.says("the boiler code is 4471, gym is 30 a month and netflix 12.99")
    told = " ".join(person.values)
    assert all(value in told for value in ("4471", "30", "12.99"))
    assert not any(isinstance(e, ToolReturned) and e.result.content.get("before") for e in person.events)


def test_told_twice_is_one_fact(person: Person) -> None:
    person.says("my dentist is Dr Soto")
    person.restart()
    person.says("my dentist is Dr Soto")
    (fact,) = person.store.facts()
    assert fact.times_told == 2


def test_forgetting_forgets_that_and_nothing_else(person: Person) -> None:
    person.says("my favourite colour is green")
    person.says("my dentist is Dr Soto")
    person.restart()
    reply = person.says("forget my favourite colour")
    assert person.called("memory_forget") == 1 and "green" not in reply
    assert len(person.values) == 1 and "Soto" in person.values[0]
    person.restart()
    assert "green" not in person.says("what is my favourite colour?")
    assert "Soto" in person.says("who is my dentist?")


@pytest.mark.parametrize("text", ["hi", "hello there", "good morning!", "thanks", "thank you so much"])
def test_small_talk_stores_nothing(person: Person, text: str) -> None:
    reply = person.says(text)
    assert person.values == [] and reply
    assert not any(isinstance(event, ToolReturned) for event in person.events)


@pytest.mark.parametrize("asked", ["what is my favourite colour?", "where do I live?", "who is my dentist?"])
def test_what_was_never_told_is_not_known(person: Person, asked: str) -> None:
    assert declines(person.says(asked))
    person.says("my sister's name is Beatrix")
    reply = person.says(asked)
    assert declines(reply) and "Beatrix" not in reply
    assert person.values == ["Beatrix"]


def test_a_calculation_is_left_to_the_calculator(person: Person) -> None:
    assert re.search(r"\b126\b", person.says("what is 15% of 840?"))
    assert person.called("calculate") == 1 and person.values == []


def test_a_request_without_memory_gets_the_same_answer_every_time(specialists: Specialists) -> None:
    request = ChatRequest("", {}, (), (ChatMessage("user", "my favourite colour is green"),), ())
    first = list(specialists.respond(request))
    assert first and first == list(specialists.respond(request)) == list(Specialists().respond(request))


def test_a_cancelled_request_says_nothing(specialists: Specialists) -> None:
    request = ChatRequest("", {}, (), (ChatMessage("user", "hello there"),), ())
    request.cancel.set()
    assert list(specialists.respond(request)) == []


def test_counts_are_exact_word_pieces(specialists: Specialists) -> None:
    assert specialists.exact_counts
    assert specialists.count_tokens(["", "hi", "who looks after the boiler?"]) == [0, 1, 6]


LONG = "we walked along the river and talked about nothing much at all. " * 40


@pytest.mark.parametrize("before", [LONG, f"{LONG} Felix lives in Oslo."])
def test_what_is_said_after_a_very_long_message_is_read_from_itself(person: Person, before: str) -> None:
    person.store.add_message(person.session, "user", before)
    person.says("good morning to you")
    person.says("my sister Ingrid lives in Trondheim")
    assert [value for value in person.values if value not in person.store.facts()[0].text] == []
    person.store.add_message(person.session, "user", before)
    assert "Trondheim" in person.says("where does Ingrid live?")


def test_a_truncated_pair_keeps_its_texts_apart(specialists: Specialists) -> None:
    understood = specialists.understanding.read("my cat is called Miso", LONG)
    assert understood.act == "state"
    assert [value.words for value in understood.values] == ["Miso"]


def test_what_seems_to_be_talk_is_answered_where_memory_surely_does(person: Person) -> None:
    person.says("Tobias from accounting is a keen beekeeper")
    person.says("Priscilla does fencing on Wednesdays")
    person.restart()
    assert "Tobias" in person.says("Who keeps bees?")
    for text in (
        "how are you doing?",
        "what's up?",
        "what do you think about pineapple on pizza?",
        "why is the sky blue?",
    ):
        reply = person.says(text)
        assert "Tobias" not in reply and "eekeeper" not in reply and "haven't told me" not in reply, reply
