"""A conversation in the store of chat: said by its speakers at its times, found again, and kept in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memagent.embedding import Encoded, Passage
from memagent.errors import StoreReadOnlyError
from memagent.evals.benchmarks.conversation import Case, Conversation
from memagent.evals.benchmarks.locomo import load
from memagent.evals.benchmarks.longmemeval import load as load_longmemeval
from memagent.evals.benchmarks.memory import STORE_FILE, StoreSystem
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from tests.evals.benchmarks.samples import LOCOMO, LONGMEMEVAL, write_json


class CountingEmbedder(HashEmbedder):
    """Counts what it is asked to embed, and may fail."""

    def __init__(self, dimension: int = 384) -> None:
        super().__init__(dimension)
        self.passages = 0
        self.fails = False

    def encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        if self.fails:
            raise KeyboardInterrupt
        self.passages += len(passages)
        return super().encode(passages)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    (case,) = load(write_json(tmp_path / "l.json", LOCOMO))
    return case


def test_turns_are_messages_of_sessions_with_their_speakers_and_dates(case: Case, tmp_path: Path) -> None:
    system = StoreSystem(HashEmbedder(), tmp_path / "cache")
    with system.remember(case.conversation):
        pass
    folder = tmp_path / "cache" / system.key(case.conversation)
    with MemoryStore.open(f"sqlite:///{folder / STORE_FILE}", create=False) as store:
        second, first = store.sessions()
        assert (first.title, second.title) == ("S1", "S2")
        assert first.started_at == datetime(2023, 3, 3, 19, 15, tzinfo=UTC) and first.ended_at is not None
        messages = store.messages(first.id)
        assert [message.speaker for message in messages] == ["Odile", "Bram", "Odile", "Bram"]
        assert messages[1].content == "Long. I sold the sailing boat last Friday."
        assert messages[1].created_at == first.started_at + timedelta(seconds=1)
        assert store.stats()["waiting_to_embed"] == 0 and store.stats()["vectors"] == 7


def test_a_found_turn_has_the_benchmarks_names_and_the_turns_around_it(case: Case) -> None:
    with StoreSystem(HashEmbedder()).remember(case.conversation) as memory:
        found = memory.search("who sold the sailing boat?", case.conversation.end, 3)
    best = found[0]
    assert (best.turn, best.sitting, best.speaker, best.role) == ("D1:2", "S1", "Bram", "user")
    assert best.said_at.date().isoformat() == "2023-03-03" and 0 < best.score <= 1 and best.channels
    assert [(spoken.speaker, spoken.text[:8]) for spoken in best.before] == [("Odile", "Hi Bram!")]
    assert [spoken.speaker for spoken in best.after] == ["Odile", "Bram"]
    assert len(found) == 3


def test_what_an_assistant_said_is_told_from_what_the_person_said(tmp_path: Path) -> None:
    case, _ = load_longmemeval(write_json(tmp_path / "l.json", LONGMEMEVAL))
    with StoreSystem(HashEmbedder()).remember(case.conversation) as memory:
        found = {turn.turn: turn for turn in memory.search("tulips sun water", case.questions[0].asked_at, 10)}
    assert found["answer_garden_1"].role == "user" and found["answer_garden_2"].role == "assistant"
    assert {turn.speaker for turn in found.values()} == {""}


def test_a_second_run_embeds_nothing_and_finds_the_same(case: Case, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    system = StoreSystem(embedder, tmp_path / "cache")
    with system.remember(case.conversation) as memory:
        first = memory.search("accordion", case.conversation.end, 5)
    assert embedder.passages == 7
    with system.remember(case.conversation) as memory:
        assert memory.search("accordion", case.conversation.end, 5) == first
    assert embedder.passages == 7


def test_another_embedder_or_conversation_has_its_own_place_in_the_cache(case: Case, tmp_path: Path) -> None:
    system = StoreSystem(HashEmbedder(), tmp_path)
    shorter = Conversation(case.conversation.id, case.conversation.sittings[:1])
    keys = {system.key(case.conversation), system.key(shorter), StoreSystem(HashEmbedder(64)).key(case.conversation)}
    assert len(keys) == 3


def test_an_interrupted_fill_is_not_taken_for_a_memory(case: Case, tmp_path: Path) -> None:
    embedder = CountingEmbedder()
    system = StoreSystem(embedder, tmp_path / "cache")
    embedder.fails = True
    with pytest.raises(KeyboardInterrupt), system.remember(case.conversation):
        pass
    assert list((tmp_path / "cache").iterdir()) == []
    embedder.fails = False
    with system.remember(case.conversation) as memory:
        assert memory.search("accordion", case.conversation.end, 1)[0].turn == "D2:1"


def test_a_cache_that_cannot_be_written_is_said(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with (
        pytest.raises(StoreReadOnlyError, match="cannot be written"),
        StoreSystem(HashEmbedder(), file / "cache").remember(case.conversation),
    ):
        pass
