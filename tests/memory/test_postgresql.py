"""The same store on PostgreSQL, started for these tests from whatever server binaries the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from memagent.errors import InputError, NotFoundError, StoreError, StoreVersionError
from memagent.memory import lexical
from memagent.memory.database import Database
from memagent.memory.maintenance import check
from memagent.memory.records import FactDraft, SearchQuery, SourceSpan
from memagent.memory.statements import rows, run
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.test_migrations import TURNS, make_first
from tests.memory.token_embedder import TokenEmbedder

PORT = "54329"


def _binary(name: str) -> str | None:
    places = [Path("/usr/local/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    return shutil.which(name) or next((str(place / name) for place in places if (place / name).exists()), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server's data base; the server listens on a socket in its own folder only."""
    initdb, control = _binary("initdb"), _binary("pg_ctl")
    if initdb is None or control is None:
        pytest.skip("no PostgreSQL server binaries (initdb, pg_ctl) on this machine")
    folder = tempfile.mkdtemp(prefix="memagent-pg-", dir="/tmp")
    account = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if account is not None:
        shutil.chown(folder, account)

    def call(*command: str) -> None:
        subprocess.run(command, check=True, user=account, cwd=folder, stdout=subprocess.DEVNULL)

    data = f"{folder}/data"
    call(initdb, "-D", data, "-A", "trust", "-U", "memagent", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -p {PORT} -c fsync=off"
    call(control, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
    yield f"postgresql://memagent@/postgres?host={folder}&port={PORT}"
    call(control, "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def store(server: str) -> Iterator[MemoryStore]:
    with MemoryStore.open(server, embedder=HashEmbedder()) as opened:
        with opened.database.write() as connection:
            tables = (
                "spaces, sessions, messages, facts, fact_sources, core_blocks, core_block_versions, documents, chunks, "
                "operations, conflicts, vectors, token_states, index_queue, tombstones"
            )
            run(connection, f"truncate {tables} restart identity")
            run(connection, "insert into spaces (name, created_at) values ('default', '2026-01-01T00:00:00.000000Z')")
        yield opened


def test_what_was_said_and_claimed_is_kept_and_found(store: MemoryStore) -> None:
    session = store.start_session(title="t")
    text = "It's the caf\u00e9's dog: Biscuit 100% \U0001f600"
    message = store.add_message(session.id, "user", text, events=[{"event": "text", "text": "h\u00e9"}])
    span = SourceSpan(message.id, start=text.index("Biscuit"), end=text.index("Biscuit") + 7)
    change = store.add_fact(FactDraft("dog", "name", "Biscuit", text, sources=(span,)), asked_by="auto")
    assert store.messages(session.id) == [message] and message.events == ({"event": "text", "text": "h\u00e9"},)
    assert change.after is not None and store.fact(change.after.id) == change.after
    ((source, said),) = store.sources(change.after.id)
    assert (source.quote, said) == ("Biscuit", message)
    found = store.search(SearchQuery("what is the dog called?"))
    assert {(hit.kind, hit.id) for hit in found} == {("message", message.id), ("fact", change.after.id)}
    for hostile in ("what's", "C++", '"', "NEAR(", "a & b | !c", "%", "'; drop table facts"):
        store.search(SearchQuery(hostile))
    assert store.sessions(search="BISCUIT 100%")[0].messages == 1
    assert store.facts(search="bisc", subject="The dog") == [change.after]
    assert store.stats()["facts"] == 1 and store.operations()[0].arguments["value"] == "Biscuit"


def test_supersede_conflict_undo_pin_and_core_blocks(store: MemoryStore) -> None:
    first = store.add_fact(FactDraft("user", "city", "London"), asked_by="user")
    second = store.add_fact(FactDraft("user", "city", "Paris"), asked_by="user")
    assert first.after is not None and second.after is not None
    assert [fact.value for fact in store.history(second.after.id)] == ["London", "Paris"]
    undone = store.undo(second.operation_id, asked_by="user")
    assert [fact.value for fact in store.facts()] == ["London"]
    store.undo(undone.operation_id, asked_by="user")
    assert store.pin_fact(second.after.id, True).pinned and store.facts()[0].pinned
    store.undo(store.operations(limit=1)[0].id, asked_by="user")
    doubtful = store.add_fact(FactDraft("user", "city", "Rome", trust="document"), asked_by="import")
    assert doubtful.action == "queued"
    store.resolve_conflict(store.conflicts()[0].id, "keep_old")
    assert [(fact.value, fact.pinned) for fact in store.facts()] == [("Paris", False)]
    store.edit_core_block("person", "", "Ann", asked_by="model")
    store.undo(store.operations(limit=1)[0].id, asked_by="user")
    assert store.core_blocks()[0].content == ""


def test_forgetting_leaves_no_row_that_says_it(store: MemoryStore) -> None:
    session = store.start_session(title="Quizzledorf?")
    message = store.add_message(session.id, "user", "the code is Quizzledorf", events=[{"text": "Quizzledorf"}])
    draft = FactDraft("door", "code", "Quizzledorf", sources=(SourceSpan(message.id, start=12, end=23),))
    fact = store.add_fact(draft, asked_by="auto").after
    store.edit_core_block("plan", "", "use Quizzledorf", asked_by="model")
    store.log_operation("search", asked_by="model", arguments={"q": "Quizzledorf"}, result=None)
    assert fact is not None
    store.forget_fact(fact.id, asked_by="user")
    assert store.message(message.id).content == "the code is [forgotten]"
    with store.database.read() as connection:
        names = rows(connection, "select tablename from pg_tables where schemaname = current_schema()")
        for (table,) in names:
            dump = "\n".join(str(row) for row in rows(connection, f"select * from {table}"))
            assert "quizzledorf" not in dump.lower(), table
    with pytest.raises(NotFoundError):
        store.fact(fact.id)
    store.drain()
    store.delete_session(session.id)
    assert store.sessions() == []


def test_token_states_neighbours_speakers_and_months(store: MemoryStore, server: str) -> None:
    embedder = TokenEmbedder()
    store.attach_embedder(embedder)
    session = store.start_session()
    turns = [
        store.add_message(session.id, "user", text, speaker=speaker)
        for speaker, text in (
            ("Ana", "hello there"),
            ("Bo", "when did you adopt the greyhound?"),
            ("Ana", "on my birthday"),
            ("Ana", "I planted a quince tree"),
            ("Bo", "I planted a quince tree"),
        )
    ]
    found = store.search(SearchQuery("greyhound adopted", scope="conversation"))
    assert found[0].id == turns[1].id and found[0].channels["late"] > 0.5
    assert {"late", "dense"} <= set(found[1].channels) and turns[2].id in {hit.id for hit in found}
    for speaker, turn in (("Ana", turns[3]), ("Bo", turns[4])):
        assert store.search(SearchQuery(f"what did {speaker} plant in 2026?", scope="conversation"))[0].id == turn.id
    fact = store.add_fact(
        FactDraft("dog", "kind", "greyhound", sources=(SourceSpan(turns[1].id, start=23, end=32),)), asked_by="auto"
    ).after
    assert fact is not None
    store.forget_fact(fact.id, asked_by="user")
    with store.database.read() as connection:
        left = "select owner_id from vectors join token_states on vector_id = vectors.id order by 1"
        assert rows(connection, left) == [(turns[number].id,) for number in (0, 3, 4)]
        assert rows(connection, "select count(*) from vectors") == [(3,)]
    store.drain()
    assert check(store).counts["token_states"] == 5 and check(store).problems == ()


def test_words_are_found_in_the_sessions_of_a_long_life(store: MemoryStore) -> None:
    with store.database.write() as connection:
        run(connection, "select setval('sessions_id_seq', 2000000000)")
    session = store.start_session()
    assert session.id > 2_000_000_000
    message = store.add_message(session.id, "user", "the heron came")
    store.add_message(session.id, "user", "and went")
    hits = store.search(SearchQuery("heron", scope="conversation"))
    assert hits[0].id == message.id and hits[0].channels["words"] > 0 and len(hits) == 2


def test_words_that_are_everywhere_still_find_something(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "RANKED_ROWS", 9)
    session = store.start_session()
    for number in range(25):
        store.add_message(session.id, "user", "hen and barn" if number in (2, 20) else "hen")
    for _ in range(10):
        store.add_message(session.id, "user", "barn")
    store.embedder = None
    hits = store.search(SearchQuery("hen barn", scope="conversation", limit=2))
    assert {hit.text for hit in hits} == {"hen and barn"}


def test_a_store_of_the_first_schema_keeps_all_it_holds(store: MemoryStore, server: str) -> None:
    with store.database.write() as connection:
        run(connection, "create schema first")
    url = f"{server}&options=-csearch_path%3Dfirst"
    database = Database(url)
    make_first(database)
    database.close()
    with MemoryStore.open(url, embedder=TokenEmbedder()) as old:
        old.drain()
        assert [message.content for message in old.messages(1)] == list(TURNS)
        assert old.search(SearchQuery("who services the boiler?", scope="facts"))[0].text == TURNS[0]
        assert check(old).counts["token_states"] == 4 and check(old).problems == ()
    with store.database.write() as connection:
        run(connection, "drop schema first cascade")


def test_documents_and_long_messages(store: MemoryStore) -> None:
    document = store.add_document("manual", "m.txt", "The pump is blue. " * 200 + "Serial QX77.", asked_by="user")
    assert "QX77" in store.search(SearchQuery("serial QX77", scope="documents"))[0].text
    store.delete_document(document, asked_by="user")
    session = store.start_session()
    long = "".join(f"word{number} " for number in range(300_000))
    assert store.add_message(session.id, "user", long).content == long


def test_writers_of_several_connections_do_not_collide(store: MemoryStore, server: str) -> None:
    session, errors = store.start_session(), []

    def work(name: int) -> None:
        try:
            with MemoryStore.open(server) as mine:
                for number in range(15):
                    mine.add_message(session.id, "user", f"{name} says {number}")
                    mine.add_fact(FactDraft("user", "city", f"town {name} {number}"), asked_by="auto")
        except Exception as error:  # a thread's exception would go unseen
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [message.position for message in store.messages(session.id)] == list(range(60))
    assert len(store.facts(limit=100)) == 1 and len(store.facts(state="retired", limit=100)) == 59


def test_a_server_that_cannot_be_used_is_reported_in_one_line(store: MemoryStore, server: str) -> None:
    with pytest.raises(StoreError) as caught:
        MemoryStore.open(f"postgresql://nobody@/none?host=/nowhere&port={PORT}")
    assert "reached" in caught.value.message and "\n" not in caught.value.message
    with pytest.raises(InputError):
        store.add_fact(FactDraft("user", "city", "London"), asked_by="user", session_id=999)
    with store.database.write() as connection:
        run(connection, "create schema foreign_program")
        run(connection, "create table foreign_program.things (id integer)")
    with pytest.raises(StoreVersionError, match="another program"):
        MemoryStore.open(f"{server}&options=-csearch_path%3Dforeign_program")
    with store.database.write() as connection:
        run(connection, "drop schema foreign_program cascade")
