"""The plain format for questions of one's own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memagent.errors import InputError
from memagent.evals.benchmarks import questions
from memagent.evals.benchmarks.questions import load
from tests.evals.benchmarks.samples import QUESTIONS, write_lines


def test_sessions_and_questions_become_a_case(tmp_path: Path) -> None:
    (case,) = load(write_lines(tmp_path / "q.jsonl", QUESTIONS))
    turns = {turn.id: turn for _, _, turn in case.conversation.turns()}
    assert list(turns) == ["boat", "t2", "t3"]
    assert turns["boat"].speaker == "Anna" and turns["t3"].role == "assistant"
    bought, cat = case.questions
    assert bought.answers == ("a canoe", "canoe") and bought.evidence_sittings == ("s1",)
    assert bought.category == "things" and cat.category == "questions"
    assert not cat.answerable and cat.id == "anna:2"
    assert cat.asked_at == case.conversation.end > datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_questions_may_come_before_their_conversation_and_conversations_without_a_name_are_one(tmp_path: Path) -> None:
    data: list[dict[str, Any]] = [
        {"question": "what?", "answer": "tea", "date": "2026-04-01"},
        {"date": "2026-03-02", "turns": ["tea"]},
        {"date": "2026-03-01", "turns": ["coffee"]},
    ]
    (case,) = load(write_lines(tmp_path / "q.jsonl", data))
    assert [sitting.id for sitting in case.conversation.sittings] == ["s2", "s1"]
    assert case.questions[0].asked_at == datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"conversation": "anna"}, "neither a session with 'turns' nor a 'question'"),
        ({"question": "x", "turns": []}, "neither a session"),
        ({"question": "x", "conversation": "anna"}, "has no 'answer'"),
        ({"question": "x", "conversation": "anna", "answer": ""}, "has no 'answer'"),
        ({"question": "x", "conversation": "anna", "answer": 3}, "'answer' is not a list of texts"),
        ({"question": "x", "conversation": "bob", "answer": "y"}, "'bob' has no session"),
        ({"question": "x", "conversation": "anna", "answer": "y", "evidence": ["t9"]}, "'t9' is no turn"),
        ({"question": "x", "conversation": "anna", "answer": "y", "id": "bought"}, "'bought' is there twice"),
        ({"question": "x", "conversation": "anna", "answer": "y", "tag": "z"}, "there is no member 'tag'"),
        ({"conversation": "anna", "date": "soon", "turns": ["x"]}, "is not a date"),
        ({"conversation": "anna", "date": "2026-03-02", "session": "s1", "turns": ["x"]}, "'s1' is there twice"),
        ({"conversation": "anna", "date": "2026-03-02", "turns": [" "]}, "says nothing"),
        ({"conversation": "anna", "date": "2026-03-02", "turns": [{"text": "x", "id": "boat"}]}, "'boat' is there"),
        (
            {"conversation": "anna", "date": "2026-03-02", "turns": [{"text": "x", "role": "bot"}]},
            "'bot' is not a role",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_number(record: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said) as raised:
        list(load(write_lines(tmp_path / "q.jsonl", [*QUESTIONS, record])))
    assert "q.jsonl:4" in raised.value.message


def test_the_example_of_the_description_is_valid(tmp_path: Path) -> None:
    text = "\n".join(re.findall(r"^    (.*)$", questions.__doc__ or "", re.MULTILINE))
    path = tmp_path / "q.jsonl"
    path.write_text(re.sub(r",\n\s*", ", ", text), encoding="utf-8")
    (case,) = load(path)
    assert [turn.id for _, _, turn in case.conversation.turns()] == ["t1", "t2"]
    assert case.questions[0].evidence == ("t2",)
