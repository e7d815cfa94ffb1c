"""What a question asks for besides its words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memagent.memory.question import Question, read_question, speakers, without_names
from memagent.memory.store import MemoryStore

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SPEAKERS = ("Ana", "Bo Lindqvist", "The Doctor", "Will", "C++ (bot)", "Zoë")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemoryStore]:
    with MemoryStore.open(f"sqlite:///{tmp_path_factory.mktemp('question')}/memory.db") as opened:
        session = opened.start_session()
        for number in range(3):
            for name in SPEAKERS:
                opened.add_message(session.id, "user", f"hello {number}", speaker=name)
        opened.add_message(session.id, "user", "nobody said this")
        yield opened


def ask(store: MemoryStore, text: str, now: datetime = NOW) -> Question:
    with store.database.read() as connection:
        return read_question(connection, text, store.space_id, now)


def test_speakers_are_those_of_the_space(store: MemoryStore) -> None:
    with store.database.read() as connection:
        assert sorted(speakers(connection, store.space_id)) == sorted(SPEAKERS)
        assert speakers(connection, store.space_id + 1) == []


@pytest.mark.parametrize(
    ("text", "named", "words"),
    [
        ("What is Ana's cat called?", {"Ana"}, "What is cat called?"),
        ("what is ANA’s cat called?", {"Ana"}, "what is cat called?"),
        (
            "Where does Bo live, and what does Ana drive?",
            {"Ana", "Bo Lindqvist"},
            "Where does live, and what does drive?",
        ),
        ("Which canoe did bo lindqvist buy?", {"Bo Lindqvist"}, "Which canoe did buy?"),
        ("did Zoë paint the fence", {"Zoë"}, "did paint the fence"),
        ("Is there an anagram of banana?", set(), "Is there an anagram of banana?"),
        ("what will the doctor prescribe", {"The Doctor"}, "what will prescribe"),
        ("will the food arrive?", set(), "will the food arrive?"),
        ("which school did Will choose?", {"Will"}, "which school did choose?"),
        ("is c++ (bot) a compiler", {"C++ (bot)"}, "is a compiler"),
        ("my  own   spaces", set(), "my  own   spaces"),
    ],
)
def test_a_speaker_is_known_by_name_and_taken_out(store: MemoryStore, text: str, named: set[str], words: str) -> None:
    question = ask(store, text)
    assert question.speakers == named
    assert question.words == words


@pytest.mark.parametrize("text", ["Ana", "what did Ana say?", "who is Will", "Zoë and Ana"])
def test_a_question_about_nothing_but_names_keeps_them(store: MemoryStore, text: str) -> None:
    question = ask(store, text)
    assert question.words == text and question.speakers


def test_names_are_taken_out_of_any_text() -> None:
    assert without_names("Ana's dog and Bo's cat", ["Ana", "Bo"]) == "dog and cat"
    assert without_names("  as it   is ", ["Ana"]) == "  as it   is "
    assert without_names("a.b axb", ["a.b"]) == "axb"


@pytest.mark.parametrize(
    ("text", "when", "count"),
    [
        ("When did we sell the boat?", True, False),
        ("since when is the shop open", True, False),
        ("what year did the shop open", True, False),
        ("How long did it take?", True, False),
        ("how many boats are there", False, True),
        ("How old is the dog?", False, True),
        ("what is the dog called", False, False),
        ("whenever you like", False, False),
    ],
)
def test_what_is_asked_for_is_recognised(store: MemoryStore, text: str, when: bool, count: bool) -> None:
    question = ask(store, text)
    assert (question.asks_when, question.asks_count) == (when, count)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("what did Ana buy in May 2025?", "2025-05-01T00:00:00.000000Z", "2025-06-01T00:00:00.000000Z"),
        ("where did we go last week?", "2026-03-02T00:00:00.000000Z", "2026-03-09T00:00:00.000000Z"),
        ("what happened in 2024?", "2024-01-01T00:00:00.000000Z", "2025-01-01T00:00:00.000000Z"),
        ("in 2024, what did I do on 3 May 2024?", "2024-05-03T00:00:00.000000Z", "2024-05-04T00:00:00.000000Z"),
        ("what did we do in the 1990s?", "", ""),
        ("what shall we do next month?", "", ""),
        ("what is the cat called?", "", ""),
        ("x" * 300 + " last week", "", ""),
    ],
)
def test_the_time_it_names_is_a_window(store: MemoryStore, text: str, since: str, until: str) -> None:
    question = ask(store, text)
    assert (question.since, question.until) == (since, until)


def test_the_window_is_that_of_the_persons_timezone(store: MemoryStore) -> None:
    question = ask(store, "what did I say yesterday?", NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    assert (question.since, question.until) == ("2026-03-08T15:00:00.000000Z", "2026-03-09T15:00:00.000000Z")


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("text", ["on 0001-01-01", "2025 years ago", "on 31 December 9999", "in the year 9999"])
def test_the_edges_of_the_calendar_break_nothing(store: MemoryStore, text: str, zone: str) -> None:
    question = ask(store, f"what happened {text}?", NOW.astimezone(ZoneInfo(zone)))
    assert (question.since == "") == (question.until == "") and question.since <= question.until


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=120))
def test_any_text_is_a_question(store: MemoryStore, text: str) -> None:
    question = ask(store, text)
    assert question.words.strip() or not text.strip()
    assert question.since <= question.until
