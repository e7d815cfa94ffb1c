"""The schema, and what a person reads when the database cannot be used."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from memagent.errors import (
    InputError,
    MemagentError,
    NotFoundError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
)
from memagent.memory.database import SCHEMA_VERSION, Database, migrations_folder
from memagent.memory.records import FactDraft
from memagent.memory.statements import insert, one
from memagent.memory.store import MemoryStore
from memagent.memory.tables import metadata
from memagent.models.hash_embedder import HashEmbedder

FACT = FactDraft("user", "city", "London", "I live in London")


@pytest.fixture
def file(url: str) -> Path:
    """A store's file with one fact in it, closed."""
    with MemoryStore.open(url, embedder=HashEmbedder()) as store:
        store.add_fact(FACT, asked_by="user")
    return Path(url.removeprefix("sqlite:///"))


def one_line(error: MemagentError) -> None:
    assert error.message and error.hint and "\n" not in error.message + error.hint
    assert "Traceback" not in error.message and "sqlalche" not in error.message


def test_the_tables_are_those_of_the_migrations(url: str) -> None:
    database = Database(url)
    assert database.migrate() and not database.migrate()
    derived = ("_words", "_words_data", "_words_idx", "_words_docsize", "_words_config")

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return not (kind == "table" and name is not None and name.endswith(derived))

    with database.read() as connection:
        options = {"compare_type": True, "include_name": ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        inspector = sqlalchemy.inspect(connection)
        for table in metadata.tables.values():
            names = {check["name"] for check in inspector.get_check_constraints(table.name)}
            assert names == {
                str(check.name) for check in table.constraints if isinstance(check, sqlalchemy.CheckConstraint)
            }
            uniques = {unique["name"] for unique in inspector.get_unique_constraints(table.name) if unique["name"]}
            assert uniques == {
                str(unique.name)
                for unique in table.constraints
                if isinstance(unique, sqlalchemy.UniqueConstraint) and unique.name
            }
            sql = one(connection, "select sql from sqlite_master where name = :name", name=table.name)
            assert sql is not None
            assert ("AUTOINCREMENT" in sql[0]) == bool(table.dialect_options["sqlite"]["autoincrement"])
    database.close()


def test_the_program_knows_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION


def test_a_current_store_is_opened_without_alembic_and_numpy(file: Path) -> None:
    code = (
        "import sys; from memagent.memory.store import MemoryStore\n"
        f"with MemoryStore.open('sqlite:///{file}', create=False) as store: print(store.facts()[0].value)\n"
        "print(sorted({'alembic', 'numpy', 'chromadb', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["London", "[]"]


def test_the_file_is_for_its_owner_and_set_up_for_several_processes(file: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0
    database = Database(f"sqlite:///{file}")
    for pragma, value in {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "secure_delete": 1}.items():
        assert database.pragma(f"PRAGMA {pragma}") == [(value,)]
    database.close()
    database = Database(f"sqlite:///{file}", full_sync=True)
    assert database.pragma("PRAGMA synchronous") == [(2,)]
    database.close()


def test_a_unit_is_all_or_nothing_and_nested_units_join_it(url: str) -> None:
    database = Database(url)
    database.migrate()
    with pytest.raises(RuntimeError), database.write() as outer:
        insert(outer, "spaces", name="a", created_at="x")
        with database.write() as inner, database.read() as reader:
            assert inner is outer and reader is outer
            insert(inner, "spaces", name="b", created_at="x")
        raise RuntimeError
    with database.write() as connection:
        assert one(connection, "select count(*) from spaces") == (0,)
    database.close()


@pytest.mark.parametrize(
    "bad", ["nonsense", "mysql://u@h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory", "x://", ""]
)
def test_a_url_that_cannot_be_used_is_refused(bad: str) -> None:
    with pytest.raises(InputError) as caught:
        MemoryStore.open(bad)
    one_line(caught.value)


def test_a_missing_store_is_not_created_when_only_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        MemoryStore.open(f"sqlite:///{tmp_path}/none/memory.db", create=False)
    one_line(caught.value)
    assert not (tmp_path / "none").exists()


def test_a_missing_space_is_not_created_when_only_read(file: Path) -> None:
    with pytest.raises(NotFoundError, match="space"):
        MemoryStore.open(f"sqlite:///{file}", space="other", create=False)


@pytest.mark.parametrize(
    "content", [b"this is a text file, not a database\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        MemoryStore.open(f"sqlite:///{path}")
    one_line(caught.value)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as raw:
        raw.execute("create table alembic_version (version_num text)")
        raw.execute("insert into alembic_version values ('0001')")
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match="another program") as caught:
        MemoryStore.open(f"sqlite:///{path}")
    one_line(caught.value)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_memagent_is_left_alone(file: Path) -> None:
    with sqlite3.connect(file) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(StoreVersionError, match="newer") as caught:
        MemoryStore.open(f"sqlite:///{file}")
    one_line(caught.value)
    with sqlite3.connect(file) as raw:
        assert raw.execute("select count(*) from facts").fetchone() == (1,)


def test_a_damaged_file_is_reported(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        MemoryStore.open(f"sqlite:///{file}")
    one_line(caught.value)


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        MemoryStore.open(f"sqlite:///{tmp_path}")
    one_line(caught.value)


def test_a_store_held_by_another_process_is_waited_for(file: Path) -> None:
    holder = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    with MemoryStore.open(f"sqlite:///{file}") as store:
        store.database.busy_seconds = 0.5
        holder.execute("begin immediate")
        with pytest.raises(StoreBusyError) as caught:
            store.add_fact(FactDraft("user", "pet", "cat"), asked_by="user")
        one_line(caught.value)
        assert len(store.facts()) == 1  # reading goes on
        store.database.busy_seconds = 20
        threading.Timer(0.6, holder.execute, ["rollback"]).start()
        store.add_fact(FactDraft("user", "pet", "cat"), asked_by="user")
        assert len(store.facts()) == 2


def mount(place: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB; without the right to mount one the test is skipped."""
    place = tmp_path / "disk"
    place.mkdir()
    mount(place, "size=2m")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def frozen(file: Path) -> Iterator[Path]:
    """The file in a folder that cannot be written; for root, whom permissions do not stop, a read-only file system."""
    if os.geteuid() != 0:
        file.chmod(0o444)
        file.parent.chmod(0o555)
        yield file
        file.parent.chmod(0o755)
        return
    place = file.parent.with_name("frozen")
    place.mkdir()
    mount(place, "size=4m")
    shutil.copy(file, place)
    mount(place, "remount,ro")
    yield place / file.name
    subprocess.run(["umount", str(place)], check=True)


def test_a_read_only_folder_is_reported(frozen: Path) -> None:
    before = frozen.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreReadOnlyError) as caught:
            MemoryStore.open(f"sqlite:///{frozen}", create=create)
        one_line(caught.value)
    with pytest.raises(StoreReadOnlyError) as caught:
        MemoryStore.open(f"sqlite:///{frozen.parent / 'new' / 'memory.db'}")
    one_line(caught.value)
    assert frozen.read_bytes() == before


def test_a_read_only_connection_can_read_but_not_write(file: Path) -> None:
    with MemoryStore.open(f"sqlite:///{file}") as store:
        store.database.pragma("PRAGMA query_only = on")
        with pytest.raises(StoreReadOnlyError) as caught:
            store.add_fact(FactDraft("user", "pet", "cat"), asked_by="user")
        one_line(caught.value)
        assert len(store.facts()) == 1
        store.database.pragma("PRAGMA query_only = off")


def fill(store: MemoryStore) -> int:
    """Write until there is no more room; how many messages were acknowledged."""
    session = store.start_session()
    for number in range(10_000):
        try:
            store.add_message(session.id, "user", f"{number} " + "many words " * 400)
        except StoreFullError as error:
            one_line(error)
            return number
    raise AssertionError("the disk never filled up")


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk / 'memory.db'}"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 500_000)
    with MemoryStore.open(url) as store:
        written = fill(store)
        assert written > 5
        session = store.sessions()[0]
        assert [message.position for message in store.messages(session.id)] == list(range(written))
        ballast.unlink()
        assert store.add_message(session.id, "user", "there is room again").position == written
    with MemoryStore.open(url) as store:
        assert len(store.messages(store.sessions()[0].id)) == written + 1


def test_a_full_database_file_loses_nothing_that_was_acknowledged(url: str) -> None:
    with MemoryStore.open(url) as store:
        store.database.pragma("PRAGMA max_page_count = 300")
        written = fill(store)
        assert written > 5 and store.stats()["messages"] == written
