"""The command line as a function, and stores to run it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from memagent.cli import main
from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run a command; `code` is the exit code that it must have."""

    def call(*arguments: str, code: int = 0, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=input)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


@pytest.fixture
def store_url(home: Path) -> str:
    """URL of the default store in the test's home."""
    home.mkdir(exist_ok=True)
    return f"sqlite:///{home / 'memory.db'}"


@pytest.fixture
def boiler(store_url: str) -> int:
    """A store with one fact, told in a conversation; the fact's id."""
    with MemoryStore.open(store_url) as store:
        session = store.start_session("test", "the boiler")
        store.add_message(session.id, "user", "the boiler is serviced by Hartnell")
        store.add_message(session.id, "assistant", "Noted.")
        change = store.add_fact(FactDraft("boiler", "serviced by", "Hartnell"), asked_by="user", session_id=session.id)
    assert change.after is not None
    return change.after.id
