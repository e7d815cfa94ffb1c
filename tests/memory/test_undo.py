"""Every automatic decision can be taken back, and taken back again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memagent.errors import InputError
from memagent.memory.records import FactDraft, MemoryChange, SourceSpan
from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore


def snapshot(store: MemoryStore) -> dict[str, Any]:
    """What the person would notice: current facts, open conflicts, sources, pinned text."""
    with store.database.read() as connection:
        current = (
            "select id, value, valid_to, times_told, trust, pinned from facts where retired_at is null order by id"
        )
        sources = (
            "select s.fact_id, s.message_id, s.quote from fact_sources s join facts f on f.id = s.fact_id "
            "where f.retired_at is null order by s.id"
        )
        return {
            "facts": rows(connection, current),
            "conflicts": [(c.newer.id, c.older.id) for c in store.conflicts()],
            "sources": rows(connection, sources),
            "core": [block.content for block in store.core_blocks()],
        }


def prepared(store: MemoryStore) -> dict[str, int]:
    session = store.start_session()
    message = store.add_message(session.id, "user", "I live in London and like tea")
    ids = {"message": message.id}
    for name, draft in {
        "city": FactDraft("user", "city", "London", sources=(SourceSpan(message.id, start=10, end=16),)),
        "drink": FactDraft("user", "drink", "tea", single=False),
    }.items():
        fact = store.add_fact(draft, asked_by="user").after
        assert fact is not None
        ids[name] = fact.id
    doubtful = store.add_fact(FactDraft("user", "city", "Paris", trust="document"), asked_by="import")
    assert doubtful.action == "queued"
    ids["conflict"] = store.conflicts()[0].id
    store.edit_core_block("person", "", "lives in London", asked_by="user")
    return ids


Decision = Callable[[MemoryStore, dict[str, int]], object]

DECISIONS: dict[str, Decision] = {
    "an added fact": lambda s, ids: s.add_fact(FactDraft("user", "pet", "cat"), asked_by="auto"),
    "a repeated claim with a new source": lambda s, ids: s.add_fact(
        FactDraft("user", "drink", "Tea", single=False, sources=(SourceSpan(ids["message"], start=26, end=29),)),
        asked_by="auto",
    ),
    "a raised trust": lambda s, ids: s.add_fact(FactDraft("user", "city", "Paris", trust="model"), asked_by="auto"),
    "a claim that supersedes": lambda s, ids: s.add_fact(
        FactDraft("user", "hat", "red"), asked_by="auto", supersedes=ids["drink"]
    ),
    "a claim put beside another": lambda s, ids: s.add_fact(FactDraft("user", "drink", "coffee"), asked_by="auto"),
    "an update": lambda s, ids: s.update_fact(ids["city"], "Leeds", asked_by="model"),
    "an update that merges": lambda s, ids: s.update_fact(ids["city"], "Paris", asked_by="model"),
    "a decision to keep both": lambda s, ids: s.resolve_conflict(ids["conflict"], "keep_both"),
    "a decision for the new": lambda s, ids: s.resolve_conflict(ids["conflict"], "keep_new"),
    "a decision for the old": lambda s, ids: s.resolve_conflict(ids["conflict"], "keep_old"),
    "an end": lambda s, ids: s.end_fact(ids["city"], asked_by="model"),
    "a pin": lambda s, ids: s.pin_fact(ids["city"], True),
    "an edit of a core block": lambda s, ids: s.edit_core_block("person", "London", "Leeds", asked_by="model"),
}


@pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())
def test_a_decision_is_undone_and_redone(
    store: MemoryStore, decide: Callable[[MemoryStore, dict[str, int]], object]
) -> None:
    ids = prepared(store)
    before = snapshot(store)
    decide(store, ids)
    after = snapshot(store)
    assert after != before
    decision = store.operations(limit=1)[0].id
    undone = store.undo(decision, asked_by="user")
    assert undone.action == "restored" and snapshot(store) == before
    assert store.operation(decision).undone_by == undone.operation_id
    with pytest.raises(InputError, match="already"):
        store.undo(decision, asked_by="user")
    redone = store.undo(undone.operation_id, asked_by="user")
    assert snapshot(store) == after
    store.undo(redone.operation_id, asked_by="user")
    assert snapshot(store) == before


def test_an_undo_says_what_went_and_what_came_back(store: MemoryStore) -> None:
    old = store.add_fact(FactDraft("user", "city", "London"), asked_by="auto")
    new = store.add_fact(FactDraft("user", "city", "Paris"), asked_by="auto")
    change = store.undo(new.operation_id, asked_by="user")
    assert (change.before, change.after) == (new.after, old.after)
    gone = store.undo(old.operation_id, asked_by="user")
    assert (gone.before, gone.after) == (old.after, None)


def test_what_has_changed_since_is_not_overwritten(store: MemoryStore) -> None:
    first = store.add_fact(FactDraft("user", "city", "London"), asked_by="auto")
    second = store.add_fact(FactDraft("user", "city", "Paris"), asked_by="auto")
    store.add_fact(FactDraft("user", "city", "Rome"), asked_by="auto")
    edit = store.edit_core_block("plan", "", "one", asked_by="model")
    edited = store.operations(limit=1)[0].id
    store.edit_core_block("plan", "one", "two", asked_by="model")
    before = snapshot(store)
    for operation in (first.operation_id, second.operation_id, edited):
        with pytest.raises(InputError, match="since"):
            store.undo(operation, asked_by="user")
    assert snapshot(store) == before and edit.version == 2


def test_a_restored_fact_does_not_stand_beside_its_successor(store: MemoryStore) -> None:
    first = store.add_fact(FactDraft("user", "city", "London"), asked_by="auto")
    undone = store.undo(first.operation_id, asked_by="user")
    store.add_fact(FactDraft("user", "city", "Paris"), asked_by="auto")
    with pytest.raises(InputError, match="taken the place"):
        store.undo(undone.operation_id, asked_by="user")
    assert [fact.value for fact in store.facts()] == ["Paris"]


def test_an_undone_version_is_forgotten_with_its_family(store: MemoryStore) -> None:
    old = store.add_fact(FactDraft("user", "city", "London"), asked_by="auto").after
    new = store.add_fact(FactDraft("user", "city", "Paris"), asked_by="auto")
    store.undo(new.operation_id, asked_by="user")
    assert old is not None
    store.forget_fact(old.id, asked_by="user")
    assert store.facts(state="all") == []


def test_what_changed_nothing_cannot_be_undone(store: MemoryStore) -> None:
    search = store.log_operation("search", asked_by="model", arguments={}, result={"hits": []})
    with pytest.raises(InputError, match="nothing to undo"):
        store.undo(search, asked_by="user")


def test_a_source_comes_back_although_its_number_has_been_given_to_another(store: MemoryStore) -> None:
    session = store.start_session().id

    def tell(text: str, value: str) -> MemoryChange:
        message = store.add_message(session, "user", text)
        source = SourceSpan(message.id, start=text.index(value), end=text.index(value) + len(value))
        return store.add_fact(FactDraft("dog", "name", value, single=False, sources=(source,)), asked_by="auto")

    taken_back = store.undo(tell("my dog is Rex", "Rex").operation_id, asked_by="user")
    other = tell("my dog is Bo", "Bo").after
    back = store.undo(taken_back.operation_id, asked_by="user")
    assert back.after is not None and other is not None
    assert [span.quote for span, _ in store.sources(back.after.id)] == ["Rex"]
    assert [span.quote for span, _ in store.sources(other.id)] == ["Bo"]
    store.undo(back.operation_id, asked_by="user")
    assert store.sources(back.after.id) == []
    assert [span.quote for span, _ in store.sources(other.id)] == ["Bo"]
