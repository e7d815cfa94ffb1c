"""`memagent sessions` over a real store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_conversations_are_listed_found_and_read(run: Run, boiler: int) -> None:
    listed = json.loads(run("sessions", "list", "--json").stdout)
    assert [(s["title"], s["messages"]) for s in listed] == [("the boiler", 2)]
    assert "the boiler" in run("sessions", "search", "hartnell").stdout
    assert run("sessions", "search", "zebra").stdout == ""
    assert run("sessions", "show", "1").stdout.splitlines() == ["> the boiler is serviced by Hartnell", "Noted."]


def test_a_conversation_is_renamed(run: Run, boiler: int) -> None:
    run("sessions", "rename", "1", "heating")
    assert "heating" in run("sessions", "list").stdout


def test_export_writes_once_and_never_over(run: Run, boiler: int, tmp_path: Path) -> None:
    assert "## user" in run("sessions", "export", "1").stdout
    data = json.loads(run("sessions", "export", "1", "--format", "json").stdout)
    assert [message["content"] for message in data["messages"]] == ["the boiler is serviced by Hartnell", "Noted."]
    target = tmp_path / "out.md"
    run("sessions", "export", "1", "-o", str(target))
    assert "Hartnell" in target.read_text(encoding="utf-8")
    target.write_text("mine", encoding="utf-8")
    run("sessions", "export", "1", "-o", str(target), code=2)
    assert target.read_text(encoding="utf-8") == "mine"
    run("sessions", "export", "1", "-o", str(tmp_path / "no" / "folder.md"), code=2)


def test_deleting_needs_a_yes_and_keeps_the_facts(run: Run, boiler: int) -> None:
    run("sessions", "delete", "1", code=2)
    run("sessions", "delete", "1", "--yes")
    assert json.loads(run("sessions", "list", "--json").stdout) == []
    assert "Hartnell" in run("memories", "list").stdout


def test_unknown_conversations_have_their_exit_code(run: Run, boiler: int) -> None:
    for arguments in (["show", "9"], ["rename", "9", "x"], ["delete", "9", "--yes"], ["export", "9"], ["resume", "9"]):
        assert "9" in run("sessions", *arguments, code=4).stderr
