"""A chat model of 3.8M parameters that was trained here runs whole conversations, with its own tool calls alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [local] is not installed")
pytest.importorskip("transformers", reason="the extra [local] is not installed")

from memagent.agent.assemble import Agent  # noqa: E402
from memagent.agent.routing import Routing  # noqa: E402
from memagent.agent.turn import run_turn  # noqa: E402
from memagent.conversation import Finished, ToolReturned  # noqa: E402
from memagent.memory.store import MemoryStore  # noqa: E402
from memagent.memory.time import FixedClock  # noqa: E402
from memagent.models.embedder import MiniLMEmbedder  # noqa: E402
from memagent.models.local.chat import LocalModel  # noqa: E402
from memagent.models.local.load import load_local  # noqa: E402

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
FOLDER = Path(__file__).parent / "trained"
Turn = tuple[str, list[str]]  # the reply, and the tools that were called


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_local(str(FOLDER), context_tokens=None, device="cpu")


@pytest.fixture(scope="module")
def embedder() -> MiniLMEmbedder:
    return MiniLMEmbedder()


class Talk:
    """Sessions over one store, without the specialists."""

    def __init__(self, store: MemoryStore, model: LocalModel, embedder: MiniLMEmbedder) -> None:
        self.agent = Agent(store, model.name)
        self.agent.give(model, embedder, Routing(helpers=None, quoting=True))

    def __call__(self, *said: str) -> list[Turn]:
        """What comes back in a new session."""
        store = self.agent.store
        session = store.start_session(model=self.agent.model.name).id
        turns = []
        for text in said:
            events = list(run_turn(self.agent, session, text, cancel=threading.Event()))
            last = events[-1]
            assert isinstance(last, Finished), last
            turns.append((last.reply, [e.call.name for e in events if isinstance(e, ToolReturned) and e.result.ok]))
        store.drain()
        return turns


@pytest.fixture
def store(url: str) -> Iterator[MemoryStore]:
    with MemoryStore.open(url, clock=FixedClock(NOW)) as opened:
        yield opened


@pytest.fixture
def talk(store: MemoryStore, model: LocalModel, embedder: MiniLMEmbedder) -> Talk:
    return Talk(store, model, embedder)


def values(store: MemoryStore) -> Sequence[str]:
    return [fact.value for fact in store.facts()]


def test_it_stores_answers_after_a_restart_forgets_and_then_does_not_know(talk: Talk, store: MemoryStore) -> None:
    ((reply, calls),) = talk("my dentist is Dr Soto")
    assert calls == ["memory_add"] and values(store) == ["Dr Soto"] and "Dr Soto" in reply
    asked, forgotten = talk("who is my dentist?", "forget who my dentist is")
    assert asked == ("It's Dr Soto.", [])
    assert forgotten[1] == ["memory_forget"] and values(store) == []
    ((reply, calls),) = talk("who is my dentist?")
    assert calls == ["memory_search"] and "Soto" not in reply and "don't know" in reply


@pytest.mark.parametrize(
    ("told", "value", "question"),
    [
        ("my boss is called Tom", "Tom", "what is my boss called?"),
        ("my cat is called Miso", "Miso", "what is my cat called?"),
        ("my sister Ana lives in Porto", "Porto", "where does Ana live?"),
        ("my favourite colour is green", "green", "what is my favourite colour?"),
    ],
)
def test_a_value_comes_back_as_it_was_told(
    talk: Talk, store: MemoryStore, told: str, value: str, question: str
) -> None:
    talk(told)
    assert values(store) == [value]
    ((reply, _),) = talk(question)
    assert reply == f"It's {value}."


def test_it_calculates_and_chats_without_writing(talk: Talk, store: MemoryStore) -> None:
    (sum_, hello) = talk("what is 794 + 29?", "hello there")
    assert sum_[1] == ["calculate"] and "823" in sum_[0]
    assert hello[1] == [] and values(store) == []
