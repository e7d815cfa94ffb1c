"""`memagent memories` over a real store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_a_memory_is_added_listed_corrected_and_explained(run: Run) -> None:
    added = json.loads(run("memories", "add", "boiler", "serviced by", "Hartnell", "--json").stdout)
    fact_id = str(added["after"]["id"])
    assert "Hartnell" in run("memories", "list").stdout
    changed = json.loads(run("memories", "update", fact_id, "Brightwell", "--reason", "moved", "--json").stdout)
    assert changed["before"]["value"] == "Hartnell"
    newest = str(changed["after"]["id"])
    history = json.loads(run("memories", "history", newest, "--json").stdout)
    assert [fact["value"] for fact in history] == ["Hartnell", "Brightwell"]
    assert "Brightwell" in run("memories", "why", newest).stdout


def test_a_list_can_be_narrowed(run: Run) -> None:
    run("memories", "add", "boiler", "serviced by", "Hartnell")
    run("memories", "add", "Ingrid", "lives in", "Trondheim", "--kind", "note")
    assert [f["value"] for f in json.loads(run("memories", "list", "--kind", "note", "--json").stdout)] == ["Trondheim"]
    assert [f["value"] for f in json.loads(run("memories", "list", "--subject", "boiler", "--json").stdout)] == [
        "Hartnell"
    ]
    assert json.loads(run("memories", "list", "--until", "2001-01-01", "--json").stdout) == []
    assert len(json.loads(run("memories", "list", "--limit", "1", "--json").stdout)) == 1


def test_what_was_replaced_is_listed_on_request(run: Run, boiler: int) -> None:
    run("memories", "update", str(boiler), "Brightwell")
    assert "Hartnell" not in run("memories", "list").stdout
    assert "Hartnell" in run("memories", "list", "--retired").stdout
    assert len(json.loads(run("memories", "list", "--all", "--json").stdout)) == 2


def test_undo_takes_back_the_last_change(run: Run, boiler: int) -> None:
    run("memories", "update", str(boiler), "Brightwell")
    run("memories", "undo")
    assert "Hartnell" in run("memories", "list").stdout
    assert "Brightwell" not in run("memories", "list").stdout


def test_undo_says_when_there_is_nothing_to_take_back(run: Run, boiler: int) -> None:
    run("memories", "undo")
    assert "no change to take back" in run("memories", "undo", code=2).stderr


def test_forgetting_asks_where_it_can_and_refuses_where_it_cannot(run: Run, boiler: int, home: Path) -> None:
    assert "--yes" in run("memories", "forget", str(boiler), code=2).stderr
    assert "Hartnell" in run("memories", "list").stdout
    run("memories", "forget", str(boiler), "--yes")
    assert run("memories", "list").stdout == ""
    assert not [path for path in home.rglob("*") if path.is_file() and b"Hartnell" in path.read_bytes()]


def test_an_unknown_id_is_told_apart_by_its_exit_code(run: Run, boiler: int) -> None:
    for command in ("show", "why", "history"):
        assert "99" in run("memories", command, "99", code=4).stderr
    run("memories", "update", "99", "x", code=4)
    run("memories", "forget", "99", "--yes", code=4)
    run("memories", "pin", "99", code=4)
    run("memories", "resolve", "99", "keep-new", code=4)


def test_dates_that_are_none_are_named(run: Run, boiler: int) -> None:
    result = run("memories", "list", "--since", "the day of the flood", code=2)
    assert "the day of the flood" in result.stderr
    assert result.stdout == ""


def test_search_finds_by_meaning_and_shows_the_channels(run: Run, boiler: int) -> None:
    hits = json.loads(run("memories", "search", "who looks after the heating?", "--json").stdout)
    assert "Hartnell" in hits[0]["text"]
    assert hits[0]["channels"]
    run("memories", "search", "  ", code=2)


def test_pinning_and_the_log(run: Run, boiler: int) -> None:
    run("memories", "pin", str(boiler))
    assert json.loads(run("memories", "show", str(boiler), "--json").stdout)["pinned"] is True
    run("memories", "pin", str(boiler), "--off")
    assert json.loads(run("memories", "show", str(boiler), "--json").stdout)["pinned"] is False
    assert "add" in run("memories", "log").stdout


def test_contradicting_claims_wait_for_a_decision(run: Run) -> None:
    from memagent.memory.records import FactDraft
    from memagent.memory.store import MemoryStore

    run("memories", "add", "boiler", "serviced by", "Hartnell")
    url = "sqlite:///" + run("db", "path").stdout.strip()
    with MemoryStore.open(url) as store:
        store.add_fact(FactDraft("boiler", "serviced by", "Acme", trust="document"), asked_by="import")
    waiting = json.loads(run("memories", "conflicts", "--json").stdout)
    assert [(c["newer"]["value"], c["older"]["value"]) for c in waiting] == [("Acme", "Hartnell")]
    run("memories", "resolve", str(waiting[0]["id"]), "keep-old")
    assert json.loads(run("memories", "conflicts", "--json").stdout) == []
    assert [f["value"] for f in json.loads(run("memories", "list", "--json").stdout)] == ["Hartnell"]


def test_spaces_are_apart(run: Run) -> None:
    run("memories", "add", "boiler", "serviced by", "Hartnell", "--space", "home")
    run("--space", "work", "memories", "add", "printer", "serviced by", "Acme")
    assert [f["value"] for f in json.loads(run("memories", "list", "--space", "home", "--json").stdout)] == ["Hartnell"]
    assert [f["value"] for f in json.loads(run("memories", "list", "--space", "work", "--json").stdout)] == ["Acme"]


def test_hostile_text_is_shown_harmless(run: Run) -> None:
    run("memories", "add", "boiler", "note", "\x1b[2J\u202eevil")
    shown = run("memories", "list").stdout
    assert "\\x1b[2J\\u202eevil" in shown
    assert "\x1b" not in shown
