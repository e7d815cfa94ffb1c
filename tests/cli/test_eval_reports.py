"""`memagent eval report`, `compare`, `misses` and --system as a person, a script and CI use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from memagent.evals.results import Answer, HitRecord, Run, RunFolder, UsedFile, read_fills
from memagent.evals.systems.registry import NAMES
from tests.cli.conftest import Run as Command
from tests.evals.benchmarks.samples import LOCOMO, write_json

HOSTILE = "who\x1b[31m <b>asks</b>\nwhat | now"


@pytest.fixture
def kept(home: Path) -> Path:
    """Two runs of the same ten questions below the home folder, with hostile text in them."""
    for name, system, right in (("a", "memagent", 8), ("b", "bm25", 3)):
        run = Run("questions", system, (UsedFile("q.jsonl", "0" * 64),), "memagent", "", "", {"k": [5, 10]}, 0)
        hits = (HitRecord("message", 1, "t1", "gold \x1b[2J", 0.5, {"words": 1.0}, True),)
        with RunFolder(home / "evals" / name, run) as folder:
            folder.add(
                Answer(
                    f"q{number}", "talk", ("plain" if number % 2 else "odd|tag",), HOSTILE, "reply\x1b]0;x\x07",
                    ("wanted",), number < right, () if number < right else ("answer",),
                    {"match": float(number < right), "hit@5": 1.0}, hits, 5.0, 0.1, 50, 3, 100 * number,
                )
                for number in range(10)
            )  # fmt: skip
    return home / "evals"


def test_a_report_of_one_run_and_of_several(run: Command, kept: Path) -> None:
    one = run("eval", "report", "a").stdout
    assert "questions of q.jsonl (00000000); 10 answers" in one
    assert ["all", "10", "80.0"] in [line.split()[:3] for line in one.splitlines()]
    both = run("eval", "report", "a", str(kept / "b")).stdout
    rows = [line.split() for line in both.splitlines()]
    assert any(row[:2] == ["memagent", "100.0"] for row in rows) and any(row[:1] == ["bm25"] for row in rows)
    assert "10 questions that all were asked" in both and "in the window" in both
    newest = run("eval", "report").stdout
    assert newest.startswith("bm25: ")


def test_a_report_for_a_program_and_for_a_page(run: Command, kept: Path) -> None:
    data = json.loads(run("eval", "report", "a", "b", "--format", "json", "--watts", "30").stdout)
    assert [row["system"] for row in data["systems"]] == ["memagent", "bm25"]
    assert data["systems"][0]["joules"] == pytest.approx(3.0) and data["score"] == "match"
    assert data["by_category"][0]["points"]["all"]["share"] == 0.8
    page = run("eval", "report", "a", "--format", "md").stdout
    assert page.startswith("# Evaluation\n") and r"odd\|tag" in page and "\x1b" not in page


def test_plots_are_written_beside_the_report(run: Command, kept: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = run("eval", "report", "a", "b", "--plots", str(tmp_path / "plots"), "--format", "md")
    assert len(list((tmp_path / "plots").glob("*.png"))) == len(list((tmp_path / "plots").glob("*.svg"))) == 3
    assert "6 pictures in" in result.stderr and "tokens-per-answer.svg>)" in result.stdout
    (tmp_path / "file").touch()
    assert "cannot be written" in run("eval", "report", "a", "--plots", str(tmp_path / "file" / "x"), code=3).stderr


def test_what_changed_is_said_in_words_with_its_questions(run: Command, kept: Path) -> None:
    shown = run("eval", "compare", "b", "a", "--limit", "2").stdout
    assert "questions that pass: 30.0 % in bm25, 80.0 % in memagent: +50.0 points" in shown
    assert "p = 0.0625 (exact McNemar), not more than chance explains" in shown
    assert "3 pass in both, 2 in neither, 5 only in memagent, 0 only in bm25" in shown and "and 3 more" in shown
    assert "the runs differ in: system" in shown and "\x1b" not in shown
    data = json.loads(run("eval", "compare", "b", "a", "--json").stdout)
    assert [change["id"] for change in data["gained"]] == ["q3", "q4", "q5", "q6", "q7"] and data["lost"] == []
    assert data["tests"][0]["p"] == 0.0625 and data["tests"][0]["beyond_chance"] is False


def test_misses_are_read_with_their_hits(run: Command, kept: Path) -> None:
    result = run("eval", "misses", "a")
    assert result.stdout.count("  asked   ") == 2 and "2 of 10 answers did not pass" in result.stderr
    assert "found at rank 1, and not read out of it" in result.stdout and "  *  1    0.500  t1: gold" in result.stdout
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout
    few = run("eval", "misses", "b", "--tag", "odd|tag", "--limit", "1", "--hits", "0")
    assert few.stdout.count("  asked   ") == 1 and "the first 1 are shown" in few.stderr
    data = json.loads(run("eval", "misses", "b", "--json").stdout)
    assert len(data["misses"]) == 7 and data["misses"][0]["why"].startswith("what tells it was found")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("report", "none"), 4, "holds no run"),
        (("report", "a", "--bench", "none.json"), 4, "there is no file none.json"),
        (("report", "a", "--watts", "0"), 2, "0.0 is not in the range"),
        (("compare", "a", "none"), 4, "holds no run"),
        (("compare", "a"), 2, "Missing argument 'B'"),
        (("misses", "a", "--tag", "nobody"), 2, "nothing in this run has the tag or id 'nobody'"),
        (("misses", "."), 4, "holds no run"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: tuple[str, ...], code: int, said: str, run: Command, kept: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    result = run("eval", *arguments, code=code)
    assert said in result.stderr and result.stdout == ""


def test_a_run_that_was_edited_by_hand_is_refused_with_its_place(run: Command, kept: Path) -> None:
    with (kept / "a" / "answers.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": 3}\n')
    assert "answers.jsonl:11 is not an answer" in run("eval", "report", "a", code=2).stderr


def test_several_systems_are_shown_in_one_table_and_resumed(run: Command, tmp_path: Path) -> None:
    path = write_json(tmp_path / "locomo.json", LOCOMO)
    arguments = ("eval", "locomo", str(path), "--system", "no-memory,bm25,full-context", "--out", str(tmp_path / "out"))
    first = run(*arguments)
    rows = {line.split()[0]: line.split() for line in first.stdout.splitlines() if line.strip()}
    assert rows["bm25"][1:4] == ["100.0", "100.0", "100.0"] and rows["no-memory"][1:3] == ["0.0", "100.0"]
    assert read_fills(tmp_path / "out" / "bm25")[0].turns == 7
    again = run(*arguments, "--json")
    assert "5 of 5 questions are in" in again.stderr
    data = json.loads(again.stdout)
    assert [row["system"] for row in data["systems"]] == ["no-memory", "bm25", "full-context"]
    assert data["systems"][1]["adds_per_second"] > 0 and data["systems"][0]["adds_per_second"] is None
    assert "bm25" in run("eval", "report", str(tmp_path / "out")).stdout


def test_systems_that_cannot_be_run_are_refused(run: Command, tmp_path: Path) -> None:
    path = str(write_json(tmp_path / "locomo.json", LOCOMO))
    refused = run("eval", "locomo", path, "--system", "memagent,bm25", "--fail-under", "0.5", code=2)
    assert "--fail-under judges one system" in refused.stderr
    unknown = run("eval", "locomo", path, "--system", "bm26", code=2)
    assert all(name in unknown.stderr for name in NAMES)
    ranked = run("eval", "locomo", path, "--system", "window", "--no-answers", code=2)
    assert "window ranks nothing that could be judged" in ranked.stderr


def test_scenarios_run_on_baselines(run: Command, tmp_path: Path) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(
        "scenarios:\n  - id: boiler\n    sessions:\n"
        "      - [{say: 'the boiler gets its service from a company called Hartnell', stores: 1}]\n"
        "      - [{say: 'who looks after the boiler?', expect: Hartnell}]\n",
        encoding="utf-8",
    )
    arguments = ("eval", "run", str(file), "--system", "memagent,no-memory,bm25", "--jobs", "1")
    result = run(*arguments, "--out", str(tmp_path / "out"))
    rows = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line.strip()}
    assert (rows["memagent"][1], rows["no-memory"][1], rows["bm25"][1]) == ("100.0", "0.0", "100.0")
    assert result.stdout.startswith("One question\n")
    again = run(*arguments, "--out", str(tmp_path / "out"), "--json")
    assert json.loads(again.stdout)["systems"][2]["scores"] == {"pass rate": 1.0}
    assert "1 of 1 scenarios are in" in again.stderr
