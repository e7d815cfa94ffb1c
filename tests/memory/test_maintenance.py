"""`db check` finds what is wrong, `db reindex` heals what is derived."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memagent.errors import StoreError
from memagent.memory.maintenance import check, reindex
from memagent.memory.records import FactDraft, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.test_index import fill, keeper_of, open_store

_SOURCE = "(fact_id, message_id, span_start, span_end, quote)"
_ALL_VECTORS = "select id, owner_kind, owner_id, data from vectors order by id"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    with open_store(tmp_path, threshold=1000) as opened:
        fill(opened, 6)
        session = opened.start_session()
        opened.add_message(session.id, "user", "the otter is back")
        opened.add_message(session.id, "assistant", "good to hear")
        opened.add_document("rivers", "rivers.txt", "Otters live in rivers.", asked_by="user")
        opened.drain()
        yield opened


def change(store: MemoryStore, *statements: str) -> None:
    """Change the database behind the store's back."""
    assert store.database.path is not None
    with closing(sqlite3.connect(store.database.path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_sound_store_is_sound(store: MemoryStore) -> None:
    report = check(store)
    assert report.problems == ()
    assert report.counts["facts"] == 6
    assert report.counts["messages"] == 2
    assert report.counts["vectors"] == 9


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("delete from vectors where owner_kind = 'fact' and owner_id = 1", "no vector"),
        ("update vectors set data = x'00' where id = 2", "damaged"),
        ("update vectors set data = zeroblob(1536) where id = 2", "not of length 1"),
        ("update vectors set owner_id = 999 where id = 2", "not there"),
        ("insert into fact_words(fact_words) values ('delete-all')", "full text"),
        ("insert into message_words(rowid, content) values (1, 'ghost')", "full text"),
    ],
)
def test_what_is_derived_is_healed(store: MemoryStore, damage: str, told: str) -> None:
    change(store, damage)
    problems = check(store).problems
    assert any(told in problem for problem in problems), problems
    assert reindex(store).problems == ()
    assert check(store).problems == ()
    assert store.search(SearchQuery("fox", scope="facts"))[0].channels.keys() >= {"dense", "words"}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("update facts set superseded_by = 2 where id = 1", "superseded"),
        ("update facts set valid_from = '2026-03-02T00:00:00Z', valid_to = '2026-03-01T00:00:00Z'", "end before"),
        (f"insert into fact_sources {_SOURCE} values (1, 1, 0, 9999, '')", "outside"),
        (f"insert into fact_sources {_SOURCE} values (77, 1, 0, 1, '')", "not there"),
    ],
)
def test_what_contradicts_itself_is_told(store: MemoryStore, damage: str, told: str) -> None:
    change(store, damage)
    assert any(told in problem for problem in check(store).problems)


def test_rows_that_wait_for_an_embedder_are_no_problem(tmp_path: Path) -> None:
    with MemoryStore.open(f"sqlite:///{tmp_path}/waiting.db") as store:
        store.add_fact(FactDraft("fox", "place", "garden"), asked_by="user")
        assert check(store).problems == ()
        assert reindex(store).problems == ()
        assert store.stats()["waiting_to_embed"] == 1


def test_reindex_does_not_embed_what_has_a_vector(store: MemoryStore) -> None:
    with store.database.read() as connection:
        before = connection.exec_driver_sql(_ALL_VECTORS).all()
    reindex(store)
    with store.database.read() as connection:
        assert connection.exec_driver_sql(_ALL_VECTORS).all() == before


def test_the_index_is_compared_vector_by_vector(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        ids = fill(store)
        store.drain()
        assert check(store).problems == ()
        index = keeper_of(store)._index
        assert index is not None
        index.delete([("fact", ids[0])])
        index.upsert([("fact", ids[1])], HashEmbedder().embed(["something else"]))
        index.upsert([("fact", 4711)], HashEmbedder().embed(["never in the store"]))
        problems = check(store).problems
        assert any("lacks 1 of" in problem for problem in problems), problems
        assert any(problem.startswith("2 vectors of the index") for problem in problems), problems
        progress: list[tuple[int, int]] = []
        assert reindex(store, lambda done, total: progress.append((done, total))).problems == ()
        assert progress[-1] == (40, 40)


def test_the_index_of_another_process_is_left_alone(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
        with open_store(tmp_path) as second:
            assert check(second).problems == ()
            with pytest.raises(StoreError, match="another process"):
                reindex(second)
        assert keeper_of(store).ready


def test_check_without_an_embedder_still_looks_at_the_index(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
        folder = keeper_of(store).place.folder
    next(folder.rglob("data_level0.bin"), folder / "chroma.sqlite3").unlink()
    with MemoryStore.open(f"sqlite:///{tmp_path}/memory.db") as store:
        assert any("damaged or missing" in problem for problem in check(store).problems)
        assert reindex(store).problems == ()
