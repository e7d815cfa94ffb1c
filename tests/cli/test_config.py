"""Settings from the command line, the environment, the file, and the command that writes the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_config_set_is_seen_by_the_next_run(run: Run, home: Path) -> None:
    run("config", "set", "context_tokens", "4096")
    run("config", "set", "space", 'it\'s "mine"')
    shown = {item["name"]: item for item in json.loads(run("config", "show", "--json").stdout)}
    assert shown["context_tokens"]["value"] == 4096
    assert shown["space"]["value"] == 'it\'s "mine"'
    assert shown["space"]["source"] == run("config", "path").stdout.strip()
    assert "context_tokens" in run("config", "show").stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [("context_tokens", "many"), ("store", "x.db"), ("space", " "), ("now", "soon"), ("vector_url", "x")],
)
def test_a_value_that_cannot_be_used_is_refused(run: Run, home: Path, name: str, value: str) -> None:
    assert name in run("config", "set", name, value, code=2).stderr
    assert not (home / "config.toml").exists()


def test_a_broken_file_is_named(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("space = \n", encoding="utf-8")
    assert "config.toml" in run("config", "show", code=2).stderr
    (home / "config.toml").write_bytes(b"space = '\xff'\n")
    assert "config.toml" in run("memories", "list", code=2).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_the_program(run: Run, shell: str) -> None:
    assert "_MEMAGENT_COMPLETE" in run("completion", shell).stdout
