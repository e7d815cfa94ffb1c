"""Search as the store offers it: channels, filters, neighbours, order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memagent.memory import lexical
from memagent.memory.lexical import RANKED_ROWS
from memagent.memory.question import read_question
from memagent.memory.records import FactDraft, Hit, Message, Scope, SearchQuery, SourceSpan
from memagent.memory.retrieval import gather
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.test_words import HOSTILE
from tests.memory.token_embedder import TokenEmbedder

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def store(tmp_path: Path, clock: Hands) -> Iterator[MemoryStore]:
    with MemoryStore.open(f"sqlite:///{tmp_path}/memory.db", embedder=HashEmbedder(), clock=clock) as opened:
        yield opened


def tell(store: MemoryStore, subject: str, attribute: str, value: str, text: str = "", **more: object) -> int:
    draft = FactDraft(subject, attribute, value, text, **more)  # type: ignore[arg-type]
    change = store.add_fact(draft, asked_by="user")
    assert change.after is not None
    return change.after.id


def talk(store: MemoryStore, *texts: str) -> list[Message]:
    session = store.start_session()
    roles = ("user", "assistant")
    return [store.add_message(session.id, roles[turn % 2], text) for turn, text in enumerate(texts)]


def found(store: MemoryStore, text: str, **query: object) -> list[tuple[str, int]]:
    return [(hit.kind, hit.id) for hit in store.search(SearchQuery(text, **query))]  # type: ignore[arg-type]


# --- channels ---------------------------------------------------------------------------------------------------------


def test_each_hit_says_which_channel_found_it_and_how_well(store: MemoryStore) -> None:
    fact = tell(store, "boiler", "service company", "Hartnell", "the boiler is serviced by Hartnell")
    tell(store, "user", "favourite colour", "green")
    hit = store.search(SearchQuery("who services the boiler?", subject="boiler", attribute="service company"))[0]
    assert (hit.kind, hit.id) == ("fact", fact)
    assert hit.channels["slot"] == 1.0
    assert hit.channels["words"] > 0
    assert 0 < hit.channels["dense"] <= 1
    assert 0 < hit.score <= 1
    assert hit.fact is not None
    assert hit.fact.value == "Hartnell"
    assert hit.text == "the boiler is serviced by Hartnell"
    assert hit.said_at == NOW


def test_the_exact_slot_comes_first_whatever_the_words_say(store: MemoryStore) -> None:
    slot = tell(store, "Ana", "job", "cartographer")
    for number in range(30):
        tell(store, f"listing {number}", "title", f"job {number}", f"a job as number {number} that Ana looked at")
    assert found(store, "what job does Ana have", subject="ana", attribute="Job")[0] == ("fact", slot)
    assert ("fact", slot) in found(store, "zzz", subject="Ana")
    assert ("fact", slot) in found(store, "zzz", attribute="job")


def test_words_find_without_an_embedder(tmp_path: Path) -> None:
    with MemoryStore.open(f"sqlite:///{tmp_path}/words.db") as store:
        fact = tell(store, "boiler", "company", "Hartnell", "Hartnell looks after the boiler")
        assert found(store, "the boilers") == [("fact", fact)]
        assert found(store, "teapot") == []


def test_scopes_keep_kinds_apart(store: MemoryStore) -> None:
    fact = tell(store, "heron", "place", "the pond", "the heron lives at the pond")
    message = talk(store, "I saw a heron at the pond")[0].id
    document = store.add_document("birds", "birds.txt", "A heron is a bird of the pond.", asked_by="user")
    assert document > 0
    kinds: dict[Scope, set[str]] = {
        "facts": {"fact"},
        "conversation": {"message"},
        "documents": {"chunk"},
        "all": {"fact", "message", "chunk"},
    }
    for scope, expected in kinds.items():
        hits = store.search(SearchQuery("heron pond", scope=scope))
        assert {hit.kind for hit in hits} == expected
    assert ("fact", fact) in found(store, "heron", scope="all")
    assert ("message", message) in found(store, "heron", scope="all")
    chunk = store.search(SearchQuery("heron", scope="documents"))[0]
    assert chunk.speaker == "birds"


def test_a_space_sees_only_itself(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/spaces.db"
    with MemoryStore.open(url, space="work", embedder=HashEmbedder()) as work:
        for number in range(60):  # more than a channel asks for at first, all of them better matches
            tell(work, "otter", f"sighting {number}", f"river {number}", "otter otter otter")
    with MemoryStore.open(url, space="home", embedder=HashEmbedder()) as home:
        own = tell(home, "otter", "toy", "blue", "the otter is a toy in a box with other things that are blue")
        assert found(home, "otter") == [("fact", own)]


# --- filters ----------------------------------------------------------------------------------------------------------


def test_retired_facts_are_found_only_on_request(store: MemoryStore) -> None:
    versions = [tell(store, "user", "phone", f"number {number}", "my phone number") for number in range(70)]
    assert {owner for _, owner in found(store, "phone number", limit=200)} == {versions[-1]}
    assert len(found(store, "phone number", limit=200, state="all")) == 70


def test_a_window_bounds_what_was_said_and_what_held_true(store: MemoryStore, clock: Hands) -> None:
    clock.at = datetime(2026, 1, 5, tzinfo=UTC)
    early = tell(store, "fox", "den", "hedge", "the fox sleeps in the hedge")
    spoken = talk(store, "a fox in the garden")[0].id
    meeting = tell(
        store, "fox survey", "day", "2 March", "the fox survey", kind="event",
        valid_from=datetime(2026, 3, 2, tzinfo=UTC),
    )  # fmt: skip
    lived = tell(store, "fox", "home", "wood", "the fox lives in the wood", valid_from=datetime(2025, 6, 1, tzinfo=UTC))
    clock.at = NOW
    late = tell(store, "fox", "food", "worms", "the fox eats worms")
    march = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    january = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 2, 1, tzinfo=UTC)}
    assert set(found(store, "fox", **march)) == {("fact", meeting), ("fact", late), ("fact", lived)}
    assert set(found(store, "fox", **january)) == {
        ("fact", early), ("fact", meeting), ("fact", lived), ("message", spoken)
    }  # fmt: skip
    april = {"since": datetime(2026, 4, 1, tzinfo=UTC)}
    assert set(found(store, "fox", **april)) == {("fact", lived)}
    assert set(found(store, "fox", until=datetime(2026, 1, 5, tzinfo=UTC))) == {("fact", lived)}


def test_a_window_alone_finds_what_lies_in_it(store: MemoryStore) -> None:
    fact = tell(store, "wren", "nest", "ivy")
    assert found(store, "what did I tell you?", since=NOW - timedelta(hours=1))[0] == ("fact", fact)
    assert found(store, "", since=NOW - timedelta(hours=1)) == [("fact", fact)]
    assert found(store, "", since=NOW + timedelta(hours=1)) == []


def test_excluded_messages_stay_away(store: MemoryStore) -> None:
    messages = talk(store, "the hare ran", "which hare?", "the brown hare")
    hidden = frozenset({messages[2].id})
    assert ("message", messages[2].id) in found(store, "hare")
    assert ("message", messages[2].id) not in found(store, "hare", exclude_messages=hidden)
    window = NOW - timedelta(hours=1)
    assert ("message", messages[2].id) not in found(store, "hare", exclude_messages=hidden, since=window)


def test_what_is_forgotten_is_gone_at_once(store: MemoryStore) -> None:
    fact = tell(store, "vole", "name", "Quixley", "the vole is called Quixley")
    assert found(store, "Quixley")
    store.forget_fact(fact, asked_by="user")
    assert found(store, "Quixley vole", state="all") == []


# --- surroundings -----------------------------------------------------------------------------------------------------


def test_a_message_comes_with_two_turns_either_side(store: MemoryStore) -> None:
    turns = talk(store, "one", "two", "three", "the stoat crossed", "five", "six", "seven")
    hit = store.search(SearchQuery("stoat", scope="conversation", limit=1))[0]
    assert hit.message_id == hit.id == turns[3].id
    assert hit.session_id == turns[3].session_id
    assert [message.content for message in hit.neighbours] == ["two", "three", "five", "six"]


def test_neighbours_stay_within_the_session(store: MemoryStore) -> None:
    talk(store, "another day", "goodbye")
    talk(store, "the stoat crossed", "did it?")
    hit = store.search(SearchQuery("stoat crossed", scope="conversation", limit=1))[0]
    assert [message.content for message in hit.neighbours] == ["did it?"]


def test_a_fact_comes_with_the_message_it_was_told_in(store: MemoryStore) -> None:
    turns = talk(store, "hello", "hi there", "my sister Ada keeps bees", "lovely")
    source = SourceSpan(message_id=turns[2].id, start=3, end=13)
    tell(store, "user sister", "name", "Ada", "my sister Ada keeps bees", sources=(source,))
    hit: Hit = store.search(SearchQuery("sister bees", scope="facts"))[0]
    assert hit.message_id == turns[2].id
    assert [message.content for message in hit.neighbours] == ["hello", "hi there", "lovely"]


# --- order and bounds -------------------------------------------------------------------------------------------------


def test_of_equals_the_newer_and_the_surer_come_first(store: MemoryStore, clock: Hands) -> None:
    clock.at = NOW - timedelta(days=400)
    old = talk(store, "the newt is in the pond")[0].id
    clock.at = NOW
    new = talk(store, "the newt is in the pond")[0].id
    assert found(store, "newt pond") == [("message", new), ("message", old)]
    doubtful = tell(store, "adder", "place one", "heath", "an adder on the heath", confidence=0.2)
    sure = tell(store, "adder", "place two", "heath", "an adder on the heath", confidence=1.0)
    assert found(store, "adder heath", scope="facts")[:2] == [("fact", sure), ("fact", doubtful)]


def test_the_limit_is_kept_and_bounded(store: MemoryStore) -> None:
    for number in range(12):
        tell(store, "hare", f"field {number}", f"corn {number}")
    assert len(found(store, "hare", limit=3)) == 3
    assert len(found(store, "hare", limit=0)) == 1
    assert len(found(store, "hare", limit=10**9)) == 12


def test_words_that_are_everywhere_still_find_something(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert RANKED_ROWS > 100
    monkeypatch.setattr(lexical, "RANKED_ROWS", 10)
    for number in range(30):
        tell(store, f"hen {number}", "place", "yard" if number != 13 else "yard and barn")
    hits = store.search(SearchQuery("the hen in the barn", scope="facts"))
    assert sum("words" in hit.channels for hit in hits) == 1  # hen is in every row and takes no part
    frequent = store.search(SearchQuery("hen yard", scope="facts"))
    assert any("words" in hit.channels for hit in frequent)


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\ud800" not in text])
def test_hostile_text_is_searched_for(store: MemoryStore, text: str) -> None:
    tell(store, "dog", "name", "Rex", "my dog is called Rex")
    talk(store, "C++ and foo-bar")
    for scope in ("facts", "conversation", "documents", "all"):
        found(store, text, scope=scope)
        found(store, text, scope=scope, subject=text, attribute=text, since=NOW)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=200),
    subject=st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    attribute=st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
    limit=st.integers(-5, 500),
    retired=st.booleans(),
)
def test_any_query_is_answered(
    store: MemoryStore, text: str, subject: str | None, attribute: str | None, limit: int, retired: bool
) -> None:
    tell(store, "dog", "name", "Rex", "my dog is called Rex")
    hits = store.search(
        SearchQuery(
            text, subject=subject, attribute=attribute, limit=limit, state="all" if retired else "current", since=NOW
        )
    )
    assert all(0.0 <= hit.score <= 1.0 for hit in hits)


# --- conversations ----------------------------------------------------------------------------------------------------


@pytest.fixture
def late_store(tmp_path: Path, clock: Hands) -> Iterator[MemoryStore]:
    """A store whose embedder has token states."""
    with MemoryStore.open(f"sqlite:///{tmp_path}/late.db", embedder=TokenEmbedder(), clock=clock) as opened:
        yield opened


def test_every_candidate_is_compared_by_late_interaction(late_store: MemoryStore) -> None:
    both, one, none = talk(late_store, "the canoe is on the lake", "a canoe", "nothing of the kind")
    hits = late_store.search(SearchQuery("canoe lake", scope="conversation"))
    late = {hit.id: hit.channels["late"] for hit in hits}
    assert late[both.id] == pytest.approx(1.0, abs=0.01) and late[both.id] > late[one.id] > late[none.id]
    assert all("dense" in hit.channels for hit in hits) and hits[0].id == both.id


def test_rows_that_wait_for_their_token_states_are_found_by_their_words(late_store: MemoryStore) -> None:
    embedder, late_store.embedder = late_store.embedder, None
    (waiting,) = talk(late_store, "the canoe is on the lake")
    late_store.embedder = embedder
    talk(late_store, "an otter", "a wren")
    hit = late_store.search(SearchQuery("canoe lake"))[0]
    assert hit.id == waiting.id and "late" not in hit.channels
    late_store.drain()
    assert "late" in late_store.search(SearchQuery("canoe lake"))[0].channels


def test_the_turns_beside_the_nearest_are_candidates(store: MemoryStore) -> None:
    talk(store, *(f"number {number} is a greyish thing" for number in range(200)))
    turns = talk(store, "hello", "it was a greyhoundd", "in spring", "lovely")
    query = SearchQuery("greyhounddd", scope="conversation")  # written so by nobody: only the vectors find it
    with store.database.read() as connection:
        question = read_question(connection, query.text, store.space_id, NOW)
        encoded = HashEmbedder().encode_query(query.text)
        pool = gather(connection, query, question, encoded, space_id=store.space_id, dense=store.dense)
    assert len(pool.channels["dense"]) == len(pool.owners) and "words" not in pool.channels
    assert {("message", turn.id) for turn in turns[:3]} <= set(pool.owners)
    assert ("message", turns[3].id) not in pool.owners


def test_of_a_bounded_search_the_turns_beside_the_nearest_are_candidates_inside_the_bounds(
    store: MemoryStore, clock: Hands
) -> None:
    session = store.start_session()
    turns = []
    for day, text in ((1, "hello"), (3, "it was a greyhoundd"), (3, "in spring")):
        clock.at = datetime(2026, 3, day, tzinfo=UTC)
        turns.append(store.add_message(session.id, "user", text).id)
    clock.at = datetime(2026, 3, 4, tzinfo=UTC)
    talk(store, *(f"number {number} is a greyish thing" for number in range(200)))
    query = SearchQuery("greyhounddd", scope="conversation", since=datetime(2026, 3, 2, tzinfo=UTC))
    with store.database.read() as connection:
        question = read_question(connection, query.text, store.space_id, NOW)
        encoded = HashEmbedder().encode_query(query.text)
        pool = gather(connection, query, question, encoded, space_id=store.space_id, dense=store.dense)
    assert ("message", turns[1]) in pool.owners and ("message", turns[2]) in pool.owners
    assert ("message", turns[0]) not in pool.owners


def test_a_search_by_words_alone_does_not_ask_the_embedder(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fact = tell(store, "boiler", "company", "Hartnell")
    monkeypatch.setattr(HashEmbedder, "encode_query", lambda self, text: pytest.fail("encoded in vain"))
    (hit,) = store.search(SearchQuery("boiler", mode="keyword"))
    assert (hit.id, set(hit.channels)) == (fact, {"words"})


def test_the_answer_beside_the_words_of_the_question_comes_before_other_turns(tmp_path: Path) -> None:
    with MemoryStore.open(f"sqlite:///{tmp_path}/words.db") as store:
        turns = talk(store, "hello", "when did you adopt the greyhound?", "on my birthday in spring", "lovely")
        talk(store, "it rained all through spring", "my aunt came", "with a cake", "for tea")
        ids = [hit.id for hit in store.search(SearchQuery("when was the greyhound adopted?", scope="conversation"))]
    assert set(ids[:3]) == {turn.id for turn in turns[:3]} and ids[0] in (turns[1].id, turns[2].id)


def test_what_the_named_speaker_said_comes_first(late_store: MemoryStore) -> None:
    session = late_store.start_session()
    said = {
        name: late_store.add_message(session.id, "user", "I planted a quince tree", speaker=name).id
        for name in ("Ana", "Bo", "Cy")
    }
    for name, message in said.items():
        assert late_store.search(SearchQuery(f"What did {name} plant?", scope="conversation"))[0].id == message
        assert found(late_store, f"{name.lower()}'s tree", scope="conversation")[0] == ("message", message)


def test_a_name_alone_is_searched_for_although_its_bearer_speaks(late_store: MemoryStore) -> None:
    session = late_store.start_session()
    late_store.add_message(session.id, "user", "hello there", speaker="Ana")
    named = late_store.add_message(session.id, "user", "my sister is called Ana", speaker="Bo")
    assert any(hit.id == named.id and hit.channels.get("words", 0) > 0 for hit in late_store.search(SearchQuery("Ana")))


def test_what_was_said_in_the_month_that_is_named_comes_first(late_store: MemoryStore, clock: Hands) -> None:
    said = {}
    for month in (4, 5, 6):
        clock.at = datetime(2025, month, 14, tzinfo=UTC)
        said[month] = talk(late_store, "I planted a quince tree")[0].id
    clock.at = NOW
    for month, name in ((4, "April"), (5, "May"), (6, "June")):
        assert found(late_store, f"What did I plant in {name} 2025?")[0] == ("message", said[month])
    assert found(late_store, "What did I plant?")[0] == ("message", said[6])


def test_words_are_asked_for_more_when_the_best_must_not_be_shown(tmp_path: Path) -> None:
    with MemoryStore.open(f"sqlite:///{tmp_path}/words.db") as store:
        hidden = [talk(store, "a quokka")[0].id for _ in range(50)]  # with no turn before or after any of them
        shown = {turn.id for turn in talk(store, *["an otter"] * 600)}
        hits = found(store, "quokka otter", exclude_messages=frozenset(hidden), limit=10)
        assert len(hits) == 10 and {message for _, message in hits} <= shown
