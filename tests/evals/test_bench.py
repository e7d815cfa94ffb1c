"""Benchmarks run and print their tables; the figures themselves depend on the machine and are in docs/log.md."""

from __future__ import annotations

import pytest

from memagent.evals.bench import search, startup, store, timing, turn


def rows(output: str) -> dict[str, list[float]]:
    """The figures of a table, by the name of the row."""
    return {line[:44].strip(): list(map(float, line[44:].split())) for line in output.splitlines()[2:]}


def test_the_store_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    store.main(["--facts", "30", "--writes", "12"])
    table = rows(capsys.readouterr().out)
    assert {"plain sqlite3, same work", "add_fact, new", "add_message", "forget_fact"} <= set(table)
    assert all(0 < p50 <= p95 <= longest for p50, p95, _, longest, *_ in table.values())
    assert table["add_fact, new"][-1] == 12


@pytest.mark.slow
def test_search_is_measured_exactly_and_through_the_index(capsys: pytest.CaptureFixture[str]) -> None:
    search.main(["--facts", "300", "--queries", "10", "--index"])
    table = rows(capsys.readouterr().out)
    assert {"raw numpy, exact", "search, all", "search through Chroma, all"} <= set(table)
    assert "Chroma alone, recall@10 1.0000" in table


@pytest.mark.slow
def test_turns_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    turn.main(["--facts", "20", "--turns", "2"])
    assert [name.split(",")[0] for name in rows(capsys.readouterr().out)] == ["ask", "state"]


@pytest.mark.slow
def test_start_up_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    startup.main(["--facts", "20", "--runs", "1"])
    table = rows(capsys.readouterr().out)
    assert {"memagent sql", "memagent memories list", "chat, new home: first prompt"} <= set(table)
    assert table["python -c pass"][0] < table["memagent sql"][0]


def test_percentiles_of_one_value_are_that_value() -> None:
    assert set(timing.percentiles([3.0])) == {3.0}
