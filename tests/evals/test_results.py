"""A run's folder: what was run, every answer as it was made, resumed where it stopped and never mixed with another."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from memagent.errors import InputError, NotFoundError, StoreBusyError, StoreReadOnlyError
from memagent.evals.results import (
    ANSWERS_FILE,
    LOG_FILE,
    RUN_FILE,
    Answer,
    HitRecord,
    Run,
    RunFolder,
    UsedFile,
    differences,
    read_answers,
    read_run,
    run_folder,
    used_file,
)

RUN = Run(
    kind="scenarios",
    system="memagent",
    files=(UsedFile("a.yaml", "00"),),
    model="memagent",
    embedder="e",
    mode="",
    settings={"context_tokens": 2048, "jobs": 2},
    seed=7,
)
HIT = HitRecord("message", 3, "D3:4", "the boiler", 0.5, {"dense": 0.4}, gold=True)
ANSWER = Answer(
    id="one#1.1",
    group="one",
    tags=("single", "far"),
    question="who?",
    reply="Ana “quoted”\n\ud800",
    expected=("Ana",),
    passed=False,
    failed=("reject",),
    scores={"f1": 0.25},
    hits=(HIT,),
    milliseconds=12.5,
    cpu_seconds=0.01,
    prompt_tokens=100,
    reply_tokens=3,
    distance_tokens=None,
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "new" / "run", RUN) as folder:
        folder.add([ANSWER, replace(ANSWER, repeat=2, distance_tokens=40)])
    assert read_run(folder.path) == RUN
    assert read_answers(folder.path) == [ANSWER, replace(ANSWER, repeat=2, distance_tokens=40)]
    assert RUN.machine["cores"] >= 1 and RUN.machine["cpu"] and RUN.version


def test_answers_are_on_the_disk_as_soon_as_they_are_added(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([ANSWER])
        assert read_answers(tmp_path) == [ANSWER]


def test_a_run_goes_on_where_it_stopped_and_keeps_what_is_there(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([ANSWER])
    with RunFolder(tmp_path, replace(RUN, started="later", settings={"context_tokens": 2048, "jobs": 8})) as folder:
        assert folder.done == {("one#1.1", 1)} and folder.answers == [ANSWER]
        assert folder.run == RUN
        folder.add([replace(ANSWER, reply="another"), replace(ANSWER, id="one#1.2")])
    assert [(answer.id, answer.reply) for answer in read_answers(tmp_path)] == [
        ("one#1.1", ANSWER.reply),
        ("one#1.2", ANSWER.reply),
    ]


def test_a_line_torn_by_a_crash_is_dropped(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([ANSWER])
    with (tmp_path / ANSWERS_FILE).open("ab") as file:
        file.write(b'{"id": "one#1.2", "gro')
    assert read_answers(tmp_path) == [ANSWER]
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([replace(ANSWER, id="one#1.2")])
    assert [answer.id for answer in read_answers(tmp_path)] == ["one#1.1", "one#1.2"]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (replace(RUN, kind="locomo"), "kind"),
        (replace(RUN, files=(UsedFile("a.yaml", "01"),)), "files"),
        (replace(RUN, model="other", seed=8), "model, seed"),
        (replace(RUN, settings={"context_tokens": 4096, "jobs": 2}), r"settings \(context_tokens\)"),
        (replace(RUN, version="9.9"), "version"),
    ],
)
def test_a_run_of_something_else_is_refused(tmp_path: Path, other: Run, named: str) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([ANSWER])
    with pytest.raises(InputError, match=f"differs in {named}$") as error:
        RunFolder(tmp_path, other)
    assert error.value.hint
    assert read_answers(tmp_path) == [ANSWER]


def test_runs_that_differ_only_in_when_and_how_fast_do_not_differ() -> None:
    later = replace(RUN, started="later", settings={"context_tokens": 2048, "jobs": 1})
    assert differences(RUN, later) == []
    assert differences(RUN, replace(later, settings={"jobs": 1, "mode": "x"})) == [
        "settings (context_tokens)",
        "settings (mode)",
    ]


def test_two_writers_are_one_too_many(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN), pytest.raises(StoreBusyError, match="another process"):
        RunFolder(tmp_path, RUN)
    RunFolder(tmp_path, RUN).close()


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(InputError, match="holds files that are no run"):
        RunFolder(tmp_path, RUN)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(StoreReadOnlyError, match="cannot be written"):
        RunFolder(tmp_path / "thesis.txt", RUN)


def test_what_is_no_run_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no run"):
        read_run(tmp_path)
    (tmp_path / RUN_FILE).write_text('{"files": []}')
    with pytest.raises(InputError, match="not a run of this version"):
        read_run(tmp_path)
    (tmp_path / ANSWERS_FILE).write_text('{"id": 1}\n')
    with pytest.raises(InputError, match=f"{ANSWERS_FILE}:1 is not an answer"):
        read_answers(tmp_path)


def test_a_number_that_json_does_not_know_is_not_written(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder, pytest.raises(ValueError, match="JSON"):
        folder.add([replace(ANSWER, scores={"f1": float("nan")})])
    assert read_answers(tmp_path) == []


def test_the_log_keeps_what_processes_said(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.log("one")
        folder.log("two\n")
    assert (tmp_path / LOG_FILE).read_text() == "one\ntwo\n"


def test_files_are_known_by_their_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"abc")
    assert used_file(file).sha256.startswith("ba7816bf")
    assert used_file(file).name == "a.yaml"
    with pytest.raises(NotFoundError):
        used_file(tmp_path / "b.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        used_file(tmp_path)


def test_a_new_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    first = run_folder(tmp_path, "locomo")
    assert first.parent == tmp_path / "evals" and first.name.startswith("locomo-") and not first.exists()
    first.mkdir(parents=True)
    assert run_folder(tmp_path, "locomo") != first


def test_every_line_is_json_for_other_programs(tmp_path: Path) -> None:
    with RunFolder(tmp_path, RUN) as folder:
        folder.add([ANSWER])
    (line,) = (tmp_path / ANSWERS_FILE).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["hits"][0]["source"] == "D3:4"
