"""What the store keeps: sessions, messages, claims in their slots, sources, core blocks, documents, the log."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from memagent.errors import InputError, NotFoundError
from memagent.memory.documents import chunked
from memagent.memory.records import FactDraft, SearchQuery, SourceSpan
from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore
from memagent.memory.time import FixedClock
from memagent.models.hash_embedder import HashEmbedder

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONDON = FactDraft("user", "city", "London", "I live in London")
PARIS = FactDraft("user", "city", "Paris", "I moved to Paris")


def current(store: MemoryStore) -> list[str]:
    return sorted(fact.value for fact in store.facts())


def later(store: MemoryStore, **step: float) -> None:
    store.clock = FixedClock(store.clock.now() + timedelta(**step))


def test_what_was_said_comes_back_verbatim_and_in_order(store: MemoryStore, url: str) -> None:
    session = store.start_session(model="m", title=" about boilers ")
    said = [
        "Hallo \u2014 na\u00efve \U0001f600",
        "  two  spaces\nand a line ",
        "'; drop table facts; --",
        "x" * 200_000,
    ]
    for number, text in enumerate(said):
        kept = store.add_message(
            session.id, "user" if number % 2 == 0 else "assistant", text, speaker="Ann", tokens=number
        )
        assert kept == store.message(kept.id)
    store.close()
    with MemoryStore.open(url) as again:
        messages = again.messages(session.id)
        assert [message.content for message in messages] == said
        assert [(message.position, message.tokens, message.speaker) for message in messages] == [
            (number, number, "Ann") for number in range(4)
        ]
        assert again.session(session.id).title == "about boilers"
        assert again.session(session.id).messages == 4


def test_messages_are_paged_from_the_newest(store: MemoryStore) -> None:
    session = store.start_session()
    ids = [store.add_message(session.id, "user", f"message {number}").id for number in range(5)]
    assert [message.id for message in store.messages(session.id, limit=2)] == ids[3:]
    assert [message.id for message in store.messages(session.id, before=ids[3], limit=2)] == ids[1:3]


def test_events_of_a_turn_are_kept_with_its_message(store: MemoryStore) -> None:
    session = store.start_session()
    events = [{"event": "text", "text": 'h\u00e9 "you"'}, {"event": "finished", "milliseconds": 1.5}]
    message = store.add_message(session.id, "assistant", "hey", events=events[:1])
    assert list(store.message(message.id).events) == events[:1]
    store.set_events(message.id, events)
    assert list(store.message(message.id).events) == events


@pytest.mark.parametrize("call", [
    lambda store, session: store.add_message(session, "user", "  \n"),
    lambda store, session: store.add_message(session, "robot", "hello"),
    lambda store, session: store.add_message(session, "user", "half \ud800 a character"),
    lambda store, session: store.add_message(999, "user", "hello"),
    lambda store, session: store.messages(999),
    lambda store, session: store.rename_session(999, "x"),
    lambda store, session: store.delete_session(999),
    lambda store, session: store.fact(999),
    lambda store, session: store.sources(999),
    lambda store, session: store.forget_fact(999, asked_by="user"),
    lambda store, session: store.update_fact(999, "x", asked_by="user"),
    lambda store, session: store.add_fact(replace(LONDON, value=" "), asked_by="user"),
    lambda store, session: store.add_fact(replace(LONDON, kind="lie"), asked_by="user"),
    lambda store, session: store.add_fact(replace(LONDON, confidence=7.0), asked_by="user"),
    lambda store, session: store.add_fact(LONDON, asked_by="user", session_id=999),
    lambda store, session: store.add_fact(LONDON, asked_by="user", supersedes=999),
    lambda store, session: store.add_fact(replace(LONDON, sources=(SourceSpan(999),)), asked_by="user"),
    lambda store, session: store.undo(999, asked_by="user"),
    lambda store, session: store.resolve_conflict(999, "keep_both"),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_changes_nothing(store: MemoryStore, call: object) -> None:
    session = store.start_session()
    before = store.stats()
    with pytest.raises(InputError) as caught:
        call(store, session.id)  # type: ignore[operator]
    assert caught.value.message and "\n" not in caught.value.message
    assert store.stats() == before


def test_sessions_are_listed_by_the_last_word_and_found_by_what_was_said(store: MemoryStore) -> None:
    first = store.start_session(title="garden")
    later(store, minutes=1)
    second = store.start_session(title="kitchen")
    assert store.latest_session() == second
    later(store, minutes=1)
    store.add_message(first.id, "user", "100% of the roses_are red")
    assert [session.id for session in store.sessions()] == [first.id, second.id]
    assert [session.id for session in store.sessions(search="KITCHEN")] == [second.id]
    assert [session.id for session in store.sessions(search="100% of the roses_")] == [first.id]
    assert store.sessions(search="roses%are") == []
    assert store.end_session(second.id).ended_at == store.clock.now()


def test_one_slot_holds_one_current_value_and_its_history(store: MemoryStore) -> None:
    first = store.add_fact(LONDON, asked_by="model")
    later(store, days=30)
    second = store.add_fact(replace(PARIS, subject="the User", valid_from=NOW + timedelta(days=20)), asked_by="model")
    assert (first.action, second.action) == ("added", "superseded")
    assert second.before is not None and second.after is not None and second.before.value == "London"
    assert current(store) == ["Paris"]
    london, paris = store.history(second.after.id)
    assert (london.superseded_by, london.valid_to) == (paris.id, NOW + timedelta(days=20))
    assert london.retired_at == store.clock.now() and not london.current
    assert [fact.value for fact in store.facts(state="retired")] == ["London"]
    assert store.history(london.id) == [london, paris]


def test_the_same_claim_again_is_the_same_fact(store: MemoryStore) -> None:
    session = store.start_session()
    message = store.add_message(session.id, "user", "I live in London")
    draft = replace(LONDON, sources=(SourceSpan(message.id, start=10, end=16),))
    first = store.add_fact(draft, asked_by="auto").after
    for value in ("London", "london.", "  LONDON "):
        change = store.add_fact(replace(draft, value=value), asked_by="auto")
        assert change.action == "repeated"
    assert first is not None and store.fact(first.id).times_told == 4
    assert [(span.quote, said) for span, said in store.sources(first.id)] == [("London", message)]
    assert len(store.facts(state="all")) == 1


def test_several_values_of_a_slot_stand_beside_each_other(store: MemoryStore) -> None:
    for name in ("Ben", "Cleo", "Dan"):
        change = store.add_fact(FactDraft("user", "friend", name, single=False), asked_by="model")
        assert change.action == "added"
    assert current(store) == ["Ben", "Cleo", "Dan"]
    doubtful = store.add_fact(FactDraft("user", "friend", "Eve"), asked_by="model")
    assert doubtful.action == "queued"
    assert sorted(fact.value for fact in doubtful.conflicts) == ["Ben", "Cleo", "Dan"]


def test_an_event_on_another_day_is_another_event(store: MemoryStore) -> None:
    visit = FactDraft("user", "visited", "the dentist", kind="event", single=False, valid_from=NOW)
    store.add_fact(visit, asked_by="model")
    assert store.add_fact(visit, asked_by="model").action == "repeated"
    assert store.add_fact(replace(visit, valid_from=NOW + timedelta(days=90)), asked_by="model").action == "added"


def test_what_has_ended_does_not_take_the_place_of_what_holds(store: MemoryStore) -> None:
    store.add_fact(PARIS, asked_by="model")
    past = replace(LONDON, valid_from=NOW - timedelta(days=900), valid_to=NOW - timedelta(days=300))
    assert store.add_fact(past, asked_by="model").action == "added"
    assert store.add_fact(replace(PARIS, value="Rome"), asked_by="model").action == "superseded"
    assert current(store) == ["London", "Rome"]


@pytest.mark.parametrize(
    ("resolution", "left"), [("keep_both", ["London", "Paris"]), ("keep_new", ["Paris"]), ("keep_old", ["London"])]
)
def test_a_document_cannot_overrule_the_person(store: MemoryStore, resolution: str, left: list[str]) -> None:
    store.add_fact(LONDON, asked_by="user")
    change = store.add_fact(replace(PARIS, trust="document"), asked_by="import")
    assert change.action == "queued" and current(store) == ["London", "Paris"]
    (conflict,) = store.conflicts()
    assert (conflict.newer.value, conflict.older.value) == ("Paris", "London") and conflict.reason
    decision = store.resolve_conflict(conflict.id, resolution)  # type: ignore[arg-type]
    assert current(store) == left and store.conflicts() == []
    store.undo(decision.operation_id, asked_by="user")
    assert current(store) == ["London", "Paris"] and len(store.conflicts()) == 1


def test_the_person_overrules_a_document_and_raises_its_trust(store: MemoryStore) -> None:
    store.add_fact(replace(LONDON, trust="document"), asked_by="import")
    told = store.add_fact(LONDON, asked_by="user")
    assert told.after is not None and (told.action, told.after.trust) == ("repeated", "user")
    store.add_fact(replace(PARIS, attribute="town", trust="document"), asked_by="import")
    assert store.add_fact(replace(LONDON, attribute="town"), asked_by="user").action == "superseded"


def test_a_fact_is_corrected_by_id_and_stays_pinned(store: MemoryStore) -> None:
    first = store.add_fact(replace(LONDON, single=False), asked_by="model").after
    assert first is not None
    store.pin_fact(first.id, True)
    change = store.update_fact(first.id, "Leeds", asked_by="user", reason="typo")
    assert change.action == "superseded" and change.after is not None and change.after.pinned
    assert current(store) == ["Leeds"]
    with pytest.raises(InputError, match="no longer current") as caught:
        store.update_fact(first.id, "York", asked_by="user")
    assert str(change.after.id) in caught.value.hint
    assert store.update_fact(change.after.id, "Leeds", asked_by="user").action == "repeated"


def test_a_correction_to_a_claim_known_already_merges_with_it(store: MemoryStore) -> None:
    old = store.add_fact(FactDraft("user", "friend", "Bem", single=False), asked_by="model").after
    known = store.add_fact(FactDraft("user", "friend", "Ben", single=False), asked_by="model").after
    assert old is not None and known is not None
    change = store.update_fact(old.id, "Ben", asked_by="user")
    assert (change.action, change.before, current(store)) == ("superseded", old, ["Ben"])
    assert store.fact(old.id).superseded_by == known.id


def test_facts_are_filtered(store: MemoryStore) -> None:
    store.add_fact(LONDON, asked_by="model")
    later(store, days=1)
    store.add_fact(FactDraft("my boiler", "service", "Hartnell_1", kind="note"), asked_by="model")
    store.add_fact(
        FactDraft("trip", "date", "in May", kind="plan", valid_from=NOW + timedelta(days=60)), asked_by="model"
    )

    def values(**filters: object) -> list[str]:
        return [fact.value for fact in store.facts(**filters)]  # type: ignore[arg-type]

    assert values() == ["in May", "Hartnell_1", "London"]
    assert values(kind="note") == values(subject="The Boiler") == values(search="hartnell_") == ["Hartnell_1"]
    assert values(search="hart%1") == []
    assert values(until=NOW + timedelta(hours=1)) == ["London"]
    assert values(since=NOW + timedelta(days=50)) == ["in May"]
    assert values(limit=1, offset=1) == ["Hartnell_1"]


def test_core_blocks_keep_every_version(store: MemoryStore) -> None:
    assert [block.label for block in store.core_blocks()] == ["person", "plan", "scratchpad"]
    store.edit_core_block("person", "", "Name: Ann", asked_by="model")
    block = store.edit_core_block("person", "Ann", "Anne", asked_by="user")
    assert (block.content, block.version) == ("Name: Anne", 3)
    assert [version[1] for version in store.core_block_versions("person")] == ["", "Name: Ann", "Name: Anne"]
    for old, new in (("Bob", "x"), ("n", "m"), ("", "x" * 3000)):
        with pytest.raises(InputError):
            store.edit_core_block("person", old, new, asked_by="model")
    with pytest.raises(InputError, match="imported"):
        store.edit_core_block("person", "", "I am the boss", asked_by="import")
    with pytest.raises(NotFoundError):
        store.edit_core_block("secret", "", "x", asked_by="model")
    assert store.core_blocks()[0] == block


def test_a_document_is_stored_once_and_found_at_once(store: MemoryStore) -> None:
    text = "The pump is blue.\n\n" + "Nothing else here. " * 300 + "\n\nIts serial number is QX-77."
    document = store.add_document("manual", "/tmp/manual.txt", text, asked_by="user")
    assert store.add_document("again", "elsewhere", text, asked_by="user") == document
    assert [found.title for found in store.documents()] == ["manual"]
    hits = store.search(SearchQuery("serial number", scope="documents"))
    assert "QX-77" in hits[0].text and hits[0].kind == "chunk"
    store.delete_document(document, asked_by="user")
    assert store.documents() == [] and store.search(SearchQuery("serial number")) == []
    with pytest.raises(InputError):
        store.add_document("empty", "x", " \n ", asked_by="user")


@pytest.mark.parametrize("text", ["", "word", "a" * 5000, "one two " * 900, "p\n\n" * 2000, "A b. C d! " * 300])
def test_chunks_hold_the_whole_text_in_pieces_that_fit(text: str) -> None:
    pieces = chunked(text)
    assert all(0 < len(piece) <= 900 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_every_operation_is_logged_with_its_author(store: MemoryStore) -> None:
    session = store.start_session()
    change = store.add_fact(LONDON, asked_by="auto", session_id=session.id)
    searched = store.log_operation(
        "search", asked_by="model", arguments={"q": "\u00e9"}, result={"hits": []}, duration_ms=1.5
    )
    newest, oldest = store.operations()
    assert (newest.id, newest.arguments, newest.duration_ms) == (searched, {"q": "\u00e9"}, 1.5)
    assert (oldest.id, oldest.name, oldest.asked_by, oldest.session_id) == (
        change.operation_id,
        "add",
        "auto",
        session.id,
    )
    assert oldest.result is not None and oldest.result["action"] == "added"
    assert store.operations(since_id=oldest.id) == [newest]
    assert store.operations(fact_id=oldest.fact_id) == [oldest]


def test_a_space_does_not_see_into_another(store: MemoryStore, url: str) -> None:
    change = store.add_fact(LONDON, asked_by="user")
    session = store.start_session()
    with MemoryStore.open(url, space="work", embedder=HashEmbedder()) as other:
        assert other.facts() == [] and other.sessions() == [] and other.search(SearchQuery("London")) == []
        assert change.after is not None
        for call in (other.fact, other.history, other.sources):
            with pytest.raises(NotFoundError):
                call(change.after.id)
        with pytest.raises(NotFoundError):
            other.add_message(session.id, "user", "hello")
        with pytest.raises(NotFoundError):
            other.undo(change.operation_id, asked_by="user")
        assert other.spaces() == ["default", "work"]


def test_rows_written_before_the_embedder_are_queued_and_embedded_by_the_drain(url: str) -> None:
    with MemoryStore.open(url) as store:
        session = store.start_session()
        store.add_message(session.id, "user", "the boiler is loud")
        store.add_fact(LONDON, asked_by="model")
        assert store.stats()["waiting_to_embed"] == 2 and store.stats()["vectors"] == 0
        assert store.search(SearchQuery("boiler"))
        store.attach_embedder(HashEmbedder())
        store.start_background_drain()
        for _ in range(200):
            if store.stats()["vectors"] == 2:
                break
            threading.Event().wait(0.02)
        assert store.stats()["vectors"] == 2 and store.stats()["waiting_to_embed"] == 0


def test_views_read_well_in_a_shell(store: MemoryStore) -> None:
    session = store.start_session(title="t")
    store.add_message(session.id, "user", "I live in London")
    change = store.add_fact(LONDON, asked_by="model")
    store.add_fact(PARIS, asked_by="model")
    with store.database.read() as connection:
        assert rows(connection, "select value from current_facts where space = 'default'") == [("Paris",)]
        assert len(rows(connection, "select superseded_by, retired_at from fact_history")) == 2
        assert rows(connection, "select session, role, content from conversation") == [
            ("t", "user", "I live in London")
        ]
        assert rows(connection, "select id from operation_log order by id")[0] == (change.operation_id,)


def test_threads_share_a_store(store: MemoryStore) -> None:
    session, errors = store.start_session(), []

    def work(name: int) -> None:
        try:
            for number in range(15):
                store.add_message(session.id, "user", f"{name} says {number}")
                assert store.add_fact(FactDraft(f"thread {name}", f"n {number}", "x"), asked_by="auto").after
        except Exception as error:  # a thread's exception would go unseen
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [message.position for message in store.messages(session.id)] == list(range(60))
    assert len(store.facts(limit=100)) == 60
