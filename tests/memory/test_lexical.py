"""BM25 from postings: what the numbers are, how neighbours and sessions count, and what it leaves out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memagent.memory import lexical as module
from memagent.memory.lexical import K1, PLACE, B, Lexical, lexical, place_of
from memagent.memory.records import FactDraft, OwnerKind
from memagent.memory.store import MemoryStore
from memagent.memory.words import content_words
from tests.memory.test_words import HOSTILE


@pytest.fixture
def store(url: str) -> Iterator[MemoryStore]:
    with MemoryStore.open(url) as opened:
        yield opened


def talk(store: MemoryStore, *texts: str) -> list[int]:
    """The places of what was said in a new session."""
    session = store.start_session()
    made = [store.add_message(session.id, "user", text) for text in texts]
    return [place_of(session.id, message.position) for message in made]


def look(store: MemoryStore, text: str, kind: OwnerKind = "message") -> Lexical:
    with store.database.read() as connection:
        return lexical(connection, content_words(text), kind, store.space_id)


def scores(found: Lexical, places: list[int]) -> tuple[list[float], list[float]]:
    own, window = found.scores(np.array(places), np.ones(len(places)))
    return own.tolist(), window.tolist()


def idf(held: int, total: int) -> float:
    return math.log(1 + (total - held + 0.5) / (held + 0.5))


def test_a_row_scores_by_bm25(store: MemoryStore) -> None:
    places = talk(store, "the heron came", "a fox and a heron", "nothing", "an otter", "a wren", "a newt")
    found = look(store, "heron or fox?")
    own, _ = scores(found, places)
    assert own[:3] == pytest.approx([idf(2, 6), idf(1, 6) + idf(2, 6), 0.0])
    longer, _ = found.scores(np.array(places[:1]), np.array([3.0]))
    assert longer[0] == pytest.approx(idf(2, 6) * (K1 + 1) / (1 + K1 * (1 - B + 3 * B)))


def test_a_turn_is_scored_with_the_turns_beside_it(store: MemoryStore) -> None:
    places = talk(store, "hello", "when did you adopt the greyhound?", "in March", "lovely", "a wren sang")
    own, window = scores(look(store, "greyhound"), places)
    assert own == pytest.approx([0.0, own[1], 0.0, 0.0, 0.0]) and own[1] > 0
    assert window[0] == window[2] == window[1] > 0 and window[3] == window[4] == 0.0


def test_words_on_both_sides_meet_in_the_turn_between(store: MemoryStore) -> None:
    places = talk(store, "the canoe", "yes", "at the lake", "no", "a canoe", "hm", "hm", "hm", "the lake")
    found = look(store, "canoe lake")
    _, window = scores(found, places)
    assert int(np.argmax(window)) == 1
    assert found.best(1)[0][0] in places[:3]


def test_the_last_turn_of_a_session_is_not_beside_the_first_of_the_next(store: MemoryStore) -> None:
    first = talk(store, "hello", "the greyhound")
    second = talk(store, "hello again", "bye")
    _, window = scores(look(store, "greyhound"), [*first, *second])
    assert window[0] > 0 and window[1] > 0 and window[2:] == [0.0, 0.0]


def test_a_session_is_scored_by_all_its_words(store: MemoryStore) -> None:
    places = [talk(store, "the canoe", "sank", "in the lake"), talk(store, "a canoe"), talk(store, "nothing at all")]
    found = look(store, "canoe lake")
    both, one, none = found.of_sessions(np.array([group[0] // PLACE for group in places])).tolist()
    assert both > one > 0.0 == none


@pytest.mark.parametrize("kind", ["fact", "chunk"])
def test_facts_and_chunks_have_no_neighbours(store: MemoryStore, kind: OwnerKind) -> None:
    for number in range(4):
        store.add_fact(FactDraft("otter" if number == 1 else "wren", f"place {number}", "river"), asked_by="user")
        store.add_document(f"{number}", "f.txt", f"{'otter' if number == 1 else 'wren'} {number}", asked_by="user")
    found = look(store, "otter", kind)
    own, window = scores(found, [1, 2, 3])
    assert own == window and own[1] > 0 and own[0] == own[2] == 0.0
    assert [key for key, _ in found.best(10)] == [2]
    assert found.of_sessions(np.array([0, 1])).tolist() == [0.0, 0.0]


def test_words_that_nobody_said_and_no_words_find_nothing(store: MemoryStore) -> None:
    places = talk(store, "the heron came")
    for text in ("teapot", "", "?!"):
        found = look(store, text)
        assert found.best(5) == [] and scores(found, places) == ([0.0], [0.0])
        assert found.of_sessions(np.array([1])).tolist() == [0.0]


def test_another_space_and_other_roles_take_no_part(store: MemoryStore, url: str) -> None:
    (place,) = talk(store, "the heron came")
    session = store.start_session()
    store.add_message(session.id, "system", "you see a heron")
    with MemoryStore.open(url, space="other") as other:
        (others,) = talk(other, "my heron")
        assert {key for key, _ in look(other, "heron").best(10)} == {others - 1, others, others + 1}
    assert {key for key, _ in look(store, "heron").best(10)} == {place - 1, place, place + 1}


def test_the_rarest_words_are_looked_up_first_and_the_rest_left_out(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RANKED_ROWS", 12)
    places = talk(store, *(f"the hen {'laid' if number % 3 else 'sat in the barn'}" for number in range(15)))
    found = look(store, "hen barn")
    own, _ = scores(found, places)
    assert [number for number, score in enumerate(own) if score] == [0, 3, 6, 9, 12]
    assert len(found.idf) == 1


def test_where_every_word_is_frequent_the_newest_rows_with_all_of_them_count(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RANKED_ROWS", 9)
    places = talk(store, *("hen and barn" if number in (2, 20) else "hen" for number in range(25)), *["barn"] * 10)
    own, _ = scores(look(store, "hen barn"), places)
    assert [number for number, score in enumerate(own) if score] == [2, 20]
    alone, _ = scores(look(store, "hen"), places)
    assert [number for number, score in enumerate(alone) if score] == [22, 23, 24]


def test_where_no_row_has_all_the_frequent_words_the_rarest_counts(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RANKED_ROWS", 9)
    places = talk(store, *["hen"] * 12, *["barn"] * 10)
    own, _ = scores(look(store, "hen barn"), places)
    assert [number for number, score in enumerate(own) if score] == [19, 20, 21]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["heron", "fox", "otter", "wren", "newt"]), max_size=6))
def test_scores_never_fall_below_nothing_and_best_is_sorted(store: MemoryStore, asked: list[str]) -> None:
    if not store.sessions():
        talk(store, "heron fox", "otter", "hm", "wren heron", "newt newt newt")
    found = look(store, " ".join(asked))
    best = found.best(20)
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    own, window = found.scores(found.keys, np.full(len(found.keys), 0.1))
    assert (own >= 0).all() and (window > 0).all() and set(found.keys[own > 0]) <= {key for key, _ in best}


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\ud800" not in text])
def test_hostile_words_are_looked_up(store: MemoryStore, text: str) -> None:
    talk(store, "C++ and foo-bar")
    for kind in ("fact", "message", "chunk"):
        look(store, text, kind)  # type: ignore[arg-type]
