"""The tools that read and write memory, on a real store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.conversation import ToolCall, ToolResult
from memagent.errors import NotFoundError
from memagent.memory.records import FactDraft, Message
from memagent.memory.store import MemoryStore
from memagent.tools.memory_tools import sentence_around, source_of
from memagent.tools.registry import run_tool
from memagent.tools.tool import ToolContext

Say = Callable[[str], ToolContext]


@pytest.fixture
def say(store: MemoryStore) -> Say:
    """A turn in which the person has said something."""
    session = store.start_session()

    def begin(text: str) -> ToolContext:
        return ToolContext(store, session.id, store.add_message(session.id, "user", text))

    return begin


def call(context: ToolContext, name: str, **arguments: Any) -> ToolResult:
    return run_tool(context, ToolCall("1", name, arguments))


def done(context: ToolContext, name: str, **arguments: Any) -> ToolResult:
    result = call(context, name, **arguments)
    assert result.ok, result.words
    return result


# --- memory_add ---


def test_a_fact_knows_the_words_it_came_from(say: Say) -> None:
    context = say("Morning! The boiler is looked after by HARTNELL now. Cold, isn't it?")
    result = done(context, "memory_add", subject="boiler", attribute="service company", value="Hartnell")
    assert result.change is not None and result.change["action"] == "added"
    (fact,) = context.store.facts()
    assert fact.text == "The boiler is looked after by HARTNELL now."
    ((span, message),) = context.store.sources(fact.id)
    assert message is not None and context.message is not None and message.id == context.message.id
    assert message.content[span.start : span.end] == span.quote == "HARTNELL"


def test_letters_that_change_length_in_lower_case_do_not_shift_the_source(say: Say) -> None:
    context = say("STRAßE, İzmir: my locker is 4417")
    done(context, "memory_add", subject="user", attribute="locker", value="4417")
    ((span, message),) = context.store.sources(context.store.facts()[0].id)
    assert message is not None and message.content[span.start : span.end] == span.quote == "4417"


def test_a_value_that_was_not_said_word_for_word_has_the_whole_message_as_its_source(say: Say) -> None:
    context = say("we got married on the second of june")
    done(context, "memory_add", subject="user", attribute="anniversary", value="2 June")
    ((span, _),) = context.store.sources(context.store.facts()[0].id)
    assert span.quote == "we got married on the second of june"


@given(st.text(max_size=60), st.text(min_size=1, max_size=10), st.text(max_size=60))
def test_a_source_span_quotes_the_message(before: str, value: str, after: str) -> None:
    content = before + value + after
    message = Message(1, 1, 0, "user", "", content, 0, datetime(2026, 3, 2, tzinfo=UTC))
    text, (span,) = source_of(ToolContext(None, 1, message), value)  # type: ignore[arg-type]
    assert content[span.start : span.end] == span.quote
    assert span.quote == content or span.quote.casefold() == value.casefold()
    assert text in content


def test_the_sentence_around_a_value() -> None:
    text = "First one. The code is 4417! Last one?"
    assert sentence_around(text, text.index("4417"), text.index("4417") + 4) == "The code is 4417!"
    assert sentence_around("no end", 3, 6) == "no end"


@pytest.mark.parametrize(
    ("when", "begins"),
    [
        ("yesterday", datetime(2026, 3, 1, tzinfo=UTC)),
        ("since last Friday", datetime(2026, 2, 27, tzinfo=UTC)),
        ("in two weeks", datetime(2026, 3, 16, tzinfo=UTC)),
        ("once in a blue moon", None),
        (None, None),
    ],
)
def test_relative_dates_are_resolved_against_the_clock_of_the_store(
    say: Say, when: str | None, begins: datetime | None
) -> None:
    context = say(f"I moved to Leeds {when}")
    result = done(context, "memory_add", subject="user", attribute="home city", value="Leeds", when=when)
    (fact,) = context.store.facts()
    if begins is None:
        assert fact.valid_from is None and "when" not in result.content
    else:
        assert fact.valid_from is not None and fact.valid_from.date() == begins.date()
        assert str(begins.year) in result.content["when"]


def test_one_slot_has_one_current_value_and_the_model_is_told_the_former_one(say: Say) -> None:
    done(say("I live in Leeds"), "memory_add", subject="user", attribute="home city", value="Leeds")
    context = say("I live in Porto now")
    result = done(context, "memory_add", subject="user", attribute="home city", value="Porto")
    assert (result.content["action"], result.content["before"]) == ("superseded", "Leeds")
    assert result.words == f"updated user: home city = Porto (was Leeds) · id {context.store.facts()[0].id}"
    assert [fact.value for fact in context.store.facts()] == ["Porto"]


def test_several_values_stand_side_by_side(say: Say) -> None:
    for food in ("peanuts", "kiwi"):
        context = say(f"I'm allergic to {food}")
        result = done(context, "memory_add", subject="user", attribute="allergy", value=food, several=True)
        assert result.content["action"] == "added"
    assert {fact.value for fact in context.store.facts()} == {"peanuts", "kiwi"}


def test_told_twice_is_one_fact(say: Say) -> None:
    for _ in range(2):
        context = say("my shoe size is 43")
        result = done(context, "memory_add", subject="user", attribute="shoe size", value="43")
    (fact,) = context.store.facts()
    assert (result.content["action"], fact.times_told) == ("repeated", 2)
    assert result.words.startswith("knew already user: shoe size = 43")


@pytest.mark.parametrize("arguments", [{"value": ""}, {"subject": " "}, {"value": "x" * 200_000}, {"kind": "rumour"}])
def test_a_fact_that_cannot_be_stored_is_a_mistake_the_model_can_mend(say: Say, arguments: dict[str, str]) -> None:
    context = say("hello there")
    result = call(context, "memory_add", **({"subject": "user", "attribute": "name", "value": "Ana"} | arguments))
    assert not result.ok and result.content["error"]
    assert context.store.facts() == []


# --- memory_search ---


def test_hits_are_numbered_dated_and_say_which_channel_found_them(say: Say) -> None:
    told = say("the boiler is looked after by Hartnell")
    done(told, "memory_add", subject="boiler", attribute="service company", value="Hartnell")
    context = say("who looks after the boiler?")
    result = done(context, "memory_search", query="who looks after the boiler")
    hits = result.content["hits"]
    assert [hit["id"] for hit in hits] == list(range(1, len(hits) + 1))
    fact = next(hit for hit in hits if hit["kind"] == "fact")
    assert (fact["value"], fact["date"], fact["current"]) == ("Hartnell", "2 March 2026", True)
    assert {"dense", "words"} <= set(fact["channels"])
    assert {hit["kind"] for hit in hits} == {"fact", "message"}
    assert result.words == f"looked for “who looks after the boiler”: {len(hits)} found"


def test_what_was_just_said_is_not_found_again(say: Say) -> None:
    context = say("where is the spare key?")
    assert done(context, "memory_search", query="where is the spare key?").content["hits"] == []


def test_times_in_a_hit_mean_what_they_meant_when_it_was_said(say: Say) -> None:
    say("the plumber comes tomorrow")
    hits = done(say("when does the plumber come?"), "memory_search", query="plumber comes").content["hits"]
    (time,) = hits[0]["times"]
    assert hits[0]["text"][time["start"] : time["end"]] == time["text"] == "tomorrow"
    assert (time["means"], time["precision"]) == ("3 March 2026", "day")


def test_history_also_finds_what_is_no_longer_true(say: Say) -> None:
    for city in ("Leeds", "Porto"):
        done(say(f"I live in {city}"), "memory_add", subject="user", attribute="home city", value=city)
    context = say("where did I live before?")
    for history, expected in ((False, {"Porto"}), (True, {"Leeds", "Porto"})):
        result = done(context, "memory_search", query="live in", scope="facts", history=history)
        assert {hit["value"] for hit in result.content["hits"]} == expected


def test_a_search_is_logged_with_its_hits(say: Say) -> None:
    say("the spare key is under the third flowerpot")
    context = say("where is the spare key?")
    result = done(context, "memory_search", query="spare key")
    (operation,) = (o for o in context.store.operations() if o.name == "search")
    assert operation.id == result.operation_id
    assert operation.arguments["query"] == "spare key" and operation.result is not None
    assert len(operation.result["hits"]) == len(result.content["hits"])  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [{"query": "  "}, {"query": "key", "since": "the day of the owl"}, {}])
def test_a_search_that_cannot_be_done_says_why(say: Say, arguments: dict[str, str]) -> None:
    assert not call(say("hello there"), "memory_search", **arguments).ok


# --- memory_update, memory_end and memory_forget ---


@pytest.fixture
def allergies(say: Say) -> ToolContext:
    """A turn that has been shown two allergies and a shoe size, with ids of rows that are not their numbers."""
    for number in range(4):
        done(say(f"note {number}"), "memory_add", subject="user", attribute=f"note {number}", value=f"n{number}")
    for food in ("Peanuts", "Kiwi"):
        context = say(f"I'm allergic to {food}")
        done(context, "memory_add", subject="user", attribute="allergy", value=food, several=True)
    done(say("my shoe size is 43"), "memory_add", subject="user", attribute="shoe size", value="43")
    context = say("about my allergies and my shoe size")
    for query in ("allergic to Peanuts", "allergic to Kiwi", "my shoe size is 43"):
        done(context, "memory_search", query=query, scope="facts", limit=1)
    assert [hit.fact.value for hit in context.shown.values() if hit.fact] == ["Peanuts", "Kiwi", "43"]
    return context


def test_an_update_keeps_history_its_source_and_what_it_is_about(allergies: ToolContext) -> None:
    assert allergies.message is not None
    context = ToolContext(
        allergies.store,
        allergies.session_id,
        allergies.store.add_message(allergies.session_id, "user", "I take a 44 these days"),
        shown=allergies.shown,
    )
    result = done(context, "memory_update", id=3, value="44", reason="feet grew")
    assert (result.content["before"], result.content["value"]) == ("43", "44")
    (fact,) = context.store.facts(search="shoe size")
    assert [version.value for version in context.store.history(fact.id)] == ["43", "44"]
    ((span, _),) = context.store.sources(fact.id)
    assert (span.quote, fact.text) == ("44", "my shoe size is 44"), "the correction alone does not say of what"


def test_an_update_puts_the_new_value_where_the_old_one_stood(say: Say) -> None:
    done(say("in der STRAßE my LOCKER is 4417, ok"), "memory_add", subject="user", attribute="locker", value="4417")
    context = say("no, it's 4418")
    done(context, "memory_search", query="locker", scope="facts")
    done(context, "memory_update", id=1, value="4418")
    assert [fact.text for fact in context.store.facts()] == ["in der STRAßE my LOCKER is 4418, ok"]


def test_what_ends_is_no_longer_found_and_stays_in_the_history(allergies: ToolContext) -> None:
    result = done(allergies, "memory_end", id=1, reason="outgrown")
    assert (result.content["action"], result.content["value"]) == ("ended", "Peanuts")
    assert result.words.startswith("ended user: allergy = Peanuts")
    assert "Peanuts" not in {fact.value for fact in allergies.store.facts()}
    hits = done(allergies, "memory_search", query="allergic to Peanuts", scope="facts", history=True).content["hits"]
    assert [hit["current"] for hit in hits if hit["value"] == "Peanuts"] == [False]
    assert not call(allergies, "memory_end", id=1).ok


@pytest.mark.parametrize(
    ("said", "named"), [("the PEANUTS one is gone", "PEANUTS"), ("peanut is fine now", ""), ("that is over", "")]
)
def test_the_message_that_ends_a_fact_is_a_source_of_it_where_it_names_it(
    allergies: ToolContext, said: str, named: str
) -> None:
    message = allergies.store.add_message(allergies.session_id, "user", said)
    row = allergies.shown[1].id
    done(ToolContext(allergies.store, allergies.session_id, message, shown=allergies.shown), "memory_end", id=1)
    quotes = [
        span.quote for span, where in allergies.store.sources(row) if where is not None and where.id == message.id
    ]
    assert quotes == ([named] if named else [])
    assert allergies.store.outdated_messages([message.id]) == (frozenset({message.id}) if named else frozenset())


def test_a_hit_says_which_values_it_names_that_were_replaced(say: Say) -> None:
    text = "Bridge club is on Tuesdays in the parish room."
    told = say(text)
    done(told, "memory_add", subject="bridge club", attribute="is on", value="Tuesdays")
    done(told, "memory_add", subject="bridge club", attribute="is in", value="parish room")
    moved = say("no more Tuesdays for bridge club, it's Fridays from now on")
    hits = done(moved, "memory_search", query="bridge club").content["hits"]
    assert [hit["replaced"] for hit in hits if hit["kind"] == "fact"] == [[], []]
    (tuesdays,) = (hit["id"] for hit in hits if hit.get("value") == "Tuesdays")
    done(moved, "memory_update", id=tuesdays, value="Fridays")
    hits = done(say("when is it?"), "memory_search", query="bridge club", limit=10).content["hits"]
    replaced = {(hit["kind"], hit.get("value", hit["text"])): hit["replaced"] for hit in hits}
    assert moved.message is not None
    assert replaced["fact", "parish room"] == replaced["message", moved.message.content] == ["Tuesdays"]
    assert replaced["fact", "Fridays"] == replaced["message", text] == []


def test_a_hit_says_which_values_it_names_that_have_ended(say: Say) -> None:
    told = say("our quiz team is Hamish, Olwen and Dilip")
    for name in ("Hamish", "Olwen"):
        done(told, "memory_add", subject="quiz team", attribute="is", value=name, several=True)
    hits = done(told, "memory_search", query="quiz team").content["hits"]
    (hamish,) = (hit["id"] for hit in hits if hit.get("value") == "Hamish")
    done(told, "memory_end", id=hamish)
    hits = done(say("who is left?"), "memory_search", query="quiz team", limit=10).content["hits"]
    assert [hit["replaced"] for hit in hits if hit.get("value") == "Olwen"] == [["Hamish"]]


def test_a_value_that_is_told_more_exactly_is_not_replaced(say: Say) -> None:
    told = say("I drive a Skoda")
    done(told, "memory_add", subject="user", attribute="car", value="Skoda")
    exact = say("my Skoda is a Skoda Fabia")
    (known,) = (hit["id"] for hit in done(exact, "memory_search", query="Skoda", scope="facts").content["hits"])
    done(exact, "memory_update", id=known, value="Skoda Fabia")
    hits = done(say("which car?"), "memory_search", query="Skoda", limit=10).content["hits"]
    assert len(hits) > 1 and not any(hit["replaced"] for hit in hits)


def test_forgetting_takes_back_the_number_of_what_is_gone_and_of_nothing_else(allergies: ToolContext) -> None:
    row = allergies.shown[1].id
    result = done(allergies, "memory_forget", id=1)
    assert result.words == "forgot it, with its history"
    assert list(allergies.shown) == [2, 3]
    with pytest.raises(NotFoundError):
        allergies.store.fact(row)
    assert done(allergies, "memory_forget", id=2).ok, "the other value of the same slot"
    assert {fact.value for fact in allergies.store.facts()} == {"n0", "n1", "n2", "n3", "43"}


def test_a_forgotten_number_stays_unknown(allergies: ToolContext) -> None:
    done(allergies, "memory_forget", id=3)
    for name, arguments in (("memory_forget", {"id": 3}), ("memory_update", {"id": 3, "value": "45"})):
        result = call(allergies, name, **arguments)
        assert not result.ok and "no memory with id 3" in result.content["error"]
    hits = done(allergies, "memory_search", query="note 1", scope="facts").content["hits"]
    assert 3 not in {hit["id"] for hit in hits}


@pytest.mark.parametrize("name", ["memory_update", "memory_end", "memory_forget"])
def test_row_ids_and_made_up_ids_are_refused(allergies: ToolContext, name: str) -> None:
    before = allergies.store.facts()
    row = allergies.shown[3].id
    assert row not in allergies.shown
    for number in (row, 0, -1, 99):
        result = call(allergies, name, id=number, **({"value": "x"} if name == "memory_update" else {}))
        assert not result.ok and f"no memory with id {number}" in result.content["error"]
    assert allergies.store.facts() == before


# --- core_memory_edit and words ---


def test_the_pinned_text_is_appended_to_and_edited(say: Say) -> None:
    context = say("call me Ana")
    assert done(context, "core_memory_edit", block="person", new="Her name is Ana.").content["content"]
    result = done(context, "core_memory_edit", block="person", old="Ana", new="Bea")
    assert (result.content["content"], result.words) == ("Her name is Bea.", "edited the pinned note “person”")
    assert not call(context, "core_memory_edit", block="person", old="nobody", new="x").ok
    assert not call(context, "core_memory_edit", block="diary", new="x").ok


def test_what_contradicts_a_source_of_less_trust_is_kept_and_shown_beside(say: Say) -> None:
    context = say("my dentist is Soto")
    done(context, "memory_add", subject="user", attribute="dentist", value="Soto")
    imported = FactDraft("user", "dentist", "Vale", trust="import")
    change = context.store.add_fact(imported, asked_by="import")
    assert change.action == "queued"
    result = done(say("my dentist is Ruiz"), "memory_add", subject="user", attribute="dentist", value="Ruiz")
    assert set(result.content["also"]) == {"Soto", "Vale"}
    assert result.words.startswith("kept beside another value user: dentist = Ruiz")
