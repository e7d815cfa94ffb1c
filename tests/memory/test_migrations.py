"""Stores of earlier schemas keep all they hold."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from memagent.memory.base import content_hash, passage_of
from memagent.memory.database import KNOWN_VERSIONS, SCHEMA_VERSION, Database, migrations_folder
from memagent.memory.maintenance import check, reindex
from memagent.memory.records import SearchQuery
from memagent.memory.statements import insert, rows
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.token_embedder import TokenEmbedder

SAID = "2026-03-02T09:00:00.000000Z"
TURNS = ("the boiler is serviced by Hartnell", "noted", "and the roof by Vaillant")


def make_first(database: Database) -> None:
    """A database of the first schema with one space, one session, three messages, a fact, and vectors of an earlier
    embedder."""
    vectors = HashEmbedder(16).embed([*TURNS, "boiler serviced by Hartnell"])
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        space = insert(connection, "spaces", name="default", created_at=SAID)
        session = insert(connection, "sessions", space_id=space, title="old", model="builtin", started_at=SAID)
        owners = []
        for position, text in enumerate(TURNS):
            message = insert(
                connection, "messages", session_id=session, space_id=space, position=position,
                role="assistant" if position == 1 else "user", speaker="", content=text, tokens=0, created_at=SAID,
            )  # fmt: skip
            owners.append(("message", message))
        fact = insert(
            connection, "facts", space_id=space, kind="fact", subject="boiler", attribute="serviced by",
            value="Hartnell", text=TURNS[0], slot="boiler|serviced by", claim_hash="0" * 64, single=True,
            recorded_at=SAID, confidence=1.0, trust="user", times_told=1, pinned=False,
        )  # fmt: skip
        for (kind, owner), vector in zip([*owners, ("fact", fact)], vectors, strict=True):
            insert(
                connection, "vectors", space_id=space, owner_kind=kind, owner_id=owner, model="old-embedder",
                dimension=16, content_hash="0" * 64, data=vector.tobytes(),
            )  # fmt: skip


@pytest.fixture
def old(url: str) -> Path:
    """The file of a store of the first schema, closed."""
    database = Database(url)
    make_first(database)
    database.close()
    path = Path(url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as raw:
        assert raw.execute("select version_num from alembic_version").fetchall() == [("0001",)]
        assert raw.execute("select name from sqlite_master where name = 'token_states'").fetchall() == []
    return path


def test_every_schema_that_was_ever_released_is_known() -> None:
    names = sorted(path.name.partition("_")[0] for path in (migrations_folder() / "versions").glob("0*.py"))
    assert sorted(KNOWN_VERSIONS) == names and names[-1] == SCHEMA_VERSION


def test_a_store_of_the_first_schema_keeps_all_it_holds(old: Path, url: str) -> None:
    with MemoryStore.open(url, embedder=TokenEmbedder()) as store:
        assert [message.content for message in store.messages(1)] == list(TURNS)
        assert [fact.value for fact in store.facts()] == ["Hartnell"]
        assert store.database.schema_version() == SCHEMA_VERSION
        assert {hit.id for hit in store.search(SearchQuery("who services the boiler?", scope="facts"))} == {1}
        store.drain()  # all is embedded anew, with token states
        with store.database.read() as connection:
            made = rows(connection, "select model, owner_kind, owner_id, content_hash from vectors order by owner_id")
            assert rows(connection, "select count(*) from token_states") == [(4,)]
        assert {row[0] for row in made} == {TokenEmbedder().name}
        assert content_hash(passage_of(TURNS[2], TURNS[1])) in {row[3] for row in made}
        assert "late" in store.search(SearchQuery("boiler"))[0].channels
        assert check(store).problems == ()
        assert reindex(store).problems == ()


def test_an_embedder_without_token_states_serves_as_well(old: Path, url: str) -> None:
    with MemoryStore.open(url, embedder=HashEmbedder()) as store:
        store.drain()
        assert check(store).counts["token_states"] == 0 and check(store).problems == ()
        assert store.search(SearchQuery("boiler"))


def test_a_change_of_embedder_replaces_vectors_and_states(url: str) -> None:
    for embedder in (TokenEmbedder(64), TokenEmbedder(32), HashEmbedder()):
        with MemoryStore.open(url, embedder=embedder) as store:
            if not store.sessions():
                store.add_message(store.start_session().id, "user", TURNS[0])
            store.drain()
            with store.database.read() as connection:
                (vector,) = rows(connection, "select id, model, dimension from vectors")
                states = rows(connection, "select vector_id from token_states")
            assert vector[1:] == (embedder.name, embedder.dimension)
            assert states == ([(vector[0],)] if embedder.token_dimension else [])


def test_the_commands_that_read_take_an_old_store(old: Path) -> None:
    for command_line, version in (("sql", "0001"), ("memories", SCHEMA_VERSION)):  # the first looks at what is there
        arguments = [command_line, "select value from current_facts" if command_line == "sql" else "list"]
        call = [sys.executable, "-m", "memagent", "--store", f"sqlite:///{old}", *arguments]
        result = subprocess.run(call, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert "Hartnell" in result.stdout
        with sqlite3.connect(old) as raw:
            assert raw.execute("select version_num from alembic_version").fetchall() == [(version,)]
