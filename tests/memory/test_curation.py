"""What a person does with single facts: pin, amend, see where they were used, take back; and the browser's filters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from memagent.errors import InputError, NotFoundError
from memagent.memory.records import FactDraft, Mode, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.words import PREFIX, all_of, any_of, tsquery_any_of

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def tell(store: MemoryStore, subject: str, attribute: str, value: str, **more: Any) -> int:
    change = store.add_fact(FactDraft(subject, attribute, value, **more), asked_by="user")
    assert change.after is not None
    return change.after.id


def found(store: MemoryStore, text: str, **query: Any) -> list[int]:
    return [hit.id for hit in store.search(SearchQuery(text, scope="facts", limit=50, **query))]


def test_an_amendment_changes_kind_and_dates_and_can_be_taken_back(store: MemoryStore) -> None:
    fact_id = tell(store, "Oslo", "trip", "with Ada")
    change = store.amend_fact(fact_id, kind="plan", valid_from=MAY, valid_to=JUNE)
    kept = store.fact(fact_id)
    assert change.after == kept and (kept.kind, kept.valid_from, kept.valid_to) == ("plan", MAY, JUNE)
    assert store.last_change().id == change.operation_id
    store.undo(change.operation_id, asked_by="user")
    assert store.fact(fact_id) == change.before


def test_an_amended_claim_told_again_is_recognised(store: MemoryStore) -> None:
    fact_id = tell(store, "Oslo", "trip", "with Ada")
    store.amend_fact(fact_id, kind="plan", valid_from=MAY, valid_to=None)
    again = store.add_fact(FactDraft("Oslo", "trip", "with Ada", kind="plan", valid_from=MAY), asked_by="user")
    assert again.action == "repeated" and again.after is not None and again.after.id == fact_id


def test_an_amendment_that_makes_two_claims_one_is_refused(store: MemoryStore) -> None:
    planned = tell(store, "Oslo", "trip", "with Ada", kind="plan", valid_from=MAY, single=False)
    other = tell(store, "Oslo", "trip", "with Ada", kind="plan", valid_from=JUNE, single=False)
    with pytest.raises(InputError, match=f"memory {planned} says the same"):
        store.amend_fact(other, kind="plan", valid_from=MAY, valid_to=None)
    with pytest.raises(InputError, match="end before it begins"):
        store.amend_fact(other, kind="plan", valid_from=JUNE, valid_to=MAY)
    assert store.fact(other).valid_from == JUNE


def test_what_is_no_longer_current_cannot_be_amended(store: MemoryStore) -> None:
    fact_id = tell(store, "user", "city", "Oslo")
    store.update_fact(fact_id, "Bergen", asked_by="user")
    with pytest.raises(InputError, match="no longer current"):
        store.amend_fact(fact_id, kind="note", valid_from=None, valid_to=None)


def test_what_ends_is_history_and_nothing_takes_its_place(store: MemoryStore) -> None:
    banjo = tell(store, "user", "instruments owned", "banjo", single=False, valid_from=MAY)
    tell(store, "user", "instruments owned", "cello", single=False)
    change = store.end_fact(banjo, asked_by="model", reason="sold", valid_to=JUNE)
    ended = store.fact(banjo)
    assert change.action == "ended" and change.after == ended
    assert not ended.current and ended.superseded_by is None and (ended.valid_from, ended.valid_to) == (MAY, JUNE)
    assert banjo not in found(store, "banjo") and banjo in found(store, "banjo", state="all")
    assert [fact.value for fact in store.facts()] == ["cello"]
    store.undo(change.operation_id, asked_by="user")
    assert store.fact(banjo) == change.before


def test_what_has_ended_can_be_told_anew_but_not_ended_again(store: MemoryStore) -> None:
    tea = tell(store, "user", "drink", "tea")
    change = store.end_fact(tea, asked_by="model")
    with pytest.raises(InputError, match="no longer current"):
        store.end_fact(tea, asked_by="model")
    again = tell(store, "user", "drink", "tea")
    assert again != tea and [fact.id for fact in store.facts()] == [again]
    with pytest.raises(InputError, match="taken the place"):
        store.undo(change.operation_id, asked_by="user")
    with pytest.raises(NotFoundError):
        store.end_fact(tea + 100, asked_by="model")


def test_what_ends_is_no_longer_in_doubt(store: MemoryStore) -> None:
    tell(store, "user", "city", "Oslo", trust="user")
    doubtful = tell(store, "user", "city", "Rome", trust="document")
    assert len(store.conflicts()) == 1
    store.end_fact(doubtful, asked_by="user")
    assert store.conflicts() == [] and [fact.value for fact in store.facts()] == ["Oslo"]


def test_the_last_change_is_the_newest_that_is_not_taken_back(store: MemoryStore) -> None:
    with pytest.raises(InputError, match="no change to take back"):
        store.last_change()
    fact_id = tell(store, "user", "city", "Oslo")
    added = store.last_change()
    store.pin_fact(fact_id, True)
    pinned = store.last_change()
    assert (added.name, pinned.name) == ("add", "pin")
    store.log_operation("search", asked_by="user", arguments={}, result=None)
    store.undo(pinned.id, asked_by="user")
    assert store.last_change().id == added.id and not store.fact(fact_id).pinned


def test_the_log_is_read_by_name(store: MemoryStore) -> None:
    tell(store, "user", "city", "Oslo")
    query = store.log_operation("query", asked_by="user", arguments={"query": "select 1"}, result={"rows": 1})
    assert [operation.id for operation in store.operations(name="query")] == [query]


def test_uses_are_the_answers_given_with_a_fact_in_view(store: MemoryStore) -> None:
    fact_id = tell(store, "boiler", "serviced by", "Hartnell")
    session = store.start_session()
    store.add_message(session.id, "user", "who services the boiler?")
    hit = {"id": 1, "kind": "fact", "ref": fact_id, "text": "boiler"}
    recalled = {"event": "recalled", "query": "boiler", "hits": [hit], "milliseconds": 1.0}
    said = store.add_message(session.id, "assistant", "HARTNELL does.", events=[recalled])
    store.add_message(session.id, "user", "and the roof?")
    call = {"id": "a", "name": "memory_search", "arguments": {}}
    result = {"call_id": "a", "name": "memory_search", "ok": True, "content": {"hits": [hit]}, "words": "found"}
    searched = {"event": "tool_returned", "call": call, "result": result}
    unsaid = store.add_message(session.id, "assistant", "I don't know.", events=[searched])
    message_hit = {**recalled, "hits": [{**hit, "kind": "message"}]}
    store.add_message(session.id, "assistant", "Hartnell, a message said.", events=[message_hit])
    other = {**recalled, "hits": [{**hit, "ref": fact_id * 10}]}
    store.add_message(session.id, "assistant", "Hartnell, of another fact.", events=[other])
    uses = store.uses(fact_id)
    assert [(use.reply.id, use.asked, use.said) for use in uses] == [
        (unsaid.id, "and the roof?", False),
        (said.id, "who services the boiler?", True),
    ]
    assert len(store.uses(fact_id, limit=1)) == 1
    with pytest.raises(NotFoundError):
        store.uses(fact_id + 1)


def test_search_is_filtered_by_kind_subject_and_state(store: MemoryStore) -> None:
    old = tell(store, "boiler", "serviced by", "Hartnell")
    new = store.update_fact(old, "Quixley", asked_by="user").after
    plan = tell(store, "Boiler room", "serviced by", "Hartnell", kind="plan")
    assert new is not None
    assert set(found(store, "serviced")) == {new.id, plan}
    assert set(found(store, "serviced", state="all")) == {old, new.id, plan}
    assert found(store, "serviced", state="retired") == [old]
    assert found(store, "serviced", kind="plan") == [plan]
    assert set(found(store, "serviced", about="the boil")) == {new.id, plan}
    assert found(store, "serviced", about="boiler r") == [plan]
    assert found(store, "serviced", about="%") == []
    assert [fact.id for fact in store.facts(about="BOILER R")] == [plan]
    assert store.facts(about="_oiler") == []


@pytest.mark.parametrize(
    ("mode", "channel"), [("keyword", {"words"}), ("vector", {"dense"}), ("hybrid", {"words", "dense"})]
)
def test_a_mode_leaves_a_channel_out(store: MemoryStore, mode: Mode, channel: set[str]) -> None:
    tell(store, "boiler", "serviced by", "Hartnell")
    (hit,) = store.search(SearchQuery("boiler", mode=mode))
    assert set(hit.channels) == channel


def test_keywords_find_nothing_by_likeness(store: MemoryStore) -> None:
    tell(store, "boiler", "serviced by", "Hartnell")
    assert found(store, "plumbing", mode="keyword") == []


def test_a_word_is_found_while_it_is_being_typed(store: MemoryStore) -> None:
    fact_id = tell(store, "boiler", "serviced by", "Hartnell")
    assert found(store, "Hartn", mode="keyword") == []
    assert found(store, "Hartn", mode="keyword", prefix=True) == [fact_id]
    assert found(store, "boi hartn", mode="keyword", prefix=True) == [fact_id]
    assert found(store, "Hartn ", mode="keyword", prefix=True) == []  # the word has ended
    assert found(store, 'Hartn"*', mode="keyword", prefix=True) == []


def test_a_prefix_is_spelled_for_each_database() -> None:
    terms = ["boiler", "hart" + PREFIX]
    assert any_of(terms) == '"boiler" OR "hart"*'
    assert all_of(terms) == '"boiler" AND "hart"*'
    assert tsquery_any_of(terms) == "'boiler' | 'hart':*"


def test_a_message_is_shown_among_its_neighbours(store: MemoryStore) -> None:
    session, other = store.start_session(), store.start_session()
    ids = [store.add_message(session.id, "user", f"message {number}").id for number in range(6)]
    store.add_message(other.id, "user", "elsewhere")
    assert [message.id for message in store.messages_around(ids[3], 2)] == ids[1:6]
    assert [message.id for message in store.messages_around(ids[0], 1)] == ids[:2]
    with pytest.raises(NotFoundError):
        store.messages_around(999, 2)
