"""Read-only SQL on a real PostgreSQL server, started for the test; left out where none is installed."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from memagent.errors import Cancelled, QueryError, StoreError
from memagent.memory.sql import QueryResult, read_only_query
from tests.memory.sql_cases import SECRET, fill

ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n)"


def _program(name: str) -> str | None:
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)
    return shutil.which(name) or (places[0] if places else None)


def _as_server(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        if os.getuid() == 0
        else [*command]
    )


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    initdb, server = _program("initdb"), _program("postgres")
    if not initdb or not server or (os.getuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("no PostgreSQL server is installed")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        data = str(Path(folder) / "data")
        arguments = ["-D", data, "-U", "memagent", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(_as_server(initdb, *arguments), check=True, capture_output=True, cwd=folder)
        options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", "fsync=off"]
        process = subprocess.Popen(_as_server(server, *options), stderr=subprocess.DEVNULL, cwd=folder)
        try:
            address = f"postgresql://memagent@127.0.0.1:{port}/postgres"
            _wait_for(address)
            fill(address.replace("postgresql://", "postgresql+psycopg://"), many=600)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address: str) -> None:
    for _ in range(100):
        try:
            psycopg.connect(address).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def query(url: str, sql: str, space: str | None = None, **limits: object) -> QueryResult:
    return read_only_query(url, sql, space=space, **limits)  # type: ignore[arg-type]


def test_a_person_reads_views_and_tables(url: str) -> None:
    result = query(url, "select id, space, value from current_facts order by id;")
    assert result.columns == ("id", "space", "value")
    assert result.rows == ((1, "home", "Hartnell"), (2, "work", SECRET))
    assert query(url, "select count(*) from facts").rows == ((2,),)
    assert query(url.replace("postgresql:", "postgresql+psycopg:"), "select 1").rows == ((1,),)


def test_rows_and_cells_are_capped(url: str) -> None:
    result = query(url, "select id from messages")
    assert len(result.rows) == 500 and result.truncated
    assert query(url, "select value from facts where id = 2", max_cell=5).rows == ((SECRET[:5] + "…",),)


@pytest.mark.parametrize("space", [None, "home"])
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select value from current_facts where value like 'Hart%'", (("Hartnell",),)),
        ("with recursive n(x) as (select 1 union all select x + 1 from n where x < 5) select count(*) from n", ((5,),)),
        ("with mine as (select * from current_facts) select count(*) from mine where space = 'home'", ((1,),)),
        ("select upper(value), length(value) from current_facts where id = 1", (("HARTNELL", 8),)),
        ("select role, count(*) from conversation where session_id = 1 group by role", (("user", 601),)),
        ("select x from (values (1), (2)) as v(x) order by x", ((1,), (2,))),
        ("select value || ';' from current_facts where id = 1", (("Hartnell;",),)),
        ("select cast(1.5 as numeric(4, 2)), coalesce(null, 'a')", (("1.50", "a"),)),
    ],
)
def test_ordinary_queries_run_in_both_scopes(url: str, space: str | None, sql: str, rows: object) -> None:
    assert query(url, sql, space).rows == rows


@pytest.mark.parametrize("view", ["current_facts", "fact_history", "conversation", "operation_log"])
def test_the_model_sees_the_rows_of_its_space_only(url: str, view: str) -> None:
    assert {row[0] for row in query(url, f"select space from {view}", "home").rows} == {"home"}
    assert query(url, f"select * from {view}", "o'clock").rows == ()


@pytest.mark.parametrize(
    "sql",
    [
        "select value from facts",
        "select value from public.facts",
        "select * from public.current_facts",
        'select * from "public"."current_facts"',
        'select * from U&"publi\\0063".facts',
        "select * from postgres.public.facts",
        "select count(*) from messages",
        "with current_facts as (select * from facts) select * from current_facts",
        "with f as (select * from public.facts) select * from f",
        "select table_name from information_schema.tables",
        "select relname from pg_class",
        "select * from pg_catalog.pg_views",
        "select query_to_xml('select * from public.facts', true, true, '')",
        "select * from current_facts, query_to_xml('select * from public.facts', true, true, '') as (x xml)",
        "with query_to_xml(a) as (select 1) select query_to_xml('select * from public.facts', true, true, '')",
        "select \"query_to_xml\"('select * from public.facts', true, true, '')",
        "select set_config('search_path', 'public', true), * from current_facts",
        "select pg_read_file('/etc/passwd')",
        "select pg_sleep(10)",
        "select lo_import('/etc/passwd')",
        "select current_setting('search_path')",
        "select cast(value as integer) from current_facts",
        "select * from current_facts where cast(value as integer) = 1 or id = 2",
        "select $$a$$",
        "select E'\\' || (select value from public.facts) --'",
        "select 1 /* '*/ from public.facts /*'*/",
        "table facts",
    ],
)
def test_no_way_out_of_the_space(url: str, sql: str) -> None:
    with pytest.raises(QueryError) as refusal:
        query(url, sql, "home")
    assert SECRET not in f"{refusal.value.message} {refusal.value.hint}"


@pytest.mark.parametrize("space", [None, "home"])
@pytest.mark.parametrize(
    "sql",
    [
        "insert into facts (value) values ('x')",
        "update facts set value = 'x'",
        "delete from facts returning *",
        "with gone as (delete from facts returning *) select * from gone",
        "drop table facts",
        "create table t (x int)",
        "create temp table t (x int)",
        "select * into t from current_facts",
        "select * from current_facts for update",
        "truncate facts",
        "copy facts to '/tmp/facts.txt'",
        "copy (select 1) to program 'touch /tmp/x'",
        "set transaction read write",
        "set transaction read write; delete from facts",
        "commit",
        "commit; delete from facts",
        "rollback",
        "select 1; delete from facts",
        "close answer",
        "do 'begin delete from facts; end'",
        "call nothing()",
        "listen x",
        "lock table facts",
        "select nextval('facts_id_seq')",
        "select setval('facts_id_seq', 1)",
        f"{ENDLESS} select count(*) from n",
        f"{ENDLESS} select x from n order by x",
        "select count(*) from conversation a, conversation b, conversation c, conversation d",
        "selec 1",
        ";",
        "select '",
        "\udcff",
    ],
)
def test_hostile_statements_are_refused_and_nothing_changes(url: str, sql: str, space: str | None) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError):
        query(url, sql, space)
    assert time.monotonic() - started < 4  # the server stops at 1 s, on a machine that may be busy
    assert query(url, "select count(*), min(value) from facts").rows == ((2, "Hartnell"),)


def test_cancelling_stops_a_running_query(url: str) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        query(url, f"{ENDLESS} select count(*) from n", seconds=30, cancel=cancel)
    assert time.monotonic() - started < 3


def test_a_wrong_column_names_the_right_ones(url: str) -> None:
    for space in (None, "home"):
        with pytest.raises(QueryError, match="columns of current_facts are id, space, kind"):
            query(url, "select colour from current_facts", space)


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        read_only_query("postgresql://nobody@127.0.0.1:1/none", "select 1", space=None)
