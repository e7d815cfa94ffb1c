"""What memory offers unasked: only what is near enough, whatever its rank."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from memagent.agent.recall import LIMIT, NEAREST, WITH_WORDS, recall, relevant
from memagent.memory.records import FactDraft, Hit, SourceSpan
from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock
from memagent.models.embedder import MiniLMEmbedder
from memagent.tools.tool import ToolContext


def after(store: MemoryStore, *said: str) -> ToolContext:
    session = store.start_session()
    messages = [store.add_message(session.id, "user", text) for text in said]
    return ToolContext(store, session.id, messages[-1])


def test_an_empty_memory_offers_nothing(store: MemoryStore) -> None:
    assert recall(after(store, "who looks after the boiler?"), "who looks after the boiler?").hits == ()


def test_what_has_to_do_with_the_message_is_offered_and_the_message_itself_is_not(store: MemoryStore) -> None:
    store.attach_embedder(MiniLMEmbedder())  # the order was learned for its nearness
    store.add_fact(
        FactDraft("boiler", "service company", "Hartnell", "Hartnell look after the boiler"), asked_by="user"
    )
    context = after(store, "the boiler is old", "who looks after the boiler?")
    store.drain()
    recalled = recall(context, "who looks after the boiler?")
    assert recalled.query == "who looks after the boiler?"
    texts = [hit["text"] for hit in recalled.hits]
    assert set(texts) == {"Hartnell look after the boiler", "the boiler is old"}  # but not the question itself
    assert [hit["id"] for hit in recalled.hits] == list(context.shown)


def test_what_has_nothing_to_do_with_the_message_is_not_offered(store: MemoryStore) -> None:
    for number in range(30):
        store.add_fact(FactDraft(f"thing {number}", "colour", f"shade {number}"), asked_by="user")
    assert store.drain() >= 0
    context = after(store, "good morning, lovely weather today")
    assert recall(context, "good morning, lovely weather today").hits == ()


def test_a_short_message_leans_on_the_one_before_it(store: MemoryStore) -> None:
    store.add_fact(
        FactDraft("boiler", "service company", "Hartnell", "Hartnell look after the boiler"), asked_by="user"
    )
    context = after(store, "and their number?")
    assert recall(context, "and their number?").hits == ()
    before = store.add_message(context.session_id, "user", "who looks after the boiler?")
    leaning = recall(context, "and their number?", before, frozenset({before.id}))
    assert [hit["value"] for hit in leaning.hits] == ["Hartnell"]
    long = "and tell me the number that they gave us back then please"
    assert recall(context, long, before).query == long


def test_what_was_told_last_is_offered_though_the_message_shares_no_word_with_it(store: MemoryStore) -> None:
    context = after(store, "the marina gate code is 5830")
    before = context.message
    assert before is not None
    store.add_fact(
        FactDraft("marina", "gate code", "5830", "the marina gate code is 5830", sources=(SourceSpan(before.id),)),
        asked_by="user",
    )
    store.add_fact(FactDraft("marina", "toll", "4 euros", "the marina toll is 4 euros"), asked_by="user")
    said = "no sorry I read it the wrong way round on the paper, it is 5380"
    context = ToolContext(store, context.session_id, store.add_message(context.session_id, "user", said))
    offered = recall(context, said, before, frozenset({before.id})).hits
    assert [hit["value"] for hit in offered] == ["5830"]


def test_no_more_is_offered_than_the_limit(store: MemoryStore) -> None:
    for number in range(3 * LIMIT):
        draft = FactDraft("boiler", f"part {number}", f"made by maker {number}", f"boiler part {number}")
        store.add_fact(draft, asked_by="user")
    hits = recall(after(store, "boiler part"), "boiler part").hits
    assert 0 < len(hits) <= LIMIT


def test_without_an_embedder_words_are_enough(url: str) -> None:
    with MemoryStore.open(url, clock=FixedClock(datetime(2026, 3, 2, tzinfo=UTC))) as store:
        store.add_fact(FactDraft("boiler", "service company", "Hartnell"), asked_by="user")
        hits = recall(after(store, "who services the boiler?"), "who services the boiler?").hits
        assert [hit["value"] for hit in hits] == ["Hartnell"]
        assert recall(after(store, "what about lunch?"), "what about lunch?").hits == ()


@pytest.mark.parametrize(
    ("channels", "offered"),
    [
        ({"dense": NEAREST}, True),
        ({"dense": NEAREST - 0.01}, False),
        ({"dense": NEAREST - 0.01, "words": 9.0}, True),
        ({"dense": WITH_WORDS - 0.01, "words": 9.0}, False),
        ({"dense": WITH_WORDS - 0.01, "slot": 1.0, "time": 1.0}, False),
        ({"words": 0.1}, True),
        ({"time": 1.0}, False),
        ({}, False),
    ],
)
def test_the_gate_looks_at_absolute_scores_not_at_the_rank(channels: dict[str, float], offered: bool) -> None:
    hit = Hit("fact", 1, "words", datetime(2026, 3, 2, tzinfo=UTC), 1.0, channels)
    assert relevant(hit) is offered
