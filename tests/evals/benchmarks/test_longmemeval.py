"""LongMemEval's official files, and what is wrong with one that is not."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memagent.errors import InputError
from memagent.evals.benchmarks.longmemeval import alternatives, load
from tests.evals.benchmarks.samples import LONGMEMEVAL, longmemeval_sample, write_json, write_lines

Change = Callable[[dict[str, Any]], object]


def test_the_array_the_lines_and_the_gzipped_lines_are_the_same(tmp_path: Path) -> None:
    array = write_json(tmp_path / "l.json", LONGMEMEVAL)
    lines = write_lines(tmp_path / "l.jsonl", LONGMEMEVAL)
    packed = tmp_path / "l.jsonl.gz"
    packed.write_bytes(gzip.compress(lines.read_bytes()))
    assert list(load(array)) == list(load(lines)) == list(load(packed))


def test_a_question_brings_its_sessions_oldest_first_with_the_official_ids_of_turns(tmp_path: Path) -> None:
    case, _ = load(write_json(tmp_path / "l.json", LONGMEMEVAL))
    assert [sitting.id for sitting in case.conversation.sittings] == ["s-bread", "answer_garden", "s-car"]
    turns = {turn.id: turn for _, _, turn in case.conversation.turns()}
    assert "answer_garden_3" not in turns and turns["answer_garden_4"].role == "user"  # the blank one was numbered
    assert turns["answer_garden_2"].role == "assistant"
    (question,) = case.questions
    assert question.answers == ("40",) and question.category == "single-session-user"
    assert question.evidence == ("answer_garden_1",) and question.evidence_sittings == ("answer_garden",)
    assert question.asked_at == datetime(2023, 6, 24, 3, 58, tzinfo=UTC)


def test_a_question_about_what_was_never_told_has_no_answer(tmp_path: Path) -> None:
    _, case = load(write_json(tmp_path / "l.json", LONGMEMEVAL))
    (question,) = case.questions
    assert not question.answerable and question.answers == ()
    assert question.evidence_sittings == ("answer_cat",)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("7 days. 8 days (including the last day) is also acceptable.", ("7 days", "8 days")),
        ("11 days (or 12 days, if April 15th to 22nd is considered as 8 days)", ("11 days", "12 days")),
        ("the 'Walk for Hunger' charity event", ("the 'Walk for Hunger' charity event",)),
        ("Patagonia and Southwest Airlines.", ("Patagonia and Southwest Airlines.",)),
    ],
)
def test_the_answers_that_the_file_accepts_are_told_apart(answer: str, expected: tuple[str, ...]) -> None:
    assert alternatives(answer) == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.pop("question_id"), "record 1 has no 'question_id'"),
        (lambda s: s["haystack_dates"].pop(), "has 3 sessions, 3 ids, 2 dates"),
        (lambda s: s.update(haystack_session_ids="x"), "is not a list of texts"),
        (lambda s: s.update(haystack_session_ids=["a", "a", "b"]), "session 'a' is there twice"),
        (lambda s: s.update(question_date="yesterday"), "cannot be read"),
        (lambda s: s.update(haystack_dates=["2023/13/01 (Mon) 10:00"] * 3), "cannot be read"),
        (lambda s: s["haystack_sessions"][1][0].update(role="system"), "session s-bread, turn 1: 'system' is not"),
        (lambda s: s["haystack_sessions"][1].append(3), "session s-bread, turn 3 is not an object"),
        (lambda s: s.pop("answer"), "has no 'answer'"),
    ],
)
def test_what_is_wrong_with_a_question_is_said_with_its_place(change: Change, said: str, tmp_path: Path) -> None:
    sample = longmemeval_sample()
    change(sample)
    with pytest.raises(InputError, match=said):
        list(load(write_json(tmp_path / "l.json", [sample])))
