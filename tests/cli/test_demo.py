"""The demonstration shows the main job, and fails when it does not hold."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from memagent.agent.assemble import Agent
from memagent.cli.demo import Step, check_reply, run_step
from memagent.config import load_settings
from memagent.memory.store import MemoryStore
from memagent.models.hash_embedder import HashEmbedder
from memagent.models.scripted import ScriptedModel


@pytest.mark.slow
def test_the_demo_holds_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    result = subprocess.run([sys.executable, "-m", "memagent", "demo"], capture_output=True, text=True, timeout=110)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "NOT SO" not in result.stdout
    assert "context windows of 2048" in result.stdout
    before, _, after = result.stdout.partition("A new process")
    assert "boiler gets its service" in before and "Hartnell" in after
    assert not list(tmp_path.glob("memagent-demo-*"))


@pytest.fixture
def agent(store_url: str) -> Agent:
    agent = Agent(MemoryStore.open(store_url), "scripted")
    agent.give(ScriptedModel(["I do not know.", "It is Acme."]), HashEmbedder())
    return agent


def test_a_step_that_does_not_hold_is_reported(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    with agent:
        session = agent.store.start_session().id
        settings = load_settings()
        assert run_step(agent, settings, session, Step("who?", declines=True)) == []
        step = Step("what is acme?", expect=("Hartnell",), sql="select 1 as one", rows=0)
        assert len(run_step(agent, settings, session, step)) == 2
    assert capsys.readouterr().out.count("NOT SO") == 2


@pytest.mark.parametrize(
    ("reply", "held"),
    [
        ("I don't know that.", True),
        ("You never told me.", True),
        ("The code for the shed (you told me).", False),
        ("", False),
    ],
)
def test_only_a_reply_that_says_so_declines(reply: str, held: bool) -> None:
    assert all(check_reply(Step("?", declines=True), reply).values()) is held
