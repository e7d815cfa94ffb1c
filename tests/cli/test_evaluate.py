"""`memagent eval run` and `schema` as a person, a script and CI use them, with the shipped model in real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memagent.cli.eval_options import SHARE
from memagent.evals.results import read_answers, read_run
from memagent.evals.scenarios.reading import SCHEMA
from tests.cli.conftest import Run

SUITE = """
suite: small
scenarios:
  - id: boiler
    tags: [single]
    sessions:
      - [{say: "the boiler gets its service from a company called Hartnell", stores: 1}]
      - - {filler_tokens: 400}
        - {say: "who looks after the boiler?", expect: Hartnell, reject: Hart}
  - id: killed
    tags: [kill]
    sessions:
      - {end: kill, turns: ["my sister Ingrid lives in Trondheim"]}
      - [{say: "where does my sister Ingrid live?", expect: Trondheim}]
  - id: wrong
    tags: [single]
    sessions:
      - [{say: "where does my brother live?", expect: Atlantis}]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "suite.yaml"
    file.write_text(SUITE, encoding="utf-8")
    return file


@pytest.mark.slow
def test_scenarios_are_played_kept_resumed_and_judged(run: Run, suite: Path, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = run("eval", "run", str(suite), "--json", "--jobs", "2", "--only", "boiler", "--out", str(folder))
    data = json.loads(first.stdout)
    assert data["pass_rate"] == 1.0 and [probe["id"] for probe in data["probes"]] == ["boiler#1.1", "boiler#2.2"]
    assert data["probes"][1]["distance_tokens"] > 400
    answers = read_answers(folder)

    whole = run("eval", "run", str(suite), "--jobs", "1", "--out", str(folder), "--fail-under", "90%", code=1)
    assert "1 of 3 scenarios are in" in whole.stderr and "the pass rate is 75.0%, below 90.0%" in whole.stderr
    lines = [line.split() for line in whole.stdout.splitlines()]
    assert ["all", "4", "3", "75.0", "%", "30.1", "-", "95.4", "3", "2"] in lines
    assert ["kill", "1", "1", "100.0", "%", "20.7", "-", "100.0", "1", "1"] in lines
    assert (
        "not so: wrong#1.1 (expect): 'where does my brother live?' -> " in whole.stdout
        and "wanted Atlantis" in whole.stdout
    )
    assert read_answers(folder)[:2] == answers, "what was there was run again"
    assert not (home / "memory.db").exists(), "the person's own store was touched"

    suite.write_text(SUITE.replace("Atlantis", "Bergen"), encoding="utf-8")
    refused = run("eval", "run", str(suite), "--out", str(folder), code=2)
    assert "differs in files" in refused.stderr


def test_a_run_says_what_it_was_of(run: Run, suite: Path, home: Path) -> None:
    options = [
        "--only",
        "wrong",
        "--space",
        "mine",
        "--in-process",
        "--repeat",
        "2",
        "--seed",
        "3",
        "--fail-under",
        "0",
    ]
    run("eval", "run", str(suite), *options)
    (folder,) = (home / "evals").iterdir()
    made = read_run(folder)
    assert (made.kind, made.model, made.seed, made.files[0].name) == ("scenarios", "memagent", 3, "suite.yaml")
    assert made.settings["space"] == "mine" and made.settings["restart"] == "none"
    assert [(answer.id, answer.repeat) for answer in read_answers(folder)] == [("wrong#1.1", 1), ("wrong#1.1", 2)]


def test_everything_wrong_with_a_file_is_told_with_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("scenarios:\n  - id: a\n    sessions:\n      - [{say: x, expct: y}]\n  - 7\n", encoding="utf-8")
    for options in ([], ["--check"]):
        result = run("eval", "run", str(file), *options, code=2)
        assert f"{file}:4: a turn has no key 'expct'; did you mean expect?" in result.stderr
        assert f"{file}:5: a scenario is not a mapping" in result.stderr
        assert "problems in the scenarios; nothing was run" in result.stderr and result.stdout == ""
    assert "no such file" in run("eval", "run", str(tmp_path / "none.yaml"), code=2).stderr


def test_files_can_be_checked_alone(run: Run, suite: Path, home: Path) -> None:
    result = run("eval", "run", str(suite), "--check")
    assert "3 scenarios, nothing wrong with them" in result.stderr and result.stdout == ""
    assert not home.exists()


def test_what_is_shipped_is_run_without_knowing_where_it_lies(run: Run, suite: Path) -> None:
    assert "nothing wrong" in run("eval", "run", "suite", "--check").stderr
    assert (
        "2 scenarios"
        in run("eval", "run", "suite/lists", str(suite), "--only", "boiler", "--only", "wrong", "--check").stderr
    )
    refused = run("eval", "run", "suite/list", code=2)
    assert "there is no suite/list" in refused.stderr and "suite/lists," in refused.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "nobody"], "no scenario has the tag or id 'nobody'"),
        (["--model", "no/such-model"], "no/such-model"),
        (["--in-process", "--jobs", "2"], "one process plays one session at a time"),
        (["--in-process"], "killed kills its process"),
        (["--fail-under", "200%"], "is no share"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(run: Run, suite: Path, options: list[str], message: str) -> None:
    result = run("eval", "run", str(suite), *options, code=6 if "--model" in options else 2)
    assert message in result.stderr and result.stdout == ""


@pytest.mark.parametrize(
    ("text", "share"), [("0.9", 0.9), ("90", 0.9), ("90%", 0.9), ("1", 1.0), ("1%", 0.01), ("0", 0.0)]
)
def test_a_share_may_be_written_as_people_do(text: str, share: float) -> None:
    assert SHARE.convert(text, None, None) == pytest.approx(share)


def test_the_schema_is_printed_for_editors(run: Run) -> None:
    assert json.loads(run("eval", "schema").stdout) == json.loads(SCHEMA.read_text(encoding="utf-8"))


def heed_interrupts() -> None:
    """In the child: heed Ctrl+C, even where the tests themselves were started to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_ctrl_c_ends_all_processes_and_what_was_answered_is_kept(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "long.yaml"
    quick = "{id: quick, sessions: [[{say: hello, stores: 0}]]}"
    endless = "{id: endless, sessions: [[{say: hello, stores: 0}], [{filler_tokens: 400000}, {say: hello, stores: 0}]]}"
    file.write_text(f"scenarios: [{quick}, {endless}]", encoding="utf-8")
    folder = tmp_path / "kept"
    marked = {**os.environ, "MEMAGENT_SPACE": f"interrupted-{os.getpid()}"}
    command = [sys.executable, "-m", "memagent", "eval", "run", str(file), "--out", str(folder), "--jobs", "1"]
    # small talk is prepared only where it is needed: not in this first run
    subprocess.run([*command, "--only", "quick"], env=marked, check=True, capture_output=True)
    running = subprocess.Popen(
        command, env=marked, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=heed_interrupts
    )
    deadline = time.monotonic() + 60
    while len(processes_of(marked["MEMAGENT_SPACE"])) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2)
    os.killpg(running.pid, signal.SIGINT)
    try:
        said = running.communicate(timeout=60)[1]
    finally:
        running.kill()
    assert running.returncode == 130, said
    assert "Traceback" not in said
    deadline = time.monotonic() + 15
    while processes_of(marked["MEMAGENT_SPACE"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_of(marked["MEMAGENT_SPACE"]) == []
    assert [answer.id for answer in read_answers(folder)] == ["quick#1.1"]


def processes_of(mark: str) -> list[int]:
    """Processes with a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]
