"""A process of the concurrency test: `python -m tests.memory.soak write|read URL NAME SECONDS`.

What was acknowledged to it is printed as it happens: kind, id and text, separated by tabs. The last line is JSON: the
milliseconds of each call, by what it did.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from memagent.errors import NotFoundError
from memagent.memory.records import FactDraft, SearchQuery, SourceSpan
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder

CORRECT_EVERY, FORGET_EVERY = 5, 40
LATEST = 50
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Stopwatch:
    """Milliseconds of each call, by the name of the method."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)

    def call(self, method: Callable[Arguments, Result], *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        started = time.perf_counter()
        result = method(*args, **options)
        self.times[method.__name__].append((time.perf_counter() - started) * 1000)
        return result


def told(kind: str, row_id: int, text: str) -> None:
    print(kind, row_id, text, sep="\t", flush=True)


def write(store: MemoryStore, name: str, seconds: float) -> Stopwatch:
    """Say and claim new things, correct some and have some forgotten, until the time is over."""
    watch, chance = Stopwatch(), random.Random(name)
    session = store.start_session(title=name)
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += 1
        value = f"{chance.getrandbits(64):016x}"  # claims that share no word, so that none is erased with another
        text = f"{name} has {value} in place {number}"
        message = watch.call(store.add_message, session.id, "user", text)
        span = SourceSpan(message.id, start=0, end=len(text))
        draft = FactDraft(name, f"place {number}", value, text, sources=(span,))
        fact = watch.call(store.add_fact, draft, asked_by="auto", session_id=session.id).after
        assert fact is not None
        if number % FORGET_EVERY == 0:
            watch.call(store.forget_fact, fact.id, asked_by="user")
            told("forgotten", fact.id, value)
            continue
        told("message", message.id, text)
        told("fact", fact.id, value)
        if number % CORRECT_EVERY == 0:
            corrected = watch.call(store.update_fact, fact.id, f"{chance.getrandbits(64):016x}", asked_by="user").after
            assert corrected is not None
            told("fact", corrected.id, corrected.value)
    return watch


def read(store: MemoryStore, name: str, seconds: float) -> Stopwatch:
    """List and search what the others write; what was seen must stay, unless it was forgotten."""
    watch, chance = Stopwatch(), random.Random(name)
    seen: dict[int, str] = {}
    writers: set[str] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for fact in watch.call(store.facts, limit=LATEST, state="all"):
            seen[fact.id] = fact.value
            writers.add(fact.subject)
        if not seen:
            continue
        newest = max(seen)
        query = SearchQuery(seen[newest], scope="facts", state="all", mode="keyword")  # how it ranks is not the point
        if newest not in [hit.id for hit in watch.call(store.search, query)]:
            must_be_forgotten(store, newest)
            del seen[newest]
            continue
        some = chance.choice(list(seen))
        try:
            assert store.fact(some).value == seen[some], f"fact {some} has changed"
        except NotFoundError:
            must_be_forgotten(store, some)
            del seen[some]
    for writer in writers:
        told("saw", 0, writer)
    return watch


def must_be_forgotten(store: MemoryStore, fact_id: int) -> None:
    names = [operation.name for operation in store.operations(fact_id=fact_id)]
    assert "forget" in names, f"fact {fact_id} is lost; what happened to it: {names}"


def main() -> None:
    role, url, name, seconds = sys.argv[1:]
    with MemoryStore.open(url, embedder=HashEmbedder(64)) as store:
        watch = {"write": write, "read": read}[role](store, name, float(seconds))
    print(json.dumps(watch.times))


if __name__ == "__main__":
    main()
