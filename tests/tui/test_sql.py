"""The SQL screen as a person uses it, and 50,000 rows."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import pytest
from textual.widgets import DataTable, Tree

from memagent.memory.records import FactDraft
from memagent.memory.store import MemoryStore
from tests.tui.pages import PageApp, open_page, said, screen_text, typed, until
from tui.dialogs import AskDialog, TextDialog
from tui.screens.sql import BATCH, SqlScreen
from tui.screens.sql_data import CELL, FETCH
from tui.screens.sql_editor import Completions, SqlEditor
from tui.screens.sql_picker import PickDialog

SIZE = (120, 36)
COUNTING = """
with recursive n(i) as (select 1 union all select i + 1 from n where i < {})
select i, 'row ' || i as words from n"""
LONG = f"""
with recursive n(i) as (select 1 union all select i + 1 from n where i < {CELL})
select 1 as n, 'b' || group_concat('00', '') || 'e' as long from n union all select 2, null; -- all"""
ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


@pytest.fixture
def boiler(store: MemoryStore) -> MemoryStore:
    store.add_fact(FactDraft("boiler", "serviced by", "Hartnell"), asked_by="user")
    return store


def rows(app: PageApp) -> DataTable[object]:
    return app.screen.query_one("#rows", DataTable)


def editor(app: PageApp) -> SqlEditor:
    return app.screen.query_one(SqlEditor)


def first_cell(app: PageApp) -> str:
    return str(rows(app).get_row_at(0)[0]) if rows(app).row_count else ""


def status(app: PageApp) -> str:
    return said(app.screen, "#sql-status") if isinstance(app.screen, SqlScreen) else ""


async def test_the_first_query_is_there_and_f5_runs_it(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("f5")
        await until(pilot, lambda: "1 row ·" in status(app))
        assert [str(cell) for cell in rows(app).get_row_at(0)][:3] == ["boiler", "serviced by", "Hartnell"]
        assert editor(app).is_syntax_aware


async def test_the_schema_is_browsed_and_a_name_taken_from_it(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        tree = app.screen.query_one(Tree)
        await until(pilot, lambda: len(tree.root.children) == 2)
        assert "current_facts" in screen_text(app)
        editor(app).text = "select * from "
        editor(app).move_cursor((0, 14))
        tree.focus()
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: editor(app).text == "select * from fact_history")
        tree.focus()
        await pilot.press("space")
        await until(pilot, lambda: "attribute text" in screen_text(app))
        await pilot.press("f9")
        assert not tree.display


async def test_only_the_statement_at_the_cursor_runs(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        editor(app).text = "select 'one;' as a;\nselect 'two' as b; -- second\n\nselect 'three' as c"
        for row, expected in ((0, "one;"), (1, "two"), (3, "three")):
            editor(app).move_cursor((row, 8))
            await pilot.press("f5")
            await until(pilot, lambda text=expected: first_cell(app) == text)


async def test_completions_open_while_typing_and_tab_takes_one(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: editor(app).relations)
        editor(app).clear()
        await typed(pilot, "sel")
        popup = app.screen.query_one(Completions)
        await until(pilot, lambda: popup.is_open)
        await pilot.press("tab")
        await typed(pilot, " value from curr")
        await pilot.press("tab")
        await typed(pilot, " f where f.att")
        await until(pilot, lambda: popup.is_open and popup.choices[0].text == "attribute")
        await pilot.press("escape")
        assert not popup.is_open and editor(app).has_focus
        await pilot.press("ctrl+@", "down", "up", "enter")
        await until(pilot, lambda: editor(app).text == "select value from current_facts f where f.attribute")
        await typed(pilot, " \nl")
        await until(pilot, lambda: popup.is_open)
        await pilot.press("enter")  # not touched: the person wants a new line
        assert editor(app).text.endswith("\nl\n") and not popup.is_open


async def test_what_is_not_a_query_is_refused_with_a_hint_and_changes_nothing(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        for sql, words in (
            ("delete from facts", "only SELECT"),
            ("selec 1", "syntax error"),
            ("select nonsense from facts", "columns of facts are"),
            ("", "no statement at the cursor"),
        ):
            editor(app).text = sql
            await pilot.press("f5")
            await until(pilot, lambda words=words: words in status(app))
        assert len(boiler.facts()) == 1


async def test_escape_stops_a_query_that_does_not_end(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        editor(app).text = ENDLESS
        await pilot.press("f5")
        await until(pilot, lambda: "Esc stops it" in status(app))
        await pilot.press("escape")
        assert "stopped" in status(app)
        await until(pilot, lambda: len(boiler.operations(name="query")) == 1)
        assert "cancelled" in str(boiler.operations(name="query")[0].result)
        editor(app).text = "select 1 as one"
        await pilot.press("f5")
        await until(pilot, lambda: "1 row ·" in status(app))


async def test_many_rows_never_hold_up_the_screen_and_are_counted_honestly(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        editor(app).text = COUNTING.format(FETCH + 10_000)
        slowest = 0.0

        async def look() -> bool:
            """Whether rows are there; meanwhile the longest time that the screen took for one turn of its loop."""
            nonlocal slowest
            before = time.thread_time()
            await pilot._wait_for_screen()
            slowest = max(slowest, time.thread_time() - before)
            return rows(app).row_count > 0

        await pilot.press("f5")
        give_up = time.monotonic() + 60
        while not await look():
            assert time.monotonic() < give_up
        assert slowest < 1.0
        assert f"{BATCH} of more than {FETCH:,} rows" in status(app)
        assert rows(app).row_count == BATCH
        rows(app).focus()
        await pilot.press("ctrl+end")
        await until(pilot, lambda: rows(app).row_count == 2 * BATCH)
        assert f"{2 * BATCH:,} of more than {FETCH:,} rows" in status(app)
        editor(app).text = COUNTING.format(BATCH + 1)
        editor(app).focus()
        await pilot.press("f5")
        await until(pilot, lambda: f"{BATCH} of {BATCH + 1} rows" in status(app))


async def test_a_long_cell_is_read_in_full_when_it_is_opened(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        editor(app).text = LONG
        await pilot.press("f5")
        await until(pilot, lambda: "2 rows" in status(app))
        assert "long cells cut" in status(app)
        rows(app).focus()
        await pilot.press("right", "space")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        text = said(app.screen, "VerticalScroll > Static")
        assert text == "b" + "00" * CELL + "e"
        await pilot.press("escape", "down", "enter")
        await until(
            pilot, lambda: isinstance(app.screen, TextDialog) and said(app.screen, "VerticalScroll > Static") == "NULL"
        )


async def test_history_and_examples_are_put_into_the_editor(boiler: MemoryStore) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("f8")
        await until(pilot, lambda: any("no query has been run" in words for words in app.told))
        editor(app).text = "select 'first' as a"
        await pilot.press("f5")
        await until(pilot, lambda: "1 row ·" in status(app))
        editor(app).text = ""
        await pilot.press("f8")
        await until(pilot, lambda: isinstance(app.screen, PickDialog))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SqlScreen) and editor(app).text == "select 'first' as a\n")
        await pilot.press("f7")
        await until(pilot, lambda: isinstance(app.screen, PickDialog))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, SqlScreen) and "group by subject" in editor(app).text)
        assert editor(app).statement.startswith("select subject, count(*)")


async def test_what_is_forgotten_leaves_the_history_too(store: MemoryStore) -> None:
    change = store.add_fact(FactDraft("door", "code", "XK-4711-Q"), asked_by="user")
    app = open_page("sql", store)
    async with app.run_test(size=SIZE) as pilot:
        editor(app).text = "select * from facts where value = 'XK-4711-Q'"
        await pilot.press("f5")
        await until(pilot, lambda: "1 row ·" in status(app))
    assert change.after is not None
    assert "XK-4711-Q" in str(store.operations(name="query")[0].arguments)
    store.forget_fact(change.after.id, asked_by="user")
    assert "XK-4711-Q" not in str(store.operations(name="query")[0].arguments)


async def test_all_rows_are_exported_and_nothing_is_overwritten(boiler: MemoryStore, tmp_path: Path) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("run a query first" in words for words in app.told))
        editor(app).text = COUNTING.format(1234)
        await pilot.press("f5")
        await until(pilot, lambda: "of 1,234 rows" in status(app))
        for name in ("a.csv", "a.json"):
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, AskDialog))
            answer = app.screen.query_one("#answer")
            answer.value = str(tmp_path / "none" / "a.txt")  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: "neither CSV nor JSON" in said(app.screen, ".fault"))
            answer.value = str(tmp_path / name)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, SqlScreen))
        with (tmp_path / "a.csv").open(encoding="utf-8") as file:
            assert list(csv.reader(file))[-1] == ["1234", "row 1234"]
        assert len(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == 1234
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, AskDialog))
        app.screen.query_one("#answer").value = str(tmp_path / "a.csv")  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: "exists already" in said(app.screen, ".fault"))


@pytest.mark.parametrize("size", [(80, 24), (20, 5)])
async def test_a_small_terminal_is_drawn(boiler: MemoryStore, size: tuple[int, int]) -> None:
    app = open_page("sql", boiler)
    async with app.run_test(size=size) as pilot:
        await pilot.press("f5")
        await until(pilot, lambda: rows(app).row_count == 1)
        assert not app.screen.query_one(Tree).display
        await pilot.press("f9")
        assert app.screen.query_one(Tree).display and screen_text(app)
