"""`memagent eval locomo`, `longmemeval` and `questions` as a person, a script and CI use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memagent.evals.results import read_answers
from tests.cli.conftest import Run
from tests.evals.benchmarks.samples import LOCOMO, LONGMEMEVAL, QUESTIONS, write_json, write_lines


@pytest.fixture
def locomo(tmp_path: Path) -> Path:
    return write_json(tmp_path / "locomo.json", LOCOMO)


def test_locomo_shows_its_tables_with_published_figures_and_keeps_the_run(
    run: Run, locomo: Path, home: Path, tmp_path: Path
) -> None:
    result = run("eval", "locomo", str(locomo), "--k", "5,1", "--cache", str(tmp_path / "cache"))
    lines = [line.split() for line in result.stdout.splitlines()]
    header = next(line for line in lines if line[:2] == ["questions", "n"])
    assert header[2:5] == ["recall@1", "hit@1", "all@1"]
    assert any(line[:3] == ["cat", "1-4", "3"] for line in lines)
    assert "memagent, may decline" in result.stdout and "Mem0, gpt-4o-mini" in result.stdout
    (folder,) = (home / "evals").iterdir()
    assert folder.name.startswith("locomo-") and len(read_answers(folder)) == 5
    assert str(folder) in result.stderr


def test_the_json_is_one_object_and_nothing_else(run: Run, locomo: Path, tmp_path: Path) -> None:
    arguments = ("eval", "locomo", str(locomo), "--no-answers", "--json", "--out", str(tmp_path / "kept"))
    data = json.loads(run(*arguments).stdout)
    assert data["system"] == "memagent" and data["questions"] == 5 and "f1" not in data["by_tag"]["cat 1-4"]["scores"]
    assert data["by_tag"]["cat 1-4"]["scores"]["recall@5"] == 1.0
    again = run(*arguments)
    assert json.loads(again.stdout) == data and "5 of 5 questions are in" in again.stderr


def test_a_share_below_the_target_is_exit_code_one(run: Run, locomo: Path, tmp_path: Path) -> None:
    kept = ("eval", "locomo", str(locomo), "--no-answers", "--out", str(tmp_path / "kept"))
    run(*kept, "--fail-under", "90%", "--metric", "recall@5")
    failed = run(*kept, "--fail-under", "0.9", "--metric", "recall@10", "--limit", "1", code=2)
    assert "differs in settings (limit)" in failed.stderr
    missing = run(*kept, "--metric", "f2", code=2)
    assert "no question has the score 'f2'" in missing.stderr and "recall@5" in missing.stderr


def test_longmemeval_shows_both_protocols(run: Run, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "l.jsonl", LONGMEMEVAL)
    result = run("eval", "longmemeval", str(path), "--no-answers", "--limit", "2")
    assert "Official protocol: sessions, user turns only" in result.stdout and "MemoryKG" in result.stdout
    failed = run("eval", "longmemeval", str(path), "--fail-under", "1", "--metric", "match", code=1)
    assert "the match is" in failed.stderr


def test_questions_of_ones_own_are_answered_and_their_format_is_described(run: Run, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.jsonl", QUESTIONS)
    result = run("eval", "questions", str(path), "--fail-under", "100%")
    assert "Answers" in result.stdout
    assert '"turns": [' in run("eval", "questions", "--format").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("locomo", "{missing}"), 4, "there is no file"),
        (("locomo", "{questions}"), 2, "has no 'sample_id'"),
        (("longmemeval", "{locomo}"), 2, "has no 'question_id'"),
        (("questions", "{locomo}"), 2, "neither a session"),
        (("locomo", "{locomo}", "--system", "nobody"), 2, "there is no system 'nobody'"),
        (("locomo", "{locomo}", "--k", "five"), 2, "are no depths"),
        (("locomo", "{locomo}", "--k", "0"), 2, "are no depths"),
        (("locomo", "{locomo}", "--limit", "0"), 2, "not in the range"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: tuple[str, ...], code: int, said: str, run: Run, locomo: Path, tmp_path: Path
) -> None:
    places = {
        "missing": tmp_path / "none",
        "locomo": locomo,
        "questions": write_lines(tmp_path / "q.jsonl", QUESTIONS),
    }
    result = run("eval", *(argument.format(**places) for argument in arguments), code=code)
    assert said in result.stderr and not list((tmp_path / "home").glob("evals/*"))
