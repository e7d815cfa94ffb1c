"""From an event of a turn, or a line of the log, to what the screen says: without a screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.agent.policy import Write
from memagent.conversation import ContextUsage, Failed, Finished, Recalled, ToolCall, ToolResult, ToolReturned
from memagent.memory.records import FactDraft, Operation
from memagent.memory.store import MemoryStore
from memagent.tools.registry import run_tool
from memagent.tools.tool import ToolContext
from tui.views import (
    card_of,
    failed_line,
    feed_item,
    feed_items,
    finished_line,
    gauge_of,
    milliseconds,
    recall_card,
)

USAGE = ContextUsage(2048, 1188, 20, 16, 59, 256, 3)
HIT = {
    "id": 1, "kind": "fact", "source": "fact", "text": "the boiler is serviced by Hartnell", "date": "2 March 2026",
    "score": 0.63, "channels": {"dense": 0.67, "words": 0.31}, "speaker": "user",
}  # fmt: skip


def ran(store: MemoryStore, name: str, **arguments: Any) -> ToolReturned:
    call = ToolCall("a", name, arguments)
    return ToolReturned(call, run_tool(ToolContext(store, store.start_session().id), call))


def test_a_write_is_told_in_words_and_leads_to_the_memory(store: MemoryStore) -> None:
    card = card_of(ran(store, "memory_add", subject="boiler", attribute="serviced by", value="Hartnell"))
    assert card.words == "remembered boiler: serviced by = Hartnell · id 1"
    assert (card.sign, card.tone, card.fact_id) == ("+", "write", 1)
    assert (card.before, card.after) == (None, None)
    assert "subject = boiler" in card.sections[0].text
    assert card.sections[-1].sql
    assert "insert into facts" in card.sections[-1].text


def test_an_update_shows_before_and_after(store: MemoryStore) -> None:
    ran(store, "memory_add", subject="boiler", attribute="serviced by", value="Hartnell")
    card = card_of(ran(store, "memory_add", subject="boiler", attribute="serviced by", value="Wendover"))
    assert (card.before, card.after) == ("Hartnell", "Wendover")


def test_a_search_shows_its_hits_with_channel_and_score(store: MemoryStore) -> None:
    store.add_fact(FactDraft("boiler", "serviced by", "Hartnell", "boiler: Hartnell"), asked_by="user")
    card = card_of(ran(store, "memory_search", query="boiler"))
    assert card.sections[1].title == "found 1"
    assert "boiler: Hartnell" in card.sections[1].text
    assert "vector 0." in card.sections[1].text


def test_a_refused_or_failed_call_shows_no_change(store: MemoryStore) -> None:
    card = card_of(ran(store, "memory_add", subject="", attribute="", value=""))
    assert (card.sign, card.tone, card.before, card.after) == ("!", "failed", None, None)


def test_a_query_shows_the_query_and_not_the_program_s_sql(store: MemoryStore) -> None:
    card = card_of(ran(store, "sql_query", query="select 1 as one"))
    assert [(section.text, section.sql) for section in card.sections[-1:]] == [("select 1 as one", True)]


def test_recall_is_a_card_only_where_something_was_recalled() -> None:
    assert recall_card(Recalled("q", (), 1.0)) is None
    card = recall_card(Recalled("q", (HIT,), 12.4))
    assert card is not None
    assert (card.words, card.note) == ("recalled 1: the boiler is serviced by Hartnell", "12 ms")
    assert "vector 0.67 keyword 0.31" in card.sections[1].text


def test_consent_says_what_the_write_would_do(store: MemoryStore) -> None:
    fact = store.add_fact(FactDraft("boiler", "serviced by", "Hartnell"), asked_by="user").after
    add = ToolCall("a", "memory_add", {"subject": "garage", "attribute": "code", "value": "4719"})
    assert Write(add, None).words == ("remember garage: code = 4719", None, None)
    update = ToolCall("a", "memory_update", {"id": 1, "value": "Wendover"})
    assert Write(update, fact).words == ("update boiler: serviced by", "Hartnell", "Wendover")
    assert Write(ToolCall("a", "memory_forget", {"id": 1}), fact).words == (
        "forget boiler: serviced by for good", "Hartnell", None
    )  # fmt: skip
    assert "id = 9" in Write(ToolCall("a", "memory_forget", {"id": 9}), None).words[0]


def test_the_gauge_names_every_part_and_what_fell_out() -> None:
    gauge = gauge_of(USAGE, 40)
    assert [(part.name, part.tokens) for part in gauge.parts] == [
        ("instructions", 1188), ("pinned", 20), ("recalled", 16), ("recent", 59), ("for the reply", 256), ("free", 509)
    ]  # fmt: skip
    assert (gauge.headline, gauge.fell_out) == ("1,283 of 2,048 tokens", 3)
    assert gauge_of(replace(USAGE, exact=False), 40).headline == "about 1,283 of 2,048 tokens"


@given(st.lists(st.integers(0, 10_000), min_size=6, max_size=6), st.integers(10, 120))
def test_the_gauge_fills_its_width_exactly(tokens: list[int], width: int) -> None:
    system, core, recalled, recent, reserved, free = tokens
    usage = ContextUsage(sum(tokens), system, core, recalled, recent, reserved, 0)
    parts = gauge_of(usage, width).parts
    assert sum(part.cells for part in parts) == width
    assert all(part.cells >= 1 for part in parts if part.tokens)
    assert usage.used + reserved + free == usage.window


def test_the_end_of_a_turn_in_words() -> None:
    assert finished_line(Finished("hi", 114.2, 1198, 12)) == "1,198 tokens in · 12 out · 114 ms"
    assert finished_line(Finished("hi", 114.2, 1198, 12, confidence=0.943)).endswith("114 ms · 94% sure")
    assert finished_line(Finished("I don't know.", 9, 8, 3, confidence=0.14)).endswith("best guess 14%")
    assert "nothing in memory supported it" in finished_line(Finished("hi", 1140, 1198, 12, grounded=False))
    assert failed_line(Failed("stopped", "all is kept", True)) == "stopped · all is kept"
    assert (milliseconds(999.4), milliseconds(1200)) == ("999 ms", "1.2 s")


def operations(store: MemoryStore) -> list[Operation]:
    return store.operations()


def test_the_feed_tells_every_kind_of_operation(store: MemoryStore) -> None:
    session = store.start_session().id
    draft = FactDraft("boiler", "serviced by", "Hartnell")
    first = store.add_fact(draft, asked_by="model", session_id=session)
    assert first.after is not None
    store.add_fact(draft, asked_by="model")
    update = store.update_fact(first.after.id, "Wendover", asked_by="user")
    store.undo(update.operation_id, asked_by="user")
    store.edit_core_block("person", "", "called Ada", asked_by="model")
    store.pin_fact(first.after.id, True)
    store.log_operation("search", asked_by="model", arguments={"query": "boiler"}, result={"hits": []})
    items = feed_items(operations(store), session)
    assert [item.words for item in items] == [
        "remembered boiler: serviced by = Hartnell",
        "knew already boiler: serviced by = Hartnell",
        "updated boiler: serviced by = Wendover",
        "took back: boiler: serviced by = Hartnell",
        "edited the pinned note “person”",
        "pinned boiler: serviced by = Hartnell",
        "looked for “boiler”: nothing found",
    ]
    assert [item.here for item in items] == [True] + [False] * 6
    assert (items[2].before, items[2].tone) == ("Hartnell", "write")
    assert "you" in items[2].note and "agent" in items[0].note


def test_what_was_forgotten_is_not_in_the_feed(store: MemoryStore) -> None:
    added = store.add_fact(FactDraft("boiler", "serviced by", "Hartnell"), asked_by="user").after
    assert added is not None
    store.forget_fact(added.id, asked_by="user")
    items = feed_items(operations(store), None)
    assert [(item.words, item.fact_id) for item in items] == [
        ("add (erased since)", None), ("forgot a memory for good", None)
    ]  # fmt: skip


@pytest.mark.parametrize("result", [None, {}, {"hits": 3}, {"before": 3, "after": []}, {"action": "strange"}])
def test_the_feed_survives_a_line_that_it_does_not_know(result: dict[str, Any] | None) -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    for name in ("search", "future_operation", "pin", "core_edit"):
        assert feed_item(Operation(1, None, name, "user", {}, result, None, None, 0.0, at), None).words


def test_a_card_survives_results_that_it_does_not_know() -> None:
    for content in ({}, {"hits": []}, {"a": [1, {"b": None}]}):
        assert card_of(
            ToolReturned(ToolCall("a", "new_tool"), ToolResult("a", "new_tool", True, content, "did it"))
        ).words
