"""Every command that the README shows is run, in order, in one home, and gives what the README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Shown:
    """One command of the README and the output below it; `…` stands for anything."""

    command: str
    output: str


def shown_commands() -> list[Shown]:
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Shown(command, output))
    return found


def pattern(output: str) -> str:
    """The output as a regular expression in which numbers, dates and the width of columns may differ."""
    lines = []
    for line in output.strip().splitlines():
        words = [re.sub(r"\\?\d+", r"\\d+", re.escape(word)).replace("…", ".*") for word in line.split()]
        lines.append(r"\s+".join(words))
    return r"\s+".join(lines)


def test_the_readme_shows_commands() -> None:
    assert len(shown_commands()) >= 10


@pytest.mark.slow
def test_every_command_of_the_readme_does_what_it_says(home: Path, tmp_path: Path) -> None:
    scripts = tmp_path / "bin"
    scripts.mkdir()
    (scripts / "memagent").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m memagent "$@"\n', encoding="utf-8")
    (scripts / "memagent").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "COLUMNS": "120",
    }
    for shown in shown_commands():
        if "sqlite3 " in shown.command and shutil.which("sqlite3") is None:
            continue
        result = subprocess.run(
            ["bash", "-c", shown.command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
        )
        said = result.stdout + result.stderr
        assert result.returncode == 0, f"$ {shown.command}\n{said}"
        for line in filter(None, map(pattern, shown.output.splitlines())):
            assert re.search(line, said), f"$ {shown.command}\nexpected: {line}\ngot:\n{said}"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 130, 141])
def test_every_exit_code_is_explained(code: int) -> None:
    from memagent.cli.group import EXIT_CODES

    assert re.search(rf"^\| `{code}` ", README, re.MULTILINE)
    assert re.search(rf"^  {code} ", EXIT_CODES, re.MULTILINE)


def test_every_setting_is_explained() -> None:
    from memagent.config import KEYS

    for name, key in KEYS.items():
        assert f"`{name}`" in README
        assert f"`{key.environment}`" in README
