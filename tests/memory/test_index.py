"""Vectors: exact search in step with the database, and the Chroma index behind it, whole or broken."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from memagent.errors import InputError
from memagent.memory.index import IndexFailure, owner_text, parse_owner, server_address
from memagent.memory.index_keeper import IndexKeeper
from memagent.memory.lock import FileLock
from memagent.memory.records import FactDraft, SearchQuery
from memagent.memory.store import MemoryStore
from memagent.memory.vectors import Neighbour
from memagent.models.hash_embedder import HashEmbedder

ANIMALS = ["fox", "heron", "otter", "newt", "badger", "wren", "adder", "hare", "stoat", "vole"]


def draft(number: int) -> FactDraft:
    animal = ANIMALS[number % len(ANIMALS)]
    return FactDraft(f"sighting {number}", "animal", f"{animal} {number}", f"I saw {animal} number {number}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryStore]:
    with open_store(tmp_path) as opened:
        yield opened


def open_store(folder: Path, threshold: int = 20) -> MemoryStore:
    """A store that uses the index above `threshold` vectors."""
    opened = MemoryStore.open(f"sqlite:///{folder}/memory.db", embedder=HashEmbedder())
    assert opened.index_keeper is not None
    opened.index_keeper.threshold = threshold
    return opened


def keeper_of(store: MemoryStore) -> IndexKeeper:
    assert store.index_keeper is not None
    return store.index_keeper


def nearest(store: MemoryStore, text: str, k: int = 5) -> list[Neighbour]:
    """What the vectors alone say."""
    dense = store._dense
    assert dense is not None
    with store.database.read() as connection:
        return dense.nearest(connection, HashEmbedder().embed([text])[0], k, ("fact", "message", "chunk"))


def brute_force(store: MemoryStore, text: str, k: int = 5) -> list[float]:
    """The cosines of the `k` nearest, by reading every vector."""
    with store.database.read() as connection:
        data = [bytes(row[0]) for row in connection.exec_driver_sql("select data from vectors")]
    matrix = np.stack([np.frombuffer(blob, "<f4") for blob in data])
    return sorted((float(score) for score in matrix @ HashEmbedder().embed([text])[0]), reverse=True)[:k]


def cosines(found: list[Neighbour]) -> list[float]:
    return [neighbour.cosine for neighbour in found]


def fill(store: MemoryStore, count: int = 40) -> list[int]:
    changes = [store.add_fact(draft(number), asked_by="user") for number in range(count)]
    return [change.after.id for change in changes if change.after]


# --- exact ------------------------------------------------------------------------------------------------------------


def test_exact_search_equals_brute_force_after_any_writes(store: MemoryStore) -> None:
    rng = random.Random(5)
    alive: list[int] = []
    for number in range(60):
        if alive and rng.random() < 0.3:
            store.forget_fact(alive.pop(rng.randrange(len(alive))), asked_by="user")
        else:
            change = store.add_fact(draft(number), asked_by="user")
            assert change.after is not None
            alive.append(change.after.id)
        if alive:
            text = f"where was the {rng.choice(ANIMALS)}"
            assert cosines(nearest(store, text)) == pytest.approx(brute_force(store, text), abs=1e-5)
            assert {found.id for found in nearest(store, text, 100)} == set(alive)


def test_writes_and_deletions_of_another_process_are_seen_at_once(tmp_path: Path, store: MemoryStore) -> None:
    ids = fill(store, 8)
    assert len(nearest(store, "fox", 50)) == 8
    code = f"""
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.memory.test_index import draft
with MemoryStore.open("sqlite:///{tmp_path}/memory.db", embedder=HashEmbedder()) as store:
    store.add_fact(draft(70), asked_by="user")
    store.forget_fact({ids[0]}, asked_by="user")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    texts = [hit.text for hit in store.search(SearchQuery("I saw fox number", limit=50))]
    assert "I saw fox number 70" in texts
    assert "I saw fox number 0" not in texts
    assert ids[0] not in {found.id for found in nearest(store, "fox", 50)}


def test_rows_written_before_the_embedder_are_embedded_by_the_drain(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/memory.db"
    with MemoryStore.open(url) as store:
        fill(store, 5)
        store.attach_embedder(HashEmbedder())
        assert nearest(store, "fox") == []
        assert store.search(SearchQuery("otter"))  # by its words
        assert store.drain() >= 5
        assert len(nearest(store, "fox")) == 5
        assert store.stats()["index_queue"] == 0


def test_a_change_of_embedder_embeds_everything_anew(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store, 5)
    other = HashEmbedder(128)
    with MemoryStore.open(f"sqlite:///{tmp_path}/memory.db", embedder=other) as store:
        store.drain()
        with store.database.read() as connection:
            models = [tuple(row) for row in connection.exec_driver_sql("select distinct model, dimension from vectors")]
        assert models == [("hash-128", 128)]
        assert store.search(SearchQuery("otter"))[0].channels.keys() >= {"dense", "words"}


# --- the index --------------------------------------------------------------------------------------------------------


def test_a_small_store_has_no_index_and_keeps_no_queue(tmp_path: Path) -> None:
    with open_store(tmp_path, threshold=100) as store:
        fill(store)
        store.drain()
        assert not keeper_of(store).ready
        assert store.stats()["index_queue"] == 0
    assert not list(tmp_path.rglob("chroma.sqlite3"))


def test_a_large_store_is_searched_through_the_index_with_the_same_result(store: MemoryStore) -> None:
    ids = fill(store)
    store.drain()
    assert keeper_of(store).ready
    store.forget_fact(ids[3], asked_by="user")
    late = store.add_fact(draft(99), asked_by="user").after  # not in the index before the next drain
    assert late is not None
    for text in ("fox 20", "I saw hare number 7", "I saw wren number 99"):
        assert cosines(nearest(store, text)) == pytest.approx(brute_force(store, text), abs=1e-5)
    assert late.id in {found.id for found in nearest(store, draft(99).text)}
    assert ids[3] not in {found.id for found in nearest(store, draft(3).text, 20)}
    store.drain()
    assert store.stats()["index_queue"] == 0
    assert late.id in {found.id for found in nearest(store, draft(99).text)}
    assert len(store._dense.exact) == 0  # type: ignore[union-attr]  # nothing above was answered by the matrix


def test_the_index_is_used_again_by_the_next_process(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
    with open_store(tmp_path, threshold=1000) as store:
        assert not keeper_of(store).ready
        store.drain()
        assert keeper_of(store).ready
        assert keeper_of(store).inspect() == []


def test_only_one_process_uses_the_local_index(tmp_path: Path, store: MemoryStore) -> None:
    fill(store)
    store.drain()
    with open_store(tmp_path) as second:
        second.drain()
        assert not keeper_of(second).ready
        added = second.add_fact(draft(77), asked_by="user").after
        assert added is not None
        assert cosines(nearest(second, "otter")) == pytest.approx(brute_force(second, "otter"), abs=1e-5)
    assert added.id in {found.id for found in nearest(store, draft(77).text)}


def test_an_interrupted_build_is_begun_anew_without_a_warning(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
        keeper_of(store)._state.begin()  # as a process killed while Chroma writes leaves it
    with open_store(tmp_path) as store:
        store.drain()
        assert keeper_of(store).ready
        assert keeper_of(store).inspect() == []
        assert store.index_warnings == []


def one_file(folder: Path, name: str) -> Path:
    return next(iter(sorted(folder.rglob(name))))


def overwrite(folder: Path) -> None:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        path.write_bytes(os.urandom(max(path.stat().st_size, 10)))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "folder deleted": shutil.rmtree,
    "database deleted": lambda folder: one_file(folder, "chroma.sqlite3").unlink(),
    "database truncated": lambda folder: os.truncate(one_file(folder, "chroma.sqlite3"), 9000),
    "everything overwritten": overwrite,
    "database emptied": lambda folder: one_file(folder, "chroma.sqlite3").write_bytes(b""),
    "folder is a file": lambda folder: (shutil.rmtree(folder), folder.write_text("?"))[0],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_index_costs_one_warning_and_no_answer(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    from memagent.memory.maintenance import reindex

    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
        folder = keeper_of(store).place.folder
    damage(folder)
    with open_store(tmp_path) as store:
        for _ in range(3):
            store.drain()
            assert cosines(nearest(store, "otter 12")) == pytest.approx(brute_force(store, "otter 12"), abs=1e-5)
        assert not keeper_of(store).ready
        assert len(store.index_warnings) == 1
        assert "memagent db reindex" in store.index_warnings[0]
        assert keeper_of(store).inspect() != []
        assert reindex(store).problems == ()
        assert keeper_of(store).ready
        assert cosines(nearest(store, "otter 12")) == pytest.approx(brute_force(store, "otter 12"), abs=1e-5)
    with open_store(tmp_path) as store:
        store.drain()
        assert keeper_of(store).ready
        assert store.index_warnings == []


def test_an_index_that_fails_in_use_costs_one_warning_and_no_answer(store: MemoryStore) -> None:
    fill(store)
    store.drain()
    shutil.rmtree(keeper_of(store).place.folder)
    added = store.add_fact(draft(50), asked_by="user").after
    store.drain()
    assert added is not None
    for text in ("otter 12", draft(50).text):
        assert cosines(nearest(store, text)) == pytest.approx(brute_force(store, text), abs=1e-5)
    store.drain()
    assert not keeper_of(store).ready
    assert len(store.index_warnings) == 1


def test_a_stale_index_is_noticed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
        place = keeper_of(store).place
    for old in (place.folder, place.note):
        copy = shutil.copytree if old.is_dir() else shutil.copy2
        copy(old, old.with_name(old.name + ".old"))
    with open_store(tmp_path) as store:
        store.add_fact(draft(88), asked_by="user")
        store.drain()
    shutil.rmtree(place.folder)
    place.folder.with_name(place.folder.name + ".old").rename(place.folder)
    place.note.with_name(place.note.name + ".old").replace(place.note)
    with open_store(tmp_path) as store:
        store.drain()
        assert len(store.index_warnings) == 1
        assert nearest(store, draft(88).text, 1)[0].cosine == pytest.approx(brute_force(store, draft(88).text, 1)[0])


def test_a_server_out_of_reach_costs_one_warning_and_no_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/memory.db"
    with MemoryStore.open(url, embedder=HashEmbedder(), vector_url="http://127.0.0.1:9") as store:
        fill(store, 5)
        store.drain()
        store.drain()
        assert len(store.index_warnings) == 1
        assert len(nearest(store, "fox")) == 5


def test_chroma_is_not_imported_by_a_write_or_a_first_search(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        fill(store)
        store.drain()
    code = f"""
import sys
from tests.memory.test_index import draft, open_store
from memagent.memory.records import SearchQuery
from pathlib import Path
with open_store(Path({str(tmp_path)!r})) as store:
    store.add_fact(draft(60), asked_by="user")
    assert store.search(SearchQuery("otter"))
    assert "chromadb" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


# --- parts ------------------------------------------------------------------------------------------------------------


def test_ids_are_kind_and_number() -> None:
    assert owner_text(("fact", 12)) == "fact:12"
    assert parse_owner("message:7") == ("message", 7)
    for text in ("fact", "fact:", "fact:x", "other:1", ":1", "fact:-1"):
        with pytest.raises(IndexFailure):
            parse_owner(text)


def test_server_addresses() -> None:
    assert server_address("http://127.0.0.1:8001") == ("127.0.0.1", 8001, False)
    assert server_address("https://chroma.example") == ("chroma.example", 443, True)
    for url in ("", "127.0.0.1:8000", "ftp://x", "http://", "http://x:99999"):
        with pytest.raises(InputError):
            server_address(url)


def test_the_lock_has_one_holder_and_is_given_back(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a" / "lock"), FileLock(tmp_path / "a" / "lock")
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
