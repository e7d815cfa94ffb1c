"""Sessions in processes of their own, with the shipped models: new each time, killed, hanging, broken, stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from memagent.config import Settings
from memagent.errors import ModelError
from memagent.evals.scenarios.format import FIRST_DAY, Checks, Sitting, Step
from memagent.evals.scenarios.play import Session, Turn, read_record
from memagent.evals.scenarios.processes import Player, Processes, may_fork, reason_of

TELL = Sitting((Step("the boiler gets its service from a company called Hartnell"),))
ASK = Sitting((Step("who looks after the boiler?", checks=Checks(expect=("Hartnell",))),))
ENDLESS = Sitting((Step("hello"), Step(filler_tokens=5_000_000)))

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each session starts an interpreter")


def quiet(done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    folder = tmp_path_factory.mktemp("nursery")
    with Processes(Settings(folder, f"sqlite:///{folder / 'memory.db'}"), jobs=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def players(processes: Processes) -> list[Player]:
    return processes.prepare({7: 200}, quiet)


def session(folder: Path, sitting: Sitting, number: int = 1) -> Session:
    settings = Settings(folder, f"sqlite:///{folder / 'memory.db'}")
    return Session(settings, number, sitting, FIRST_DAY, 7, (), folder / f"{number}.jsonl", folder / f"{number}.log")


def replies(played: Session) -> list[str]:
    return [turn.reply for turn in read_record(played.record)]


@linux
def test_the_shipped_models_may_be_forked(processes: Processes) -> None:
    assert processes.loaded.forks and processes.loaded.model == "memagent"


@linux
def test_a_process_with_the_models_loaded_has_one_thread_and_sends_nothing() -> None:
    code = (
        "import os; from pathlib import Path; from memagent.config import Settings\n"
        "from memagent.evals.scenarios.processes import Shelf, may_fork\n"
        "Shelf(Settings(Path('.'), 'sqlite:///x')); print(may_fork(), os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["True", "1"]


def test_a_session_begins_with_the_database_alone(players: list[Player], tmp_path: Path) -> None:
    first, second = session(tmp_path, TELL, 1), session(tmp_path, ASK, 2)
    assert [players[0].play(first, 60), players[1].play(second, 60)] == ["", ""]
    assert "Hartnell" in replies(second)[0]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    third = session(elsewhere, ASK)
    assert players[0].play(third, 60) == ""
    assert "Hartnell" not in replies(third)[0], "something of another scenario was known"
    assert read_record(third.record)[0].failed == ("expect",)


def test_a_kill_right_after_the_reply_loses_nothing(players: list[Player], tmp_path: Path) -> None:
    first, second = session(tmp_path, replace(TELL, killed=True), 1), session(tmp_path, ASK, 2)
    assert players[0].play(first, 60) == ""
    assert (tmp_path / "memory.db-wal").exists(), "the process closed its database: it was not killed"
    assert players[0].play(second, 60) == "" and "Hartnell" in replies(second)[0]


def test_a_session_that_hangs_is_stopped_and_the_next_one_is_played(players: list[Player], tmp_path: Path) -> None:
    hanging = session(tmp_path, ENDLESS)
    started = time.monotonic()
    assert players[0].play(hanging, 3) == "session 1 was stopped after 3 seconds"
    assert time.monotonic() - started < 30
    assert len(read_record(hanging.record)) == 1, "what was answered before is known"
    assert players[0].play(session(tmp_path, ASK, 2), 60) == ""


def test_a_session_that_breaks_says_why(players: list[Player], tmp_path: Path) -> None:
    broken = session(tmp_path, ASK)
    (tmp_path / "memory.db").write_bytes(b"not a database at all" * 100)
    reason = players[0].play(broken, 60)
    assert reason.startswith("the process of session 1 failed: ") and "memory.db" in reason
    assert "Traceback" in broken.errors.read_text()


def test_how_a_process_ended_is_told_in_words(tmp_path: Path) -> None:
    asked, killed = session(tmp_path, ASK), session(tmp_path, replace(ASK, killed=True))
    assert reason_of(asked, 0, True, 9) == reason_of(killed, -9, True, 9) == ""
    assert reason_of(asked, -11, True, 9) == "the process of session 1 was ended by SIGSEGV"
    assert reason_of(asked, -9, True, 9) == "the process of session 1 was ended by SIGKILL"
    assert reason_of(killed, 0, True, 9) == "the process of session 1 failed: exit code 0"
    assert reason_of(asked, -9, False, 9) == "session 1 was stopped after 9 seconds"


def test_stopping_ends_what_is_being_played(tmp_path: Path) -> None:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'memory.db'}")
    with Processes(settings, jobs=1) as processes:
        (player,) = processes.prepare({7: 0}, quiet)
        hanging = session(tmp_path, ENDLESS)
        thread = threading.Thread(target=player.play, args=(hanging, 600), daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not read_record(hanging.record) and time.monotonic() < deadline:
            time.sleep(0.1)
        processes.stop()
        thread.join(15)
        assert not thread.is_alive()


def test_a_nursery_that_dies_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with Processes(Settings(tmp_path, f"sqlite:///{tmp_path / 'memory.db'}"), jobs=1) as processes:
        (player,) = processes.prepare({7: 0}, quiet)
        processes._process.kill()
        processes._process.join(10)
        with pytest.raises(ModelError, match="has ended") as error:
            player.play(session(tmp_path, ASK), 60)
        assert "--out" in error.value.hint


def test_a_model_that_cannot_be_loaded_is_an_error_here(tmp_path: Path) -> None:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'memory.db'}", model="no/such-model")
    with pytest.raises(ModelError, match="no/such-model"):
        Processes(settings, jobs=1)


@pytest.mark.slow
def test_without_a_fork_each_session_starts_an_interpreter(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "loaded", replace(processes.loaded, forks=False))
    player = processes.prepare({}, quiet)[0]
    first, second = session(tmp_path, replace(TELL, killed=True), 1), session(tmp_path, ASK, 2)
    assert [player.play(first, 60), player.play(second, 60)] == ["", ""]
    assert "Hartnell" in replies(second)[0]


def test_a_process_with_a_second_thread_may_not_fork() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert not may_fork()
    finally:
        done.set()
        thread.join()


def test_a_record_that_was_cut_off_keeps_its_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "record"
    assert read_record(file) == []
    file.write_text(json.dumps(asdict(Turn(1, 4, "hi"))) + '\n{"number": 2, "sa')
    assert read_record(file) == [Turn(1, 4, "hi")]
