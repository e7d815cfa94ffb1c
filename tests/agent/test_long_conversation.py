"""A conversation of five windows: the window is never overrun, and what was said first is still answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from memagent.agent.assemble import Agent
from memagent.agent.routing import Routing
from memagent.agent.turn import run_turn
from memagent.conversation import ContextUsage, Event, Failed, Finished, TextDelta
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel, ChatRequest, Output
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.helpers import Helpers
from memagent.models.openai_server import connect
from memagent.models.prompt import chat_messages, plain_count
from memagent.models.specialists import Specialists
from tests.models.peer import Answer, Peer, size

WINDOW = 2600
FACTS = {
    "the boiler is serviced by Hartnell": ("who services the boiler?", "Hartnell"),
    "my sister Ingrid lives in Trondheim": ("where does Ingrid live?", "Trondheim"),
}
NOTE = re.compile(r"Looked up for this message:\n(.+)")


def said_by(last: str) -> str:
    """The reply of a model that can do nothing but repeat what was looked up for it."""
    note = NOTE.search(last)
    return note.group(1) if note else "I see."


class Repeats:
    """A chat model in this process, with a window of its own measure."""

    name, context_tokens, exact_counts, live = "repeats", WINDOW, True, True

    def count_tokens(self, texts: list[str]) -> list[int]:
        return [len(text) // 4 for text in texts]

    def count_prompt(self, request: ChatRequest) -> int:
        return plain_count(self.count_tokens, request)  # type: ignore[arg-type]

    def respond(self, request: ChatRequest) -> Iterator[Output]:
        assert self.count_prompt(request) + request.reply_tokens <= WINDOW, "overrun"
        yield TextDelta(said_by(str(chat_messages(request)[-1]["content"])))


@pytest.fixture(params=["in process", "server", "shipped"])
def model(request: pytest.FixtureRequest) -> Iterator[ChatModel]:
    if request.param == "in process":
        yield Repeats()  # type: ignore[misc]
    elif request.param == "shipped":
        yield Specialists(context_tokens=WINDOW)
    else:
        pytest.importorskip("openai", reason="the extra [openai] is not installed")

        def reply(body: dict[str, Any]) -> Answer | str:
            if size(body) + body["max_tokens"] > WINDOW:
                return Answer(status=400, body={"error": {"message": "exceeds the available context size"}})
            return said_by(body["messages"][-1]["content"])

        with Peer(Answer(reply=reply), pages={"/props": {"default_generation_settings": {"n_ctx": WINDOW}}}) as peer:
            yield connect(peer.url, "m", context_tokens=None)


@pytest.mark.slow
def test_five_windows(model: ChatModel, store: MemoryStore) -> None:
    helpers = Helpers(model if isinstance(model, Specialists) else None)
    foreign = not isinstance(model, Specialists)
    agent = Agent(store, model.name)
    agent.give(model, MiniLMEmbedder(), Routing(helpers=helpers if foreign else None, capture=foreign, reading=foreign))
    session = store.start_session().id
    events: list[Event] = []

    def say(text: str) -> str:
        new = list(run_turn(agent, session, text))
        assert not isinstance(new[-1], Failed), new[-1]
        events.extend(new)
        return new[-1].reply if isinstance(new[-1], Finished) else ""

    for fact in FACTS:
        say(fact)
    spoken, number = 0, 0
    while spoken < 5 * WINDOW:
        number += 1
        text = f"note {number}: " + "we walked along the river and talked about nothing much at all. " * 28
        spoken += model.count_tokens([text])[0]
        store.add_message(session, "user", text)
        store.add_message(session, "assistant", "I see.")
        if number % 15 == 0:
            say("good morning to you")
    for question, answer in FACTS.values():
        assert answer in say(question)
    usages = [event for event in events if isinstance(event, ContextUsage)]
    assert all(usage.used + usage.reserved <= usage.window for usage in usages)
    assert usages[-1].dropped_messages > 20, "what fell out is reported"
