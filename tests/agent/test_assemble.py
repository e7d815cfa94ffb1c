"""An agent's store is there at once; its models arrive, or their fault does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memagent.agent import assemble
from memagent.agent.assemble import Agent, open_agent
from memagent.agent.turn import run_turn
from memagent.config import LEAST_CONTEXT_TOKENS, Settings, load_settings
from memagent.conversation import ContextUsage, Failed, Finished
from memagent.embedding import Embedder
from memagent.errors import ModelError
from memagent.memory.records import FactDraft, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel
from memagent.models.hash_embedder import HashEmbedder
from memagent.models.scripted import ScriptedModel

Loader = Callable[[Settings], tuple[ChatModel, Embedder]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path, store_url=f"sqlite:///{tmp_path / 'memory.db'}")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Models load when this is set, and not before."""
    opened = threading.Event()

    def load(_: Settings) -> tuple[ChatModel, Embedder]:
        assert opened.wait(20)
        return ScriptedModel(["hello"]), HashEmbedder()

    monkeypatch.setattr(assemble, "load_models", load)
    return opened


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_the_store_is_usable_while_models_load(settings: Settings, gate: threading.Event) -> None:
    with open_agent(settings) as agent:
        assert not agent.ready.is_set()
        agent.store.add_fact(FactDraft("boiler", "service company", "Hartnell"), asked_by="user")
        assert agent.store.stats()["waiting_to_embed"] == 1
        gate.set()
        assert agent.model.name == "scripted"
        assert within(10, lambda: agent.store.stats()["waiting_to_embed"] == 0), "embedded in the background"
        assert "dense" in agent.store.search(SearchQuery("boiler"))[0].channels


def test_a_turn_waits_for_the_models(settings: Settings, gate: threading.Event) -> None:
    with open_agent(settings) as agent:
        session = agent.store.start_session()
        threading.Timer(0.2, gate.set).start()
        events = list(run_turn(agent, session.id, "hi"))
        assert isinstance(events[-1], Finished) and events[-1].reply == "hello"


def test_a_turn_can_be_stopped_while_models_load(settings: Settings, gate: threading.Event) -> None:
    with open_agent(settings) as agent:
        session = agent.store.start_session()
        cancel = threading.Event()
        threading.Timer(0.1, cancel.set).start()
        events = list(run_turn(agent, session.id, "hi", cancel=cancel))
        assert [type(event) for event in events] == [Failed]
        assert [message.content for message in agent.store.messages(session.id)] == ["hi"]
        gate.set()


def test_closing_while_models_load_waits_for_them_and_leaves_no_thread(
    settings: Settings, gate: threading.Event
) -> None:
    before = set(threading.enumerate())
    agent = open_agent(settings)
    threading.Timer(0.2, gate.set).start()
    agent.close()
    assert agent.ready.is_set()
    assert within(5, lambda: not {t for t in threading.enumerate() if t.is_alive()} - before), threading.enumerate()
    with MemoryStore.open(settings.store_url) as store:
        assert store.facts() == []


def test_nothing_runs_on_the_store_after_the_models_are_ready_but_the_drain(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(assemble, "load_models", lambda _: (ScriptedModel(), HashEmbedder()))
    agent = Agent(MemoryStore.open(settings.store_url), "scripted")
    start = agent.store.start_background_drain

    def note() -> None:
        order.append("ready" if agent.ready.is_set() else "loading")
        start()

    monkeypatch.setattr(agent.store, "start_background_drain", note)
    agent.load(settings)
    agent.close()
    assert order == ["loading"], "a close between ready and the drain would leave it running on a closed store"


@pytest.mark.parametrize("load", ["now", "background"])
def test_an_unknown_model_is_a_model_error_that_names_it(settings: Settings, load: str) -> None:
    unknown = replace(settings, model="gpt-none")
    if load == "now":
        with pytest.raises(ModelError, match="'gpt-none'"):
            open_agent(unknown, "now")
        return
    with open_agent(unknown) as agent:
        with pytest.raises(ModelError, match="'gpt-none'") as error:
            _ = agent.model
        assert error.value.hint
        session = agent.store.start_session()
        events = list(run_turn(agent, session.id, "hi"))
        assert isinstance(events[-1], Failed) and "gpt-none" in events[-1].reason
        assert agent.store.messages(session.id)[0].content == "hi"


def test_a_fault_of_ours_while_loading_does_not_leave_the_agent_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Settings) -> tuple[ChatModel, Embedder]:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(assemble, "load_models", broken)
    with open_agent(settings) as agent:
        with pytest.raises(ModelError, match="did not load: RuntimeError: a fault of ours") as error:
            _ = agent.model
        assert error.value.hint
        events = list(run_turn(agent, agent.store.start_session().id, "hi"))
        assert isinstance(events[-1], Failed) and "a fault of ours" in events[-1].reason
    assert "in broken" in caplog.text, "the traceback is logged"
    with pytest.raises(ModelError, match="a fault of ours"):
        open_agent(settings, "now")


def test_the_size_of_the_window_comes_from_the_settings(settings: Settings) -> None:
    with open_agent(replace(settings, context_tokens=5000), "now") as agent:
        events = list(run_turn(agent, agent.store.start_session().id, "hello"))
    assert [event.window for event in events if isinstance(event, ContextUsage)] == [5000]


def test_the_least_window_that_may_be_set_has_room_for_a_turn(settings: Settings) -> None:
    with open_agent(replace(settings, context_tokens=LEAST_CONTEXT_TOKENS), "now") as agent:
        events = list(run_turn(agent, agent.store.start_session().id, "hello"))
    assert isinstance(events[-1], Finished), events[-1]


def test_a_fixed_clock_comes_from_the_settings(settings: Settings, gate: threading.Event) -> None:
    gate.set()
    fixed = load_settings(home=settings.home, store_url=settings.store_url, now="2026-03-02T09:00+00:00")
    with open_agent(fixed, "now") as agent:
        assert agent.store.clock.now() == fixed.now
