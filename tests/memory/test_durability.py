"""What was acknowledged is there after kill -9, and with several processes on one store.

MEMAGENT_LONG_TESTS=1 runs the long form: 200 kills, and two minutes of writing and reading at once.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from memagent.errors import NotFoundError
from memagent.memory.maintenance import check
from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("MEMAGENT_LONG_TESTS"))
TRIALS = 200 if LONG else 6
SOAK_SECONDS = 120 if LONG else 4

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


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def acknowledged(output: str) -> list[tuple[str, int, str]]:
    lines = [line.split("\t") for line in output.splitlines() if line.count("\t") == 2]
    return [(kind, int(row_id), text) for kind, row_id, text in lines]


@pytest.mark.slow
@pytest.mark.timeout(60 + 10 * TRIALS)
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
            assert check(store).problems == ()
    assert total > TRIALS
    with MemoryStore.open(url) as store:
        assert store.finish_scrub()
        with store.database.read() as connection:
            for table, kind in (("facts", "fact"), ("messages", "message")):
                orphans = (
                    f"select id from {table} "
                    f"where id not in (select owner_id from vectors where owner_kind = '{kind}') "
                    f"and id not in (select owner_id from index_queue where owner_kind = '{kind}' and action = 'embed')"
                )
                assert rows(connection, orphans) == []


def soak(role: str, url: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.memory.soak", role, url, name, str(SOAK_SECONDS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def follow(writer: subprocess.Popen[str], url: str, heard: list[str], missing: list[str]) -> None:
    """Note all that a writer says; whatever it has been promised must be seen by this process from then on."""
    assert writer.stdout is not None
    with MemoryStore.open(url) as store:
        for line in writer.stdout:
            heard.append(line)
            for kind, row_id, text in acknowledged(line):
                if kind != "message" and value_of(store, row_id) != (text if kind == "fact" else None):
                    missing.append(line)


def value_of(store: MemoryStore, fact_id: int) -> str | None:
    try:
        return store.fact(fact_id).value
    except NotFoundError:
        return None


@pytest.mark.slow
@pytest.mark.timeout(SOAK_SECONDS + 120)
def test_several_processes_write_and_read_one_store(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    MemoryStore.open(url).close()
    names = [f"Writer{number}" for number in range(4)]
    writers = [soak("write", url, name) for name in names]
    readers = [soak("read", url, f"Reader{number}") for number in range(2)]
    heard: list[list[str]] = [[] for _ in writers]
    missing: list[str] = []
    threads = [
        threading.Thread(target=follow, args=(writer, url, lines, missing))
        for writer, lines in zip(writers, heard, strict=True)
    ]
    for thread in threads:
        thread.start()
    outputs = [reader.communicate() for reader in readers]
    for thread in threads:
        thread.join()
    errors = [writer.stderr.read() for writer in writers if writer.stderr is not None] + [said for _, said in outputs]
    assert errors == [""] * 6
    assert [process.wait(30) for process in (*writers, *readers)] == [0] * 6
    assert missing == []
    for output, _ in outputs:
        assert {text for _, _, text in acknowledged(output)} == set(names), "a reader sees what each writer writes"
    promised = acknowledged("".join(line for lines in heard for line in lines))
    with MemoryStore.open(url, embedder=HashEmbedder(64)) as store:
        facts = {fact.id: fact.value for fact in store.facts(state="all", limit=1_000_000)}
        assert facts == {row_id: text for kind, row_id, text in promised if kind == "fact"}
        for kind, row_id, text in promised:
            if kind == "message":
                assert store.message(row_id).content == text
        assert store.finish_scrub() and check(store).problems == ()
    with capsys.disabled():
        report([lines[-1] for lines in heard] + [output.splitlines()[-1] for output, _ in outputs])


def report(times: list[str]) -> None:
    """A table of what the processes did; shown in the long form only."""
    if not LONG:
        return
    merged: dict[str, list[float]] = {}
    for one in map(json.loads, times):
        for name, calls in one.items():
            merged.setdefault(name, []).extend(calls)
    print(f"\n{'4 writers, 2 readers; ms':26}{'n':>8}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    for name, calls in merged.items():
        cuts = statistics.quantiles(calls, n=100, method="inclusive")
        print(f"{name:26}{len(calls):8}{cuts[49]:9.2f}{cuts[94]:9.2f}{cuts[98]:9.2f}{max(calls):9.1f}")


def test_two_processes_may_start_a_new_store_at_once(url: str) -> None:
    processes = [start(WRITER, url, f"Writer{number}", "1") for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    with MemoryStore.open(url) as store:
        assert len(store.facts()) == 4 and store.spaces() == ["default"]
