"""The memories screen as a person uses it, key by key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from memagent.memory.records import FactDraft, SourceSpan
from memagent.memory.store import MemoryStore
from tests.tui.pages import PageApp, open_page, said, screen_text, typed, until
from tui.agent_app import POLL
from tui.screens.conflicts import ConflictDialog
from tui.screens.memories import MemoriesScreen
from tui.screens.memory_data import PAGE
from tui.screens.memory_form import AddDialog, EditDialog
from tui.widgets import FitTable

SIZE = (120, 36)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow machine has all the time it needs for the second press."""
    monkeypatch.setattr("tui.confirm.PATIENCE", 60.0)


def tell(store: MemoryStore, subject: str, attribute: str, value: str, **more: Any) -> int:
    change = store.add_fact(FactDraft(subject, attribute, value, **more), asked_by="user")
    assert change.after is not None
    return change.after.id


@pytest.fixture
def boiler(store: MemoryStore) -> int:
    """A fact told in a conversation, used in an answer, changed since; its id."""
    session = store.start_session("test", "the heating")
    message = store.add_message(session.id, "user", "The boiler gets its service from Hartnell.")
    span = SourceSpan(message.id, None, 33, 41, "Hartnell")
    old = tell(store, "boiler", "serviced by", "Hartnell", sources=(span,))
    change = store.update_fact(old, "Quixley", asked_by="user")
    assert change.after is not None
    store.add_message(session.id, "user", "Who services it?")
    hit = {"kind": "fact", "ref": change.after.id, "id": 1}
    recalled = {"event": "recalled", "query": "boiler", "hits": [hit], "milliseconds": 1.0}
    store.add_message(session.id, "assistant", "Quixley does.", events=[recalled])
    return change.after.id


def table(app: PageApp) -> list[str]:
    """The rows of the list as text."""
    found = app.screen.query_one(FitTable)
    return [" ".join(str(cell) for cell in found.get_row_at(number)) for number in range(found.row_count)]


def page(app: PageApp) -> str:
    return said(app.screen, "#detail-page")


async def test_the_list_shows_what_is_known_and_the_page_all_about_one(store: MemoryStore, boiler: int) -> None:
    tell(store, "dog", "name", "Biscuit")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 2)
        assert "2 memories" in screen_text(app)
        await pilot.press("down")
        await until(pilot, lambda: "Quixley" in page(app))
        shown = page(app)
        for words in ("holds from", "holds until", "told ", "replaced", "○ Hartnell", "● Quixley", "Used in answers"):
            assert words in shown
        assert "Who services it?" in shown and "Quixley does." in shown
        assert "update by user" in shown


async def test_a_source_is_shown_in_its_context(store: MemoryStore, boiler: int) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 1)
        screen = app.screen
        assert isinstance(screen, MemoriesScreen)
        old = store.history(boiler)[0].id
        screen.show_fact(old)
        await until(pilot, lambda: "Told in" in page(app))
        assert "The boiler gets its service from Hartnell." in page(app) and "“the heating”" in page(app)
        assert "user: Who services it?" in page(app)


async def test_search_as_you_type_by_keyword_vector_or_both(store: MemoryStore, boiler: int) -> None:
    tell(store, "dog", "name", "Biscuit")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 2)
        await pilot.press("slash")
        await typed(pilot, "quix")
        await until(pilot, lambda: len(table(app)) == 1)
        assert "Quixley" in table(app)[0] and "keyword" in table(app)[0]
        await pilot.press("enter", "m")  # keyword
        await until(pilot, lambda: "vector" not in table(app)[0])
        await pilot.press("m")  # vector: the nearest, whatever the words
        await until(pilot, lambda: len(table(app)) == 2 and "keyword" not in "".join(table(app)))
        await pilot.press("escape")
        await until(pilot, lambda: "2 memories" in said(app.screen, "#memories-status"))


async def test_filters_narrow_the_list_and_a_bad_date_is_told(store: MemoryStore, boiler: int) -> None:
    tell(store, "Oslo trip", "leaves on", "12 June", kind="plan", valid_from=datetime(2026, 6, 12, tzinfo=UTC))
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 2)
        app.screen.query_one("#kind").value = "plan"  # type: ignore[attr-defined]
        await until(pilot, lambda: len(table(app)) == 1 and "Oslo" in table(app)[0])
        await pilot.press("escape")
        app.screen.query_one("#about").focus()
        await typed(pilot, "boi")
        await until(pilot, lambda: len(table(app)) == 1 and "boiler" in table(app)[0])
        app.screen.query_one("#state").value = "retired"  # type: ignore[attr-defined]
        await until(pilot, lambda: len(table(app)) == 1 and "Hartnell" in table(app)[0])
        app.screen.query_one("#since").focus()
        await typed(pilot, "someday")
        await until(pilot, lambda: "not a date or time" in said(app.screen, "#memories-status"))
        assert "Hartnell" in table(app)[0]
        await pilot.press("escape")
        await until(pilot, lambda: len(table(app)) == 2)


async def test_a_memory_is_added_by_hand_and_a_mistake_loses_nothing(store: MemoryStore) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "Nothing is known yet" in page(app))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, AddDialog))
        await typed(pilot, "boiler")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "attribute of a fact is empty" in said(app.screen, ".fault"))
        await pilot.press("tab")
        await typed(pilot, "serviced by")
        await pilot.press("tab")
        await typed(pilot, "Hart\nnell")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen) and len(table(app)) == 1)
        (fact,) = store.facts()
        assert (fact.subject, fact.attribute, fact.value) == ("boiler", "serviced by", "Hart\nnell")
        assert any("remembered boiler" in words for words in app.told)


async def test_edit_then_undo(store: MemoryStore, boiler: int) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 1)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditDialog))
        await typed(pilot, "Bright")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen) and "Bright" in table(app)[0])
        assert [version.value for version in store.history(boiler)] == ["Hartnell", "Quixley", "Bright"]
        await pilot.press("u")
        await until(pilot, lambda: "Quixley" in table(app)[0])
        assert store.facts()[0].id == boiler


async def test_an_edit_of_kind_and_dates_keeps_the_claim(store: MemoryStore) -> None:
    fact_id = tell(store, "Oslo trip", "with", "Ada")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 1)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditDialog))
        app.screen.query_one("#kind").value = "plan"  # type: ignore[attr-defined]
        app.screen.query_one("#since").focus()
        await typed(pilot, "2026-06-12")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen))
        fact = store.fact(fact_id)
        assert (fact.kind, fact.value, fact.valid_from) == ("plan", "Ada", datetime(2026, 6, 12, tzinfo=UTC))


async def test_forgetting_takes_two_presses_and_moving_away_disarms(store: MemoryStore, boiler: int) -> None:
    tell(store, "dog", "name", "Biscuit")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 2)
        await until(pilot, lambda: "Biscuit" in page(app))
        await pilot.press("d", "down", "up", "d")
        assert len(store.facts()) == 2
        assert sum("Press d again" in words for words in app.told) == 2
        await pilot.press("d")
        await until(pilot, lambda: len(table(app)) == 1)
        assert [fact.id for fact in store.facts()] == [boiler]


async def test_undo_after_forgetting_says_that_it_is_final_before_it_goes_further_back(store: MemoryStore) -> None:
    dog, cat = tell(store, "dog", "name", "Biscuit"), tell(store, "cat", "name", "Mo")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 2)
        await pilot.press("d", "d")
        await until(pilot, lambda: len(table(app)) == 1)
        assert [fact.id for fact in store.facts()] == [dog] and cat
        await pilot.press("u")
        await until(pilot, lambda: any("Forgetting is final" in words for words in app.told))
        assert len(store.facts()) == 1
        await pilot.press("u")
        await until(pilot, lambda: not table(app))
        await pilot.press("u")
        await until(pilot, lambda: any("nothing of it is left" in words for words in app.told[-1:]))


async def test_pin_and_unpin(store: MemoryStore, boiler: int) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == 1)
        await pilot.press("p")
        await until(pilot, lambda: table(app)[0].startswith("*"))
        assert store.fact(boiler).pinned
        await pilot.press("p")
        await until(pilot, lambda: not table(app)[0].startswith("*"))


async def test_a_queued_conflict_is_decided(store: MemoryStore) -> None:
    tell(store, "dog", "name", "Biscuit")
    tell(store, "dog", "name", "Toast", trust="import")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "1 decision waits" in said(app.screen, "#memories-status"))
        await pilot.press("c")
        await until(
            pilot, lambda: isinstance(app.screen, ConflictDialog) and "Toast" in said(app.screen, "#conflict-page")
        )
        assert "an import says otherwise" in said(app.screen, "#conflict-page")
        await pilot.press("n")
        await until(pilot, lambda: "Nothing waits" in said(app.screen, "#conflict-page"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen) and len(table(app)) == 1)
        assert [fact.value for fact in store.facts()] == ["Toast"] and store.conflicts() == []


async def test_what_another_program_writes_appears_within_two_seconds(store: MemoryStore) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "Nothing is known yet" in page(app))
        with MemoryStore.open(store.url) as other:
            tell(other, "dog", "name", "Biscuit")
        await until(pilot, lambda: len(table(app)) == 1)
    assert POLL <= 1.0


async def test_a_long_list_is_loaded_as_the_cursor_moves(store: MemoryStore) -> None:
    for number in range(PAGE + 30):
        tell(store, f"thing {number}", "colour", "blue")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == PAGE)
        assert f"the newest {PAGE} of more" in said(app.screen, "#memories-status")
        await pilot.press("ctrl+end")
        await until(pilot, lambda: len(table(app)) == PAGE + 30)
        assert f"{PAGE + 30} memories" in said(app.screen, "#memories-status")


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (200, 60)])
async def test_every_size_of_terminal_is_drawn(store: MemoryStore, boiler: int, size: tuple[int, int]) -> None:
    app = open_page("memories", store)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: len(table(app)) == 1)
        assert "boiler" in screen_text(app)
        await pilot.resize_terminal(40, 10)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, EditDialog))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MemoriesScreen))


async def test_a_memory_far_down_the_list_is_shown_when_it_is_asked_for(store: MemoryStore) -> None:
    first = tell(store, "boiler", "serviced by", "Hartnell")
    for number in range(PAGE + 5):
        tell(store, f"thing {number}", "colour", "blue")
    app = open_page("memories", store)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(table(app)) == PAGE)
        app.show_memory(first)
        await until(pilot, lambda: "Hartnell" in page(app))
        assert len(table(app)) == PAGE + 1
        await pilot.press("escape")
        await until(pilot, lambda: len(table(app)) == PAGE)
