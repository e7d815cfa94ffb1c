"""`memagent sql` and `memagent db`."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run

QUERY = "select subject, value from current_facts"


def test_a_query_is_answered_in_three_formats(run: Run, boiler: int) -> None:
    assert run("sql", QUERY).stdout.splitlines() == ["subject  value", "boiler   Hartnell"]
    assert json.loads(run("sql", QUERY, "--json").stdout) == [{"subject": "boiler", "value": "Hartnell"}]
    table = csv.reader(io.StringIO(run("sql", QUERY, "--csv").stdout))
    assert list(table) == [["subject", "value"], ["boiler", "Hartnell"]]
    assert json.loads(run("sql", "-", "--json", input=QUERY).stdout) == [{"subject": "boiler", "value": "Hartnell"}]


@pytest.mark.parametrize(
    "query",
    [
        "delete from facts",
        "attach database '/tmp/x.db' as x",
        "select 1; drop table facts",
        "pragma writable_schema = on",
        "selec 1",
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
    ],
)
def test_what_is_no_quick_read_is_refused(run: Run, boiler: int, query: str) -> None:
    result = run("sql", query, "--seconds", "0.2", code=5)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert "Hartnell" in run("memories", "list").stdout


def test_rows_are_capped_and_the_cut_is_told(run: Run, boiler: int) -> None:
    result = run("sql", "select id from conversation", "--max-rows", "1", "--json")
    assert len(json.loads(result.stdout)) == 1
    assert "cut off" in result.stderr


def test_an_empty_query_and_two_formats_are_input_errors(run: Run, boiler: int) -> None:
    run("sql", " ", code=2)
    run("sql", QUERY, "--json", "--csv", code=2)
    run("sql", "-", input=b"select '\xff'", code=2)


def test_check_finds_a_sound_store_sound(run: Run, boiler: int) -> None:
    assert json.loads(run("db", "check", "--json").stdout)["ok"] is True
    run("db", "reindex")
    run("db", "upgrade")
    assert json.loads(run("db", "check", "--json").stdout)["ok"] is True


def test_check_tells_what_is_wrong(run: Run, boiler: int, home: Path) -> None:
    with closing(sqlite3.connect(home / "memory.db")) as connection:
        connection.execute("drop trigger fact_words_delete")
        connection.execute("insert into fact_words(fact_words) values ('delete-all')")
        connection.commit()
    assert "problem" in run("db", "check", code=3).output


def test_a_backup_is_a_whole_store_and_overwrites_nothing(run: Run, boiler: int, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    run("db", "backup", str(target))
    assert "Hartnell" in run("memories", "list", "--store", f"sqlite:///{target}").stdout
    before = target.read_bytes()
    run("db", "backup", str(target), code=2)
    assert target.read_bytes() == before
    run("db", "backup", str(tmp_path / "no" / "copy.db"), code=3)


def test_path_prints_where_it_is_and_hides_the_password(run: Run, home: Path) -> None:
    assert run("db", "path").stdout == f"{home / 'memory.db'}\n"
    shown = run("--store", "postgresql://ann:secret@host/db", "db", "path").stdout
    assert shown == "postgresql://ann:***@host/db\n"
