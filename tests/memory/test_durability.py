"""What was acknowledged is there after kill -9, and with several processes on one store.

MEMAGENT_KILL_TRIALS sets the number of kills (6 by default, 200 for the figure in docs/log.md).
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore

TRIALS = int(os.environ.get("MEMAGENT_KILL_TRIALS", "6"))

WRITER = """
import sys
from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
with MemoryStore.open(url, embedder=HashEmbedder(64)) as store:
    session = store.start_session(title=name)
    for number in range(count):
        text = f"{name} says {number}"
        message = store.add_message(session.id, "user", text)
        print("message", message.id, text, sep="\\t", flush=True)
        span = SourceSpan(message.id, start=0, end=len(text))
        draft = FactDraft(name, f"claim {number}", text, text, sources=(span,))
        fact = store.add_fact(draft, asked_by="auto", session_id=session.id).after
        print("fact", fact.id, text, sep="\\t", flush=True)
        if number % 7 == 3:
            store.forget_fact(fact.id, asked_by="user")
            print("forgotten", fact.id, text, sep="\\t", flush=True)
"""

READER = """
import sys, time
from memagent.memory.records import SearchQuery
from memagent.memory.store import MemoryStore

seen, give_up = 0, time.monotonic() + 60
with MemoryStore.open(sys.argv[1]) as store:
    while seen < int(sys.argv[2]) and time.monotonic() < give_up:
        facts = store.facts(limit=10_000)
        seen = len(facts)
        kept = [fact for fact in facts if int(fact.value.rpartition(" ")[2]) % 7 != 3]
        if kept:
            hits = store.search(SearchQuery(kept[0].text, scope="facts", limit=50))
            assert kept[0].id in [hit.id for hit in hits], "a fact that is stored is not found"
print(seen)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def acknowledged(output: str) -> list[tuple[str, int, str]]:
    lines = [line.split("\t") for line in output.splitlines() if line.count("\t") == 2]
    return [(kind, int(row_id), text) for kind, row_id, text in lines]


def test_kill_minus_nine_loses_nothing_that_was_acknowledged(url: str, tmp_path: Path) -> None:
    chance = random.Random(11)
    MemoryStore.open(url).close()
    total = 0
    for trial in range(TRIALS):
        writer = start(WRITER, url, f"Writer{trial}", "100000")
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.25))
        writer.send_signal(signal.SIGKILL)
        output, errors = writer.communicate()
        assert errors == ""
        told = acknowledged(first + output)
        total += len(told)
        with MemoryStore.open(url) as store:
            forgotten = {row_id for kind, row_id, _ in told if kind == "forgotten"}
            facts = {fact.id: fact.value for fact in store.facts(subject=f"Writer{trial}", limit=100_000)}
            for kind, row_id, text in told:
                if kind == "message":
                    assert store.message(row_id).content in (text, "[forgotten]")
                elif kind == "fact" and row_id not in forgotten and row_id in facts:
                    assert facts[row_id] == text
            lost = {row_id for kind, row_id, _ in told if kind == "fact"} - forgotten - set(facts)
            last = told[-1]
            assert lost <= ({last[1]} if last[0] == "fact" else set())  # its forgetting may have been committed, unsaid
            assert not forgotten & set(facts)
    assert total > TRIALS
    with MemoryStore.open(url) as store:
        assert store.finish_scrub()
        with store.database.write() as connection:
            assert [tuple(row) for row in rows(connection, "PRAGMA integrity_check")] == [("ok",)]
            for words in ("fact_words", "message_words"):
                connection.exec_driver_sql(f"insert into {words}({words}, rank) values ('integrity-check', 1)")
            for table, kind in (("facts", "fact"), ("messages", "message")):
                orphans = (
                    f"select id from {table} "
                    f"where id not in (select owner_id from vectors where owner_kind = '{kind}') "
                    f"and id not in (select owner_id from index_queue where owner_kind = '{kind}' and action = 'embed')"
                )
                assert rows(connection, orphans) == []


def test_several_processes_write_and_read_one_store(url: str, tmp_path: Path) -> None:
    writers, each = 4, 30
    MemoryStore.open(url).close()
    left = writers * sum(number % 7 != 3 for number in range(each))
    processes = [start(WRITER, url, f"Writer{number}", str(each)) for number in range(writers)]
    reader = start(READER, url, str(left))
    told = []
    for process in processes:
        output, errors = process.communicate(timeout=100)
        assert (process.returncode, errors) == (0, "")
        told += acknowledged(output)
    with MemoryStore.open(url) as store:
        assert len(store.facts(limit=10_000)) == left
        assert {row_id for kind, row_id, _ in told if kind == "message"} == {
            message.id for session in store.sessions() for message in store.messages(session.id)
        }
    output, errors = reader.communicate(timeout=100)
    assert (reader.returncode, errors) == (0, "") and int(output) >= left
    with sqlite3.connect(tmp_path / "data" / "memory.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_processes_may_start_a_new_store_at_once(url: str) -> None:
    processes = [start(WRITER, url, f"Writer{number}", "1") for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    with MemoryStore.open(url) as store:
        assert len(store.facts()) == 4 and store.spaces() == ["default"]
