"""Benchmarks run and print their tables; the figures themselves depend on the machine and are in docs/log.md."""

from __future__ import annotations

import pytest

from memagent.evals.bench import others, search, size, startup, store, timing, turn


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
    search.main(["--facts", "300", "--queries", "10", "--index", "--turns"])
    table = rows(capsys.readouterr().out)
    assert {"raw numpy, exact", "search, all", "search through Chroma, all"} <= set(table)
    assert "Chroma alone, recall@10 1.0000" in table


def test_searches_in_conversation_are_measured_with_their_encoding(capsys: pytest.CaptureFixture[str]) -> None:
    search.main(["--facts", "20", "--queries", "4", "--turns", "150"])
    table = rows(capsys.readouterr().out.rpartition("\n\n")[2])
    encoding, whole = table["encoding the question"], table["search, question encoded"]
    assert encoding[0] > 0 and 0 < whole[0] <= whole[1] and whole[-1] == 4


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


def test_other_stores_are_measured_beside_the_raw_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    found = others.main(["--facts", "50", "--queries", "5", "--systems"])
    names = ["memagent", others.WORDS, others.VECTORS]
    added, searched = capsys.readouterr().out.strip().split("\n\n")
    assert list(rows(f"\n{added}")) == list(rows(f"\n{searched}")) == names
    assert [measure.name for measure in found] == names + names
    assert all(measure.facts == 50 and measure.count == 5 and measure.p50 > 0 for measure in found)


def test_memory_and_disk_are_measured_in_a_process_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    held = b"x" * (300 << 20)  # by this process, and not to be counted
    small, large = size.main(["--facts", "20", "400"])
    assert 0.1 < small["database"] < large["database"]
    assert 10 < large["opened"] <= large["searched"] < len(held) >> 20
    assert list(rows(capsys.readouterr().out)) == ["20 facts", "400 facts"]


def test_a_table_is_given_as_rows_too(capsys: pytest.CaptureFixture[str]) -> None:
    found = store.main(["--facts", "10", "20", "--writes", "5"])
    assert {measure.facts for measure in found} == {10, 20}
    printed = rows(capsys.readouterr().out.rpartition("\n\n")[2])
    added = next(measure for measure in found if measure.facts == 20 and measure.name == "add_fact, new")
    assert printed["add_fact, new"][:2] == [round(added.p50, 2), round(added.p95, 2)]
