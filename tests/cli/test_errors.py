"""Whatever goes wrong is one line and a hint on stderr, with its exit code; never a traceback, and nothing is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from memagent.agent import assemble
from memagent.cli.log import LOG_FILE
from memagent.memory.database import Database
from memagent.memory.store import MemoryStore
from tests.cli.conftest import Run


def program(*arguments: str | bytes, input: bytes = b"", **options: object) -> subprocess.CompletedProcess[bytes]:
    """The program as a process of its own."""
    command = [sys.executable, "-m", "memagent", *arguments]
    return subprocess.run(command, input=input, capture_output=True, timeout=100, **options)  # type: ignore[call-overload, no-any-return]


def one_clear_line(result: subprocess.CompletedProcess[bytes], code: int) -> str:
    lines = result.stderr.decode().splitlines()
    assert result.returncode == code, result.stderr.decode()
    assert result.stdout == b""
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], lines
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["memories", "list"], 4, "memory.db"),
        (["sql", "select 1"], 4, "memory.db"),
        (["db", "check"], 4, "memory.db"),
        (["db", "upgrade"], 4, "memory.db"),
        (["--store", "memory.db", "memories", "list"], 2, "store"),
        (["--store", "mysql://h/d", "memories", "list"], 2, "store"),
        (["--store", "sqlite:////proc/none/x.db", "memories", "add", "a", "b", "c"], 3, "/proc/none"),
        (["--store", "postgresql://nobody@127.0.0.1:1/none", "memories", "list"], 3, "127.0.0.1"),
        (["--home", "/proc/none", "memories", "add", "a", "b", "c"], 3, "/proc/none"),
        (["--space", "", "memories", "list"], 2, "space"),
        (["memories", "show", "one"], 2, "one"),
        (["memories", "frobnicate"], 2, "frobnicate"),
        (["--bogus"], 2, "bogus"),
        (["ask"], 2, "message"),
        (["ask", ""], 2, "empty"),
        (["ask", " \n "], 2, "empty"),
        (["ask", "--new", "--session", "1", "hello"], 2, "--new"),
        (["memories", "add", "", "b", "c"], 2, "subject"),
        (["sessions", "resume"], 4, "memory.db"),
    ],
)
def test_bad_input_is_named(run: Run, arguments: list[str], code: int, word: str) -> None:
    result = run(*arguments, code=code)
    assert result.stdout == ""
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: ") and word in error
    assert hint.startswith("hint: ")


def test_a_reading_command_makes_no_store(run: Run, home: Path) -> None:
    run("memories", "list", code=4)
    assert not list(home.rglob("*"))


def test_text_that_is_not_utf8_is_refused_on_the_command_line_and_on_stdin(boiler: int) -> None:
    assert "valid text" in one_clear_line(program("ask", b"caf\xe9"), 2)
    assert "UTF-8" in one_clear_line(program("ask", "-", input=b"caf\xe9"), 2)
    assert "valid text" in one_clear_line(program("memories", "add", b"caf\xe9", "is", "open"), 2)
    assert "valid text" in one_clear_line(program("sessions", "search", b"caf\xe9"), 2)


def test_ten_megabytes_are_refused_without_being_stored(boiler: int, home: Path) -> None:
    size = (home / "memory.db").stat().st_size
    assert "100,000" in one_clear_line(program("ask", "-", input=b"x" * 10_000_000), 2)
    assert (home / "memory.db").stat().st_size == size


def test_a_store_of_a_newer_version_is_left_alone(run: Run, boiler: int, home: Path) -> None:
    with closing(sqlite3.connect(home / "memory.db")) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
        connection.commit()
    assert "newer" in run("memories", "list", code=3).stderr
    assert "newer" in run("memories", "add", "a", "b", "c", code=3).stderr


def test_a_file_that_is_no_store_is_left_alone(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but dear to somebody" * 100, encoding="utf-8")
    run("--store", f"sqlite:///{path}", "memories", "add", "a", "b", "c", code=3)
    assert path.read_text(encoding="utf-8").startswith("not a database")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("create table mine (x)")
    before = other.read_bytes()
    run("--store", f"sqlite:///{other}", "memories", "add", "a", "b", "c", code=3)
    assert other.read_bytes() == before


def test_a_locked_store_is_waited_for_and_then_named(
    run: Run, boiler: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Database.__init__.__kwdefaults__, "busy_seconds", 0.3)
    with closing(sqlite3.connect(home / "memory.db", isolation_level=None)) as connection:
        connection.execute("begin immediate")
        assert "in use" in run("memories", "add", "a", "b", "c", code=3).stderr
        assert "Hartnell" in run("memories", "list").stdout
        connection.execute("rollback")
    run("memories", "add", "a", "b", "c")


def test_a_closed_pipe_and_a_full_disk_end_quietly(store_url: str) -> None:
    with MemoryStore.open(store_url) as store:
        for number in range(400):
            store.start_session(title=f"{number} " + "x" * 200)
    command = f"'{sys.executable}' -m memagent sessions list --limit 1000"
    closed = subprocess.run(["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"], capture_output=True)
    assert (closed.returncode, closed.stderr) == (141, b"")
    full = subprocess.run(["bash", "-c", f"{command} > /dev/full"], capture_output=True)
    assert full.returncode == 3
    assert full.stderr.decode().splitlines()[0] == "error: there is no space left on the device"
    assert b"Traceback" not in full.stderr and b"Exception" not in full.stderr


def test_a_fault_of_ours_is_one_line_and_a_logged_traceback(
    run: Run, boiler: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("the sky fell\x1b[2J")

    monkeypatch.setattr(MemoryStore, "facts", broken)
    result = run("memories", "list", code=1)
    error, hint = result.stderr.splitlines()
    assert "the sky fell\\x1b[2J" in error
    assert str(home / LOG_FILE) in hint
    assert "RuntimeError: the sky fell" in (home / LOG_FILE).read_text(encoding="utf-8")


def test_a_fault_of_ours_in_a_thread_is_one_line_and_a_logged_traceback(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no model fell from the sky")

    monkeypatch.setattr(assemble, "load_models", broken)
    result = run("chat", input="hello\n", code=6)
    warning = next(line for line in result.stderr.splitlines() if line.startswith("warning: "))
    assert "no model fell from the sky" in warning and str(home / LOG_FILE) in warning
    assert "in broken" in (home / LOG_FILE).read_text(encoding="utf-8")
    assert "> hello" in run("sessions", "show", "1").stdout
