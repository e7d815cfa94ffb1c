"""Forgetting, proven on the bytes of the whole data directory."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection
from pathlib import Path

import pytest

from memagent.errors import InputError, NotFoundError
from memagent.memory.base import content_hash, passage_of
from memagent.memory.maintenance import check
from memagent.memory.records import FactDraft, MemoryChange, SearchQuery, SourceSpan
from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.token_embedder import TokenEmbedder

SECRET = "Quizzledorf"  # begins like no other word here, so that the full text cannot hide it behind a shared prefix
STEM = "quizzledorf"


def files_with(folder: Path, *needles: str) -> list[str]:
    """The files under `folder` that hold any of the needles, in any case."""
    found = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes().lower() if path.is_file() else b""
        found += [f"{path.name}: {needle}" for needle in needles if needle.lower().encode() in data]
    return found


def tell(store: MemoryStore, session: int, text: str, subject: str, attribute: str, value: str) -> MemoryChange:
    message = store.add_message(session, "user", text)
    span = SourceSpan(message.id, start=text.index(value), end=text.index(value) + len(value))
    return store.add_fact(
        FactDraft(subject, attribute, value, text, sources=(span,)), asked_by="auto", session_id=session
    )


def test_nothing_of_a_forgotten_fact_is_left_in_the_data_directory(store: MemoryStore, tmp_path: Path) -> None:
    session = store.start_session(title=f"About {SECRET}").id
    first = tell(store, session, f"My bank's password is {SECRET}, the cat is Tom", "bank", "password", SECRET)
    assert first.after is not None
    later = store.update_fact(first.after.id, "Xylophonist9", asked_by="user", text="it is Xylophonist9 now")
    events = [{"event": "finished", "reply": f'Noted: "{SECRET}" and xylophonist9'}]
    store.add_message(session, "assistant", f"Noted, {SECRET.upper()}'s kept.", events=events)
    other = store.start_session().id
    store.add_message(other, "user", f"what about {SECRET}?")
    store.add_fact(FactDraft("cat", "name", "Tom", f"the password is {SECRET}, the cat is Tom"), asked_by="auto")
    store.edit_core_block("scratchpad", "", f"password {SECRET}", asked_by="model")
    store.edit_core_block("scratchpad", f"password {SECRET}", "has a password", asked_by="model")
    hits = {"hits": [{"text": f"password: {SECRET}", "score": 0.5}]}
    store.log_operation("search", asked_by="model", arguments={"query": SECRET}, result=hits)
    assert files_with(tmp_path / "data", SECRET)
    assert later.after is not None
    change = store.forget_fact(later.after.id, asked_by="user")
    assert change.action == "forgotten" and change.before == later.after
    assert files_with(tmp_path / "data", SECRET, STEM, "Xylophonist9") == []
    assert not store.scrub_pending()
    assert [message.content for message in store.messages(session)] == [
        "My bank's password is [forgotten], the cat is Tom",
        "Noted, [forgotten]'s kept.",
    ]
    assert store.messages(other)[0].content == "what about [forgotten]?"
    assert [fact.text for fact in store.facts(state="all")] == ["the password is [forgotten], the cat is Tom"]
    assert store.search(SearchQuery(SECRET, scope="facts")) == [] or all(
        SECRET not in hit.text for hit in store.search(SearchQuery(SECRET))
    )
    store.drain()
    assert files_with(tmp_path / "data", SECRET, STEM, "Xylophonist9") == []


def test_the_full_text_index_holds_no_term_of_it(store: MemoryStore, tmp_path: Path) -> None:
    session = store.start_session().id
    for number in range(300):
        store.add_message(session, "user", f"quiz number {number} quizzical {'question' * (number % 5)}")
    fact = tell(store, session, f"the code word is {SECRET}", "code", "word", SECRET).after
    assert fact is not None
    store.forget_fact(fact.id, asked_by="user")
    with sqlite3.connect(tmp_path / "data" / "memory.db") as raw:
        for words in ("fact_words", "message_words", "chunk_words"):
            raw.execute(f"create virtual table temp.{words}_terms using fts5vocab(main, '{words}', row)")
            terms = {row[0] for row in raw.execute(f"select term from {words}_terms")}
            assert not {term for term in terms if term.startswith("quizzl")}
            blocks = b"".join(row[0] for row in raw.execute(f"select block from {words}_data"))
            assert b"zledorf" not in blocks  # what is left of the term behind a shared prefix
            raw.execute(f"insert into {words}({words}) values ('integrity-check')")


def test_rows_vectors_queue_and_sources_go_and_a_tombstone_stays(store: MemoryStore) -> None:
    session = store.start_session().id
    change = tell(store, session, f"the code is {SECRET}", "door", "code", SECRET)
    fact = change.after
    assert fact is not None
    forgotten = store.forget_fact(fact.id, asked_by="user")
    with store.database.read() as connection:
        for table in ("facts", "fact_sources"):
            assert rows(connection, f"select * from {table}") == []
        assert rows(connection, "select * from vectors where owner_kind = 'fact'") == []
        assert rows(connection, "select action from index_queue where owner_kind = 'fact'") == [("delete",)]
        (stone,) = rows(connection, "select owner_kind, owner_id, asked_by from tombstones")
        assert tuple(stone) == ("fact", fact.id, "user")
    logged = store.operation(change.operation_id)
    assert (logged.arguments, logged.result) == ({}, {"forgotten": True})
    with pytest.raises(NotFoundError) as caught:
        store.fact(fact.id)
    assert "forgotten" in caught.value.hint
    for operation in (forgotten.operation_id, change.operation_id):
        with pytest.raises(InputError):
            store.undo(operation, asked_by="user")


def test_an_ordinary_word_stays_where_it_means_something_else(store: MemoryStore) -> None:
    session = store.start_session().id
    for thing in ("sky", "sea", "fence", "door", "car", "house"):
        store.add_message(session, "user", f"the {thing} is blue")
    fact = tell(store, session, "my favourite colour is blue", "user", "favourite colour", "blue").after
    store.add_message(session, "assistant", "So blue it is.")
    other = store.start_session().id
    store.add_message(other, "assistant", "Your favourite colour is blue.")
    assert fact is not None
    change = store.forget_fact(fact.id, asked_by="user")
    said = [message.content for message in store.messages(session)]
    assert said[:6] == [f"the {thing} is blue" for thing in ("sky", "sea", "fence", "door", "car", "house")]
    assert said[6:] == ["my favourite colour is [forgotten]", "So [forgotten] it is."]
    assert store.messages(other)[0].content == "Your favourite colour is [forgotten]."
    result = store.operation(change.operation_id).result
    assert result is not None and (result["kept_mentions"], result["messages"]) == (6, 3)


def test_other_facts_of_the_same_message_keep_their_words(store: MemoryStore) -> None:
    session = store.start_session().id
    text = "Call me Quizzledorf, I was born in Oslo and my dog is Rex"
    message = store.add_message(session, "user", text)

    def add(subject: str, attribute: str, value: str) -> int:
        span = SourceSpan(message.id, start=text.index(value), end=text.index(value) + len(value))
        fact = store.add_fact(FactDraft(subject, attribute, value, text, sources=(span,)), asked_by="auto").after
        assert fact is not None
        return fact.id

    name, dog, town = add("user", "name", "Quizzledorf"), add("dog", "name", "Rex"), add("user", "birthplace", "Oslo")
    store.forget_fact(name, asked_by="user")
    store.forget_fact(town, asked_by="user")
    left = "Call me [forgotten], I was born in [forgotten] and my dog is Rex"
    assert store.message(message.id).content == left
    ((span, said),) = store.sources(dog)
    assert said is not None and said.content[span.start : span.end] == span.quote == "Rex"
    assert store.fact(dog).text == left


def test_a_word_that_another_fact_claims_stays_where_that_was_told(store: MemoryStore) -> None:
    session = store.start_session().id
    item = tell(store, session, "put eggs on the list", "user", "shopping list", "eggs").after
    allergy = tell(store, session, "theo's allergic to eggs", "theo", "allergy", "eggs").after
    store.add_message(session, "assistant", "Noted: theo is allergic to eggs.")
    store.add_message(session, "user", "take eggs off the list")
    assert item is not None and allergy is not None
    change = store.forget_fact(item.id, asked_by="user")
    assert [message.content for message in store.messages(session)] == [
        "put [forgotten] on the list",
        "theo's allergic to eggs",
        "Noted: theo is allergic to eggs.",
        "take [forgotten] off the list",
    ]
    assert store.facts() == [allergy]
    result = store.operation(change.operation_id).result
    assert result is not None and result["also_in"] == [allergy.id]


def test_a_value_that_another_fact_claims_too_is_reported(store: MemoryStore) -> None:
    one = store.add_fact(FactDraft("Ann", "employer", "Hartnell"), asked_by="user").after
    two = store.add_fact(FactDraft("Hartnell", "town", "Leeds"), asked_by="user").after
    assert one is not None and two is not None
    change = store.forget_fact(one.id, asked_by="user")
    result = store.operation(change.operation_id).result
    assert result is not None and result["also_in"] == [two.id]
    assert store.facts() == [two]


def test_a_deleted_session_leaves_nothing_but_its_facts(store: MemoryStore, tmp_path: Path) -> None:
    session = store.start_session(title="Zebrafish").id
    fact = tell(store, session, "the Wolverhampton office opens at nine", "office", "opening", "nine").after
    store.log_operation("search", asked_by="model", arguments={"q": "Wolverhampton"}, result={}, session_id=session)
    assert fact is not None
    store.delete_session(session)
    assert store.sessions() == [] and store.sources(fact.id) == []
    assert store.fact(fact.id).value == "nine"
    assert files_with(tmp_path / "data", "Zebrafish") == []
    with store.database.read() as connection:
        assert rows(connection, "select * from messages") == []
        assert rows(connection, "select * from vectors where owner_kind = 'message'") == []
        assert rows(connection, "select * from operations where arguments like '%Wolverhampton%'") == []


def test_bytes_held_back_by_a_reader_go_when_the_store_closes(url: str, tmp_path: Path) -> None:
    store = MemoryStore.open(url, embedder=HashEmbedder())
    fact = tell(store, store.start_session().id, f"the code is {SECRET}", "door", "code", SECRET).after
    assert fact is not None
    reader = sqlite3.connect(tmp_path / "data" / "memory.db", isolation_level=None)
    reader.execute("begin")
    reader.execute("select count(*) from facts").fetchone()
    store.forget_fact(fact.id, asked_by="user")
    assert store.scrub_pending() and store.stats()["scrub_pending"] == 1
    reader.close()
    store.close()
    assert files_with(tmp_path / "data", SECRET, STEM) == []
    with MemoryStore.open(url) as again:
        assert not again.scrub_pending() and again.facts(state="all") == []


def test_bytes_that_a_reader_keeps_while_the_file_is_rewritten_are_not_taken_for_gone(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin_reading(self: MemoryStore, gone: Collection[str]) -> bool:
        reader.execute("begin")
        reader.execute("select count(*) from facts").fetchone()
        return True

    monkeypatch.setattr("memagent.memory.forget.SCRUB_SECONDS", 0.05)
    with MemoryStore.open(url, embedder=HashEmbedder()) as store:
        reader = sqlite3.connect(tmp_path / "data" / "memory.db", isolation_level=None)
        fact = tell(store, store.start_session().id, f"the code is {SECRET}", "door", "code", SECRET).after
        assert fact is not None
        monkeypatch.setattr(MemoryStore, "_in_file", begin_reading)
        store.forget_fact(fact.id, asked_by="user")
        assert store.scrub_pending()
        reader.close()
        assert store.finish_scrub() and not store.scrub_pending()
    assert files_with(tmp_path / "data", SECRET, STEM) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Kim", "KIM"),
        ("Kim", "\u212aim"),  # the Kelvin sign
        ("Kirsiski", "\u212a\u0131r\u017f\u0130ski"),
        ("Śliwiński", "śLIWIŃSKI"),
        ("東京タワー", "東京タワー"),
        ("\u017fkiing", "skiing"),
        ('50%_off! "Kö\\x"', '50%_OFF! "kÖ\\X"'),
        ("Kim von Berg", "kim\tVON\n berg"),
    ],
)
def test_a_claim_is_found_in_every_spelling_that_is_taken_out(store: MemoryStore, value: str, said: str) -> None:
    session = store.start_session().id
    fact = tell(store, session, f"the word is {value} now", "door", "word", value).after
    other = store.start_session(title=f"about {said}").id
    reply = store.add_message(other, "assistant", f"so {said}.", events=[{"event": "finished", "reply": f"<{said}>"}])
    logged = store.log_operation("search", asked_by="model", arguments={"query": f"{said}?"}, result={"hits": [said]})
    store.add_message(other, "user", "Kimberley skis in Łódź")
    assert fact is not None
    store.forget_fact(fact.id, asked_by="user")
    message = store.message(reply.id)
    assert message.content == "so [forgotten]."
    assert message.events == ({"event": "finished", "reply": "<[forgotten]>"},)
    operation = store.operation(logged)
    assert (operation.arguments, operation.result) == ({"query": "[forgotten]?"}, {"hits": ["[forgotten]"]})
    assert store.session(other).title == "about [forgotten]"
    assert [message.content for message in store.messages(other)][1:] == ["Kimberley skis in Łódź"]


@pytest.mark.parametrize("seed", range(3))
def test_no_copy_of_a_moved_row_is_left_in_a_page(url: str, tmp_path: Path, seed: int) -> None:
    """Rows move when their page is split; secure_delete does not wipe the place that they left."""
    chance = random.Random(seed)
    with MemoryStore.open(url, embedder=HashEmbedder(32)) as store:
        facts = {}
        for number in range(150):
            secret = f"Q{chance.randrange(10**9):09d}z"
            change = store.add_fact(
                FactDraft(f"thing {number}", "code", secret, "pad " * chance.randrange(300)), asked_by="auto"
            )
            assert change.after is not None
            facts[change.after.id] = secret
        for fact_id in chance.sample(sorted(facts), 3):
            store.forget_fact(fact_id, asked_by="user")
            assert files_with(tmp_path / "data", facts.pop(fact_id)) == []
        assert all(store.fact(fact_id).value == secret for fact_id, secret in facts.items())


def test_forgetting_takes_the_token_states_and_what_was_said_next_is_embedded_anew(url: str, tmp_path: Path) -> None:
    with MemoryStore.open(url, embedder=TokenEmbedder()) as store:
        session = store.start_session().id
        fact = tell(store, session, f"the code is {SECRET}", "door", "code", SECRET).after
        assert fact is not None
        answer = store.add_message(session, "assistant", "noted, I will keep it")
        store.add_message(session, "user", "thanks")
        before = states_of(store)
        assert set(before) == {("fact", fact.id), ("message", 1), ("message", 2), ("message", 3)}
        store.forget_fact(fact.id, asked_by="user")
        assert set(states_of(store)) == {("message", 3)}  # the second was read in the light of the first
        data = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert before["fact", fact.id][0] not in data and before["message", 1][0] not in data
        assert before["message", 3][0] in data
        store.drain()
        after = states_of(store)
        assert set(after) == {("message", number) for number in (1, 2, 3)}
        assert after["message", 3] == before["message", 3]
        assert after["message", 1][1] == content_hash(passage_of("the code is [forgotten]"))
        assert after["message", 2][1] == content_hash(passage_of(answer.content, "the code is [forgotten]"))
        assert check(store).problems == ()
        store.delete_session(session)
        assert states_of(store) == {}


def test_the_token_states_of_a_document_go_with_it(url: str) -> None:
    with MemoryStore.open(url, embedder=TokenEmbedder()) as store:
        document = store.add_document("d", "d.txt", f"the code is {SECRET}", asked_by="user")
        assert set(states_of(store)) == {("chunk", 1)}
        store.delete_document(document, asked_by="user")
        assert states_of(store) == {}


def states_of(store: MemoryStore) -> dict[tuple[str, int], tuple[bytes, str]]:
    """Token states and the identity of what they were made of, by row; every state has its vector."""
    with store.database.read() as connection:
        (orphans,) = rows(
            connection, "select count(*) from token_states where vector_id not in (select id from vectors)"
        )
        sql = (
            "select owner_kind, owner_id, token_states.data, content_hash from vectors"
            " join token_states on vector_id = vectors.id"
        )
        assert orphans == (0,)
        return {(row[0], row[1]): (bytes(row[2]), row[3]) for row in rows(connection, sql)}
