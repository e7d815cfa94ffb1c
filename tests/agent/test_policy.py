"""What each memory mode lets through, on a real store; and what the shipped model says where it was not let."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from memagent.agent.assemble import Agent, open_agent
from memagent.agent.policy import READS, WRITES, MemoryPolicy, Write
from memagent.agent.turn import run_turn
from memagent.config import MemoryMode, load_settings
from memagent.conversation import Event, Finished, Recalled, ToolCall, ToolReturned
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatRequest
from memagent.models.scripted import ScriptedModel
from memagent.tools.registry import TOOLS

ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "service company", "value": "Hartnell"})
SEARCH = ToolCall("s", "memory_search", {"query": "boiler"})
WITHOUT_MEMORY = {"calculate"}


def turn(store: MemoryStore, policy: MemoryPolicy, call: ToolCall) -> tuple[list[Event], ChatRequest]:
    model = ScriptedModel([call, "done"])
    agent = Agent(store, "scripted")
    agent.give(model, None)
    events = list(run_turn(agent, store.start_session().id, "the boiler, please", policy=policy))
    return events, model.requests[0]


def returned(events: list[Event]) -> ToolReturned:
    return next(event for event in events if isinstance(event, ToolReturned))


def test_every_tool_is_classified() -> None:
    assert set(TOOLS) == WRITES | READS | WITHOUT_MEMORY
    assert not WRITES & READS


@pytest.mark.parametrize("mode", ["read-only", "off"])
def test_a_write_is_refused_and_changes_nothing(store: MemoryStore, mode: MemoryMode) -> None:
    result = returned(turn(store, MemoryPolicy(mode), ADD)[0]).result
    assert not result.ok
    assert "not done" in result.words
    assert store.facts() == []


@pytest.mark.parametrize(("mode", "ok"), [("on", True), ("ask", True), ("read-only", True), ("off", False)])
def test_a_search_runs_in_every_mode_but_off(store: MemoryStore, mode: MemoryMode, ok: bool) -> None:
    assert returned(turn(store, MemoryPolicy(mode), SEARCH)[0]).result.ok is ok


def test_off_puts_nothing_of_memory_in_front_of_the_model_and_keeps_what_was_said(store: MemoryStore) -> None:
    draft = FactDraft("boiler", "serviced by", "Hartnell", "the boiler is serviced by Hartnell")
    store.add_fact(draft, asked_by="user")
    store.edit_core_block("person", "", "called Ada", asked_by="user")
    _, on = turn(store, MemoryPolicy("on"), SEARCH)
    assert on.recalled and on.core
    events, request = turn(store, MemoryPolicy("off"), SEARCH)
    assert (request.recalled, request.core) == ((), {})
    assert {schema["function"]["name"] for schema in request.tools} == WITHOUT_MEMORY
    assert [event.hits for event in events if isinstance(event, Recalled)] == [()]
    latest = store.latest_session()
    assert latest is not None
    assert [message.content for message in store.messages(latest.id)] == ["the boiler, please", "done"]


@pytest.mark.parametrize("answer", [True, False])
def test_ask_waits_for_the_person_with_the_call_and_what_it_would_change(store: MemoryStore, answer: bool) -> None:
    draft = FactDraft("boiler", "serviced by", "Hartnell", "the boiler is serviced by Hartnell")
    fact = store.add_fact(draft, asked_by="user").after
    asked: list[Write] = []

    def approve(write: Write) -> bool:
        asked.append(write)
        return answer

    update = ToolCall("u", "memory_update", {"id": 1, "value": "Wendover"})
    result = returned(turn(store, MemoryPolicy("ask", approve), update)[0]).result
    assert asked == [Write(update, fact)]
    assert result.ok is answer
    assert [fact.value for fact in store.facts()] == (["Wendover"] if answer else ["Hartnell"])


def test_ask_with_nobody_to_ask_refuses(store: MemoryStore) -> None:
    assert not returned(turn(store, MemoryPolicy("ask"), ADD)[0]).result.ok


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder: Path = tmp_path_factory.mktemp("agent")
    with open_agent(load_settings(home=folder, store_url=f"sqlite:///{folder / 'memory.db'}"), "now") as opened:
        yield opened


@pytest.mark.parametrize(
    ("mode", "said", "reply"),
    [
        ("read-only", "my sister Ingrid lives in Trondheim", "nothing in memory: memory is read-only"),
        ("ask", "the boiler is serviced by Hartnell", "nothing in memory: you did not approve it"),
        ("off", "what is my sister called?", "can't look that up: memory is off"),
        ("off", "forget what I said about my sister", "can't look that up: memory is off"),
    ],
)
def test_the_shipped_model_says_that_it_was_not_let(agent: Agent, mode: MemoryMode, said: str, reply: str) -> None:
    events = list(run_turn(agent, agent.store.start_session().id, said, policy=MemoryPolicy(mode)))
    assert isinstance(events[-1], Finished)
    assert reply in events[-1].reply
    assert agent.store.facts() == []
