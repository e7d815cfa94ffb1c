"""Read-only SQL on SQLite: what must run, and every attack that must not."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memagent.errors import Cancelled, InputError, MemagentError, NotFoundError, QueryError, StoreBusyError
from memagent.memory.sql import QueryResult, read_only_query
from tests.memory.sql_attacks import ATTACKS, ENDLESS, ESCAPES
from tests.memory.sql_cases import SECRET, fill


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "memory.db"
    fill(f"sqlite:///{path}", many=600)
    return path


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    path = tmp_path / "my store" / "memory.db"
    path.parent.mkdir()
    shutil.copy(filled, path)
    return path


def query(path: Path, sql: str, space: str | None = None, **limits: object) -> QueryResult:
    return read_only_query(f"sqlite:///{path}", sql, space=space, **limits)  # type: ignore[arg-type]


def content(path: Path) -> dict[str, str]:
    """Hash of every file beside the store, apart from the shared memory and the log that any reader may make."""
    return {
        str(file.relative_to(path.parent)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.parent.rglob("*")
        if file.is_file()
        and not (file.name.endswith("-shm") or (file.name.endswith("-wal") and not file.stat().st_size))
    }


# --- what must run ---------------------------------------------------------------------------------------------------


def test_a_person_reads_views_and_tables(store: Path) -> None:
    result = query(store, "select id, space, value from current_facts order by id;")
    assert result.columns == ("id", "space", "value")
    assert result.rows == ((1, "home", "Hartnell"), (2, "work", SECRET))
    assert not result.truncated and result.milliseconds > 0
    assert query(store, "select count(*) from facts").rows == ((2,),)
    assert ("facts",) in query(store, "select name from sqlite_master where type = 'table'").rows


@pytest.mark.parametrize("space", [None, "home"])
@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("with recursive n(x) as (select 1 union all select x + 1 from n where x < 5) select count(*) from n", ((5,),)),
        ("with recursive n(x) as (select 1 union all select x + 1 from n where x < 3) select sum(x) from n", ((6,),)),
        ("with mine as (select * from current_facts) select count(*) from mine where space = 'home'", ((1,),)),
        ("with a as (select 1 as x), b as (select x + 1 as y from a) select x, y from a, b", ((1, 2),)),
        (
            "select role, count(*) from conversation where session_id = 1 group by role having count(*) > 1",
            (("user", 601),),
        ),
        ("select upper(value) from current_facts where value like 'hart%'", (("HARTNELL",),)),
        ("select instr(value, 'nell'), replace(value, 'nell', '!') from current_facts where id = 1", ((5, "Hart!"),)),
        (
            "select trim(' a '), trim('xax', 'x'), ltrim('xa', 'x'), rtrim('ax', 'x'), instr(null, 'a')",
            (("a", "a", "a", "a", None),),
        ),
        ("select date('2026-03-02', '+1 day'), strftime('%Y', '2026-03-02')", (("2026-03-03", "2026"),)),
        ("select json_extract(arguments, '$.value') from operation_log where space = 'home'", (("Hartnell",),)),
        ("select value from json_each('[1, 2]')", ((1,), (2,))),
        ("select rank() over (order by id) from fact_history where space = 'home'", ((1,),)),
        ("values (1, 'a'), (2, 'b')", ((1, "a"), (2, "b"))),
        ("select * from (select value from current_facts where space = 'home') as x", (("Hartnell",),)),
        ("select VALUE from CURRENT_FACTS where SPACE = 'home'", (("Hartnell",),)),
        ("select c.value from fact_history h join current_facts c using (id) where c.id = 1", (("Hartnell",),)),
        ("select exists (select 1 from current_facts), null, 1.5, 'é'", ((1, None, 1.5, "é"),)),
        (
            "with a as (select 1 as x), b as (select a.x from a, a c) select b.x, d.x from b, b d",
            ((1, 1),),
        ),
        ("-- a comment\nselect 1 /* another */", ((1,),)),
    ],
)
def test_ordinary_queries_run_in_both_scopes(store: Path, space: str | None, sql: str, rows: object) -> None:
    assert query(store, sql, space).rows == rows


def test_a_person_may_use_full_text_search(store: Path) -> None:
    rows = query(store, "select rowid from fact_words where fact_words match 'hartnell' order by bm25(fact_words)").rows
    assert rows == ((1,),)


def test_rows_and_cells_are_capped(store: Path) -> None:
    result = query(store, "select id from messages")
    assert len(result.rows) == 500 and result.truncated
    assert len(query(store, "select id from messages", max_rows=602).rows) == 602
    assert not query(store, "select id from messages", max_rows=602).truncated
    result = query(store, "select value, x'00ff' from facts where id = 2", max_cell=5)
    assert result.rows == ((SECRET[:5] + "…", "<2 bytes>"),) and result.truncated


def test_undecodable_text_and_infinite_numbers_are_shown(store: Path) -> None:
    assert query(store, "select cast(x'41ff42' as text), 9e999").rows == (("A\ufffdB", float("inf")),)


def test_a_ten_megabyte_message_can_be_read_by_its_person(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("update messages set content = ? where id = 10", ("x" * 10_000_000,))
        connection.commit()
    assert query(store, "select length(content), content from messages where id = 10", max_cell=3).rows == (
        (10_000_000, "xxx…"),
    )
    assert query(store, "select id from conversation where id = 10", "home").rows == ((10,),)
    with pytest.raises(QueryError, match="too long"):
        query(store, "select content from conversation where id = 10", "home")


def test_reading_goes_on_while_another_process_writes(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("update facts set value = 'changed' where id = 1")
        assert query(store, "select value from facts where id = 1").rows == (("Hartnell",),)
        writer.execute("commit")
    assert query(store, "select value from facts where id = 1").rows == (("changed",),)


# --- the model sees one space ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["current_facts", "fact_history", "conversation", "operation_log"])
def test_the_model_sees_the_rows_of_its_space_only(store: Path, view: str) -> None:
    assert {row[0] for row in query(store, f"select space from {view}", "home").rows} == {"home"}
    assert {row[0] for row in query(store, f"select space from {view}", "work").rows} == {"work"}
    assert query(store, f"select * from {view}", "nowhere").rows == ()
    assert query(store, f"select count(*) from {view}", "work").rows == ((1,),)


@pytest.mark.parametrize("space", ["o'clock", "a'; drop table facts; --", "' or '1'='1", 'say "hi"', "", "%", "é"])
def test_any_name_of_a_space_is_only_a_name(store: Path, space: str) -> None:
    assert query(store, "select * from current_facts", space).rows == ()


@pytest.mark.parametrize("sql", ESCAPES)
def test_no_way_out_of_the_space(store: Path, sql: str) -> None:
    with pytest.raises(QueryError) as refusal:
        query(store, sql, "home")
    assert SECRET not in f"{refusal.value.message} {refusal.value.hint}"
    assert refusal.value.hint


def test_explaining_a_query_shows_no_other_rows(store: Path) -> None:
    assert SECRET not in str(query(store, "explain query plan select * from current_facts", "home").rows)


# --- attacks: refused or stopped within two seconds, nothing changed --------------------------------------------------


@pytest.mark.parametrize("space", [None, "home"])
@pytest.mark.parametrize("sql", ATTACKS, ids=range(len(ATTACKS)))
def test_hostile_statements_are_refused_and_nothing_changes(store: Path, sql: str, space: str | None) -> None:
    with closing(sqlite3.connect(store.parent / "other.db")) as other:
        other.execute("create table t (x)")
    before = content(store)
    started = time.process_time()  # all of it is work: on a machine that is busy the clock tells of others, too
    with pytest.raises(QueryError) as refusal:
        query(store, sql.replace("{folder}", str(store.parent)), space)
    assert time.process_time() - started < 2
    assert content(store) == before
    assert refusal.value.hint and "\n" not in refusal.value.message.strip()
    with closing(sqlite3.connect(store, timeout=0)) as after:  # nothing was left locked
        after.execute("begin exclusive")


@pytest.mark.parametrize("space", [None, "home"])
def test_endless_rows_end_at_the_cap(store: Path, space: str | None) -> None:
    started = time.process_time()
    result = query(store, f"{ENDLESS} select x from n", space)
    assert len(result.rows) == 500 and result.truncated
    result = query(store, f"{ENDLESS} select x, (select max(content) from conversation) from n", space, max_rows=3)
    assert len(result.rows) == 3
    assert time.process_time() - started < 2


def test_memory_stays_bounded_under_attack(store: Path) -> None:
    program = f"""
import resource
from memagent.errors import QueryError
from memagent.memory.sql import read_only_query
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for sql in (
    {ENDLESS + " select group_concat(x) from n"!r},
    {ENDLESS + " select json_group_array(x) from n"!r},
    {ENDLESS + " select x from n order by x desc"!r},
    "select hex(randomblob(400000000))",
):
    try:
        read_only_query({f"sqlite:///{store}"!r}, sql, space="home")
    except QueryError:
        pass
    else:
        raise SystemExit("not refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert int(done.stdout) < 200  # MB


def test_the_time_limit_is_kept(store: Path) -> None:
    started, used = time.monotonic(), time.process_time()
    with pytest.raises(QueryError, match="stopped after 0.2 seconds"):
        query(store, f"{ENDLESS} select count(*) from n", seconds=0.2)
    assert time.monotonic() - started > 0.15 and time.process_time() - used < 1


def test_cancelling_stops_a_running_query(store: Path) -> None:
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    started = time.process_time()
    with pytest.raises(Cancelled):
        query(store, f"{ENDLESS} select count(*) from n", seconds=30, cancel=cancel)
    assert time.process_time() - started < 2
    with pytest.raises(Cancelled):
        query(store, "select 1", cancel=cancel)


# --- errors that help ------------------------------------------------------------------------------------------------


def test_a_wrong_column_names_the_right_ones(store: Path) -> None:
    with pytest.raises(QueryError) as error:
        query(store, "select colour from current_facts", "home")
    assert error.value.message.startswith(
        "no such column: colour; columns of current_facts are id, space, kind, subject"
    )
    with pytest.raises(QueryError, match="columns of facts are id, space_id"):
        query(store, "select colour from facts")


def test_a_wrong_table_names_the_views(store: Path) -> None:
    for space in (None, "home"):
        with pytest.raises(QueryError, match="no such table: memories; there are current_facts, fact_history"):
            query(store, "select * from memories", space)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("delete from facts", "only SELECT is possible here"),
        ("attach 'x' as y", "ATTACH is not possible here"),
        ("pragma query_only = 0", "PRAGMA is not possible here"),
        ("begin", "transactions are not possible here"),
        ("select zeroblob(1)", r"the function zeroblob\(\) is not available here"),
        ("select 1; select 2", "only one statement at a time"),
        ("select * from facts f, messages m, 'x", "unrecognized token"),
    ],
)
def test_refusals_say_what_was_refused(store: Path, sql: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        query(store, sql)


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        query(tmp_path / "none.db", "select 1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes " * 100)
    with pytest.raises(QueryError, match="not a sound database"):
        query(path, "select * from t")
    assert path.read_text().startswith("these are notes")


def test_a_database_without_views_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table t (x)")
    with pytest.raises(QueryError, match="none of the views"):
        query(path, "select 1", "home")


def test_a_database_held_by_another_process_is_busy(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as holder:
        holder.execute("pragma journal_mode = delete")
        holder.execute("begin exclusive")
        with pytest.raises(StoreBusyError):
            query(store, "select * from facts", seconds=0.3)


@pytest.mark.parametrize("url", ["", "memory.db", "mysql://h/d", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_url_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        read_only_query(url, "select 1", space=None)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(InputError) as error:
        read_only_query("mysql://ann:hunter2@host/db", "select 1", space=None)
    assert "hunter2" not in error.value.message + error.value.hint


def test_an_odd_path_is_opened(filled: Path, tmp_path: Path) -> None:
    path = tmp_path / "a?b#c é.db"
    shutil.copy(filled, path)
    url = f"sqlite:///{str(path).replace('?', '%3F')}"
    assert read_only_query(url, "select count(*) from facts", space=None).rows == ((2,),)


WORDS = """
    select from where current_facts facts main . , ( ) * value space id = 'home' 'work' with as union join conversation
    using order by limit 1 count ; -- /* */ " ' [ ] ` temp sqlite_master natural
"""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(WORDS.split()),
        max_size=12,
    ).map(" ".join)
)
def test_no_mixture_of_words_leaves_the_space(filled: Path, tail: str) -> None:
    for sql in (tail, f"select {tail}", f"select * from {tail}", f"with {tail}"):
        try:
            result = query(filled, sql, "home")
        except MemagentError:
            continue
        assert SECRET not in str(result.rows)


def test_the_module_starts_without_heavy_libraries() -> None:
    program = (
        "import sys; from memagent.memory.sql import read_only_query; import memagent.memory.sql_sqlite;"
        "print([name for name in ('sqlalchemy', 'numpy', 'chromadb', 'alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"
