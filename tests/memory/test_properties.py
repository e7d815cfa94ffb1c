"""After any sequence of operations SQL, full text, vectors and queue tell the same story, also after a restart."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from memagent.errors import InputError
from memagent.memory.base import content_hash, passage_of
from memagent.memory.mapping import fact_text
from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.redact import FORGOTTEN
from memagent.memory.statements import rows
from memagent.memory.store import MemoryStore
from tests.memory.token_embedder import WIDTH, TokenEmbedder

SUBJECTS = st.sampled_from(["user", "my dog", "the boiler"])
ATTRIBUTES = st.sampled_from(["name", "likes", "made by"])
VALUES = st.sampled_from(["Rex", "rex.", "Hartnell & Co", "caf\u00e9 cr\u00e8me", "blue", "4711-x", 'it\'s 100% "so"'])
TRUST = st.sampled_from(["user", "model", "import", "document"])


class StoreMachine(RuleBasedStateMachine):
    """Drives one store; `said` is what every message must still say where nothing was forgotten."""

    @initialize(embedded=st.booleans())
    def open(self, embedded: bool) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.folder.name) / 'memory.db'}"
        self.embedder = TokenEmbedder(16)
        self.store = MemoryStore.open(self.url, embedder=self.embedder if embedded else None)
        self.session = self.store.start_session().id
        self.said: dict[int, str] = {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    def pick(self, number: int, state: Any = "current") -> int | None:
        facts = self.store.facts(state=state)
        return facts[number % len(facts)].id if facts else None

    @rule(subject=SUBJECTS, attribute=ATTRIBUTES, value=VALUES, single=st.booleans(), trust=TRUST, spoken=st.booleans())
    def tell(self, subject: str, attribute: str, value: str, single: bool, trust: Any, spoken: bool) -> None:
        draft = FactDraft(subject, attribute, value, single=single, trust=trust)
        if spoken:
            text = f"{subject}: the {attribute} is {value}, and more"
            message = self.store.add_message(self.session, "user", text)
            self.said[message.id] = text
            span = SourceSpan(message.id, start=text.index(value), end=text.index(value) + len(value))
            draft = replace(draft, text=text, sources=(span,))
        change = self.store.add_fact(draft, asked_by="auto", session_id=self.session)
        assert change.after is not None and change.after.current and self.store.fact(change.after.id) == change.after

    @rule(number=st.integers(0, 50), value=VALUES)
    def correct(self, number: int, value: str) -> None:
        fact = self.pick(number)
        if fact is not None:
            self.store.update_fact(fact, value, asked_by="model")

    @rule(number=st.integers(0, 50))
    def end(self, number: int) -> None:
        fact = self.pick(number)
        if fact is not None:
            after = self.store.end_fact(fact, asked_by="model").after
            assert after is not None and not after.current and after == self.store.fact(fact)

    @rule(number=st.integers(0, 50))
    def forget(self, number: int) -> None:
        fact = self.pick(number, "all")
        if fact is not None:
            family = {version.id for version in self.store.history(fact)}
            self.store.forget_fact(fact, asked_by="user")
            assert not family & {left.id for left in self.store.facts(state="all", limit=1000)}

    @rule(number=st.integers(0, 50))
    def undo(self, number: int) -> None:
        operations = self.store.operations(limit=1000)
        if operations:
            with suppress(InputError):  # what cannot be undone says so; the invariants see that it changed nothing
                self.store.undo(operations[number % len(operations)].id, asked_by="user")

    @rule(number=st.integers(0, 50), resolution=st.sampled_from(["keep_both", "keep_new", "keep_old"]))
    def decide(self, number: int, resolution: Any) -> None:
        conflicts = self.store.conflicts()
        if conflicts:
            self.store.resolve_conflict(conflicts[number % len(conflicts)].id, resolution)

    @rule()
    def drain(self) -> None:
        if self.store.embedder is None:
            self.store.attach_embedder(self.embedder)
        self.store.drain()
        assert self.store.stats()["waiting_to_embed"] == 0

    @precondition(lambda self: len(self.said) > 4)
    @rule()
    def delete_session(self) -> None:
        self.store.delete_session(self.session)
        self.said.clear()
        self.session = self.store.start_session().id

    @rule(embedded=st.booleans())
    def restart(self, embedded: bool) -> None:
        self.store.close()
        self.store = MemoryStore.open(self.url, embedder=self.embedder if embedded else None)

    @invariant()
    def one_current_value_per_claim_and_slot(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.database.read() as connection:
            current = rows(connection, "select id, slot, claim_hash, single from facts where retired_at is null")
            closed = rows(connection, "select fact_id, other_id from conflicts")
        assert len({claim_hash for _, _, claim_hash, _ in current}) == len(current)
        settled = {frozenset(row) for row in closed}
        for one, slot, _, single in current:
            for other, other_slot, _, other_single in current:
                if one < other and slot == other_slot and single and other_single:
                    assert frozenset((one, other)) in settled

    @invariant()
    def full_text_vectors_and_queue_agree_with_the_rows(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.database.write() as connection:
            for words in ("fact_words", "message_words", "chunk_words"):  # raises when index and table differ
                connection.exec_driver_sql(f"insert into {words}({words}, rank) values ('integrity-check', 1)")
            claims = rows(connection, "select id, subject, attribute, value, text from facts")
            texts = {("fact", claim[0]): passage_of(fact_text(*claim[1:])) for claim in claims}
            said = rows(connection, "select id, session_id, content from messages order by session_id, position")
            before: dict[int, str] = {}
            for message_id, session_id, content in said:
                texts["message", message_id] = passage_of(content, before.get(session_id, ""))
                before[session_id] = content
            vectors = rows(connection, "select owner_kind, owner_id, content_hash, id from vectors")
            states = dict(rows(connection, "select vector_id, length(data) from token_states"))
            queued = rows(connection, "select owner_kind, owner_id from index_queue where action = 'embed'")
            assert rows(connection, "PRAGMA foreign_key_check") == []
        assert set(states) == {row[3] for row in vectors}
        assert all(size and size % WIDTH == 0 for size in states.values())
        hashes = {(row[0], row[1]): row[2] for row in vectors}
        waiting = {(row[0], row[1]) for row in queued}
        assert hashes == {owner: content_hash(texts[owner]) for owner in hashes}
        assert set(texts) == set(hashes) | waiting

    @invariant()
    def messages_say_what_was_said(self) -> None:
        if not hasattr(self, "store"):
            return
        kept = {message.id: message.content for message in self.store.messages(self.session)}
        assert set(kept) == set(self.said)
        for message, text in self.said.items():
            assert kept[message] == text or FORGOTTEN in kept[message]


StoreMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStoreMachine = pytest.mark.slow(StoreMachine.TestCase)
