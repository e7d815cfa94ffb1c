"""The numbers that the ranking weighs, one by one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from memagent.memory.candidates import Candidate, Owner, Scores
from memagent.memory.features import FEATURES, Row, matrix, read_rows
from memagent.memory.lexical import Lexical, lexical, place_of
from memagent.memory.question import Question
from memagent.memory.records import FactDraft, OwnerKind
from memagent.memory.retrieval import LEARNED
from memagent.memory.store import MemoryStore

PLAIN = Question("x", frozenset(), asks_when=False, asks_count=False)
SAID = "2026-03-02T09:00:00.000000Z"


def features(
    rows: Mapping[Owner, Row],
    question: Question = PLAIN,
    channels: Mapping[str, Scores] | None = None,
    lexicals: Mapping[OwnerKind, Lexical] | None = None,
    moments: Mapping[Owner, Candidate] | None = None,
) -> dict[str, list[float]]:
    """Every feature of `rows`, in their order."""
    candidates = {owner: (moments or {}).get(owner, Candidate(SAID, 1.0, "user", None)) for owner in rows}
    owners, values = matrix(question, candidates, rows, channels or {}, lexicals or {})
    assert owners == list(rows) and values.shape == (len(rows), len(FEATURES)) and np.isfinite(values).all()
    return {name: values[:, at].tolist() for at, name in enumerate(FEATURES)}


def turns(*texts: str, session: int = 1, speaker: str = "") -> dict[Owner, Row]:
    """Messages of one session with ids from 1 on."""
    return {
        ("message", number): Row(text, place_of(session, number - 1), speaker) for number, text in enumerate(texts, 1)
    }


def test_every_feature_has_a_learned_weight() -> None:
    assert set(LEARNED) == set(FEATURES)
    assert sum(weight for weight in LEARNED.values() if weight > 0) == pytest.approx(1.0, abs=0.01)


def test_nothing_has_no_features() -> None:
    owners, values = matrix(PLAIN, {}, {}, {}, {})
    assert owners == [] and values.shape == (0, len(FEATURES))


def test_a_row_that_went_meanwhile_is_left_out() -> None:
    candidates = {
        ("message", 1): Candidate(SAID, 1.0, "user", None),
        ("message", 2): Candidate(SAID, 1.0, "user", None),
    }
    owners, values = matrix(PLAIN, candidates, turns("here"), {}, {})  # type: ignore[arg-type]
    assert owners == [("message", 1)] and len(values) == 1


def test_cosines_are_spread_over_the_candidates() -> None:
    rows = turns("a", "b", "c", "d")
    channels: dict[str, Scores] = {
        "dense": {("message", 1): 0.2, ("message", 2): 0.6, ("message", 3): 0.4},
        "late": {("message", 1): -0.5, ("message", 2): 0.0, ("message", 3): 0.5},
    }
    found = features(rows, channels=channels)
    assert found["dense"] == pytest.approx([0.0, 1.0, 0.5, 0.0])
    assert found["late"] == pytest.approx([0.0, 0.5, 1.0, 0.0])
    assert found["nearness"] == pytest.approx([-0.5, 0.0, 0.5, -0.5])


def test_without_token_states_the_vectors_stand_for_them() -> None:
    found = features(turns("a", "b"), channels={"dense": {("message", 1): 0.3, ("message", 2): 0.9}, "late": {}})
    assert found["late"] == found["dense"] == [0.0, 1.0] and found["nearness"] == pytest.approx([0.3, 0.9])
    only = features(turns("a"), channels={"dense": {("message", 1): 0.3}})
    assert only["late"] == [1.0]


def test_words_stand_for_the_vectors_that_are_not_there(store: MemoryStore) -> None:
    session = store.start_session().id
    for text in ("the canoe on the lake", "a canoe", "no"):
        store.add_message(session, "user", text)
    with store.database.read() as connection:
        lexicals: dict[OwnerKind, Lexical] = {
            "message": lexical(connection, ["canoe", "lake"], "message", store.space_id)
        }
        rows = read_rows(connection, [("message", number) for number in (1, 2, 3)])
    waiting = features(rows, lexicals=lexicals, channels={"dense": {("message", 2): 0.2, ("message", 3): 0.6}})
    assert waiting["dense"] == waiting["late"] == [1.0, 0.0, 1.0]
    assert waiting["nearness"] == pytest.approx([0.6, 0.2, 0.6])
    nothing = features(rows, lexicals=lexicals)
    assert nothing["late"] == nothing["dense"] == nothing["nearness"] == nothing["words"] and nothing["late"][0] == 1.0


def test_what_stands_beside_a_message_and_its_session_count() -> None:
    rows = turns("a", "b", "c") | {("message", 9): Row("d", place_of(2, 2)), ("fact", 1): Row("e", 1)}
    late: Scores = {
        ("message", 1): 0.0,
        ("message", 2): 1.0,
        ("message", 3): 0.5,
        ("message", 9): 0.25,
        ("fact", 1): 0.75,
    }
    found = features(rows, channels={"late": late})
    assert found["before"] == pytest.approx([0.0, 0.0, 1.0, 0.0, 0.75])
    assert found["after"] == pytest.approx([1.0, 0.5, 0.0, 0.0, 0.75])
    assert found["session_late"] == pytest.approx([1.0, 1.0, 1.0, 0.25, 0.75])


def test_words_are_shares_of_the_best(store: MemoryStore) -> None:
    session = store.start_session().id
    for text in ("the canoe", "in the lake", "a canoe on the lake", "no", "hm", "well", "canoe"):
        store.add_message(session, "user", text)
    store.add_fact(FactDraft("canoe", "place", "lake"), asked_by="user")
    with store.database.read() as connection:
        lexicals: dict[OwnerKind, Lexical] = {
            kind: lexical(connection, ["canoe", "lake"], kind, store.space_id) for kind in ("message", "fact")
        }
        owners: list[Owner] = [("message", number) for number in (1, 2, 3, 5, 7)] + [("fact", 1)]
        rows = read_rows(connection, owners)
    found = features({owner: rows[owner] for owner in owners}, lexicals=lexicals)
    assert max(found["words"]) == max(found["window"]) == max(found["session"]) == 1.0
    assert found["words"][3] == found["window"][3] == 0.0 and found["session"][3] > 0
    assert found["words"][2] > found["words"][0] > 0 and found["window"][1] > found["window"][4] > 0
    assert len({found["session"][at] for at in range(5)}) == 1


def test_rows_are_read_with_their_places_and_speakers(store: MemoryStore) -> None:
    session = store.start_session().id
    store.add_message(session, "user", "hello")
    message = store.add_message(session, "user", "I'm Ana", speaker="Ana").id
    fact = store.add_fact(FactDraft("user", "name", "Ana", "she is Ana"), asked_by="user").after
    store.add_document("d", "d.txt", "a chunk", asked_by="user")
    assert fact is not None
    with store.database.read() as connection:
        found = read_rows(connection, [("message", message), ("fact", fact.id), ("chunk", 1), ("fact", 99)])
    assert found == {
        ("message", message): Row("I'm Ana", place_of(session, 1), "Ana"),
        ("fact", fact.id): Row("user name Ana she is Ana", fact.id),
        ("chunk", 1): Row("a chunk", 1),
    }


@pytest.mark.parametrize(
    ("named", "speaker", "other"),
    [
        ({"Ana"}, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
        ({"Ana", "Bo"}, [0.0] * 3, [0.0] * 3),
        (set(), [0.0] * 3, [0.0] * 3),
    ],
)
def test_who_spoke_counts_where_one_is_named(named: set[str], speaker: list[float], other: list[float]) -> None:
    rows = {("message", number): Row("x", number, name) for number, name in enumerate(("Ana", "Bo", ""), 1)}
    found = features(rows, Question("x", frozenset(named), False, False))  # type: ignore[arg-type]
    assert (found["speaker"], found["other_speaker"]) == (speaker, other)


def test_questions_and_reactions_are_seen() -> None:
    found = features(turns("is it? yes", "is it so? ", "Wow, great!", "we sold the boat", "Gladys came"))
    assert found["ends_asking"] == [0, 1, 0, 0, 0]
    assert found["asks"] == [1, 1, 0, 0, 0]
    assert found["reacts"] == [0, 0, 1, 0, 0]
    assert all(0.0 < length <= 1.0 for length in found["length"]) and found["length"][3] > found["length"][4]


def test_times_and_numbers_count_only_where_they_are_asked_for() -> None:
    rows = turns("we met last May", "in 1987", "three cats and 2 dogs", "the cat sat")
    when, many = Question("x", frozenset(), True, False), Question("x", frozenset(), False, True)
    assert features(rows, when)["timed"] == [1, 1, 0, 0] and features(rows, when)["counted"] == [0] * 4
    assert features(rows, many)["counted"] == [0, 1, 1, 0] and features(rows, many)["timed"] == [0] * 4


def test_the_time_that_a_question_names_is_matched_with_when_it_was_said_or_began() -> None:
    rows: dict[Owner, Row] = {**turns("a", "b"), ("fact", 1): Row("c", 1), ("fact", 2): Row("d", 2)}
    moments: dict[Owner, Candidate] = {
        ("message", 1): Candidate("2025-05-01T00:00:00.000000Z", 1.0, "user", None),
        ("message", 2): Candidate("2025-06-01T00:00:00.000000Z", 1.0, "user", None),
        ("fact", 1): Candidate(SAID, 1.0, "user", "2025-05-31T23:59:59.000000Z"),
        ("fact", 2): Candidate("2025-05-02T00:00:00.000000Z", 1.0, "user", "2020-01-01T00:00:00.000000Z"),
    }
    may = Question("x", frozenset(), False, False, "2025-05-01T00:00:00.000000Z", "2025-06-01T00:00:00.000000Z")
    assert features(rows, may, moments=moments)["in_time"] == [1, 0, 1, 0]
    assert features(rows, moments=moments)["in_time"] == [0] * 4
