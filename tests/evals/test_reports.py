"""Kept runs read back: beside each other, compared, missed, as Markdown and as pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memagent.errors import InputError, NotFoundError
from memagent.evals.bench import record
from memagent.evals.bench.timing import Measure
from memagent.evals.benchmarks.summary import Table
from memagent.evals.reports import plots, systems
from memagent.evals.reports.compare import compare
from memagent.evals.reports.markdown import escaped, markdown
from memagent.evals.reports.misses import lines, misses, why
from memagent.evals.reports.report import BINS, latency, report
from memagent.evals.reports.runs import Kept, find_run, find_runs, in_common, read_kept
from memagent.evals.results import Answer, Fill, HitRecord, Kind, Run, RunFolder, UsedFile

FILE = (UsedFile("talks.json", "0123456789abcdef"),)

Write = Callable[..., Kept]


def answer(number: int, passed: bool, **more: Any) -> Answer:
    given: dict[str, Any] = {
        "tags": ("single",), "question": f"question {number}?", "reply": "a reply", "expected": ("wanted",)
    }  # fmt: skip
    failed = () if passed else ("expect",)
    return Answer(f"q{number}", "talk", **{**given, "passed": passed, "failed": failed, **more})


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Keep a run in a folder, and read it back."""

    def kept(
        name: str, answers: Sequence[Answer], kind: Kind = "scenarios", system: str = "memagent", fills: int = 0
    ) -> Kept:
        run = Run(kind, system, FILE, "memagent", "embedder", "", {"context_tokens": 1000, "k": [5, 10]}, 7)
        with RunFolder(tmp_path / "evals" / name, run) as folder:
            folder.add(answers)
            for number in range(fills):
                folder.add_fill(Fill(f"talk-{number}", 100, 2.0, 1.0))
        return read_kept(tmp_path / "evals" / name)

    return kept


def test_runs_are_found_by_folder_by_name_and_the_newest_without_any(write: Write, tmp_path: Path) -> None:
    first, second = write("first", [answer(1, True)]), write("both/a", [answer(1, True)])
    write("both/b", [answer(1, False)], system="bm25")
    assert find_run(Path("first"), tmp_path).folder == find_run(first.folder, tmp_path).folder == first.folder
    assert [kept.run.system for kept in find_runs([Path("both")], tmp_path)] == ["memagent", "bm25"]
    assert find_runs([], tmp_path)[0].folder == second.folder
    with pytest.raises(InputError, match=r"holds several runs: a, b"):
        find_run(Path("both"), tmp_path)
    for name, error in (("nothing", NotFoundError), ("both/c", NotFoundError)):
        with pytest.raises(error, match="holds no run"):
            find_run(Path(name), tmp_path)
    with pytest.raises(NotFoundError, match="there are no runs"):
        find_runs([], tmp_path / "elsewhere")


def test_a_run_without_answers_is_told_apart_from_no_run(write: Write) -> None:
    with pytest.raises(InputError, match="holds no answers yet"):
        write("empty", [])


def test_systems_are_judged_on_what_all_were_asked_by_checks_that_all_have(write: Write) -> None:
    ours = write(
        "a", [answer(1, False, failed=("stores",)), answer(2, True), answer(3, False, failed=("stores", "sql"))]
    )
    theirs = write("b", [answer(1, True), answer(2, False)], system="bm25")
    rows = systems.rows([ours, theirs])
    assert [(row.system, row.questions, row.scores["pass rate"]) for row in rows] == [
        ("memagent", 2, 1.0),
        ("bm25", 2, 0.5),
    ]
    alone = in_common([ours, write("c", [answer(1, True)])])
    assert not alone[0].answers[0].passed, "of one system all checks count"
    with pytest.raises(InputError, match="of different kinds: scenarios, locomo"):
        systems.rows([ours, write("d", [answer(1, True)], kind="locomo")])
    with pytest.raises(InputError, match="no question in common"):
        systems.rows([ours, write("e", [answer(9, True)])])


def scored(number: int, f1: float, **more: Any) -> Answer:
    tags = more.pop("tags", ("single-hop",))
    scores = {
        "f1": f1,
        "recall@5": f1,
        "hit@5": 1.0,
        "recall@10": 1.0,
        "search_ms": 4.0 + number,
        **more.pop("scores", {}),
    }
    return answer(number, f1 >= 0.5, tags=tags, scores=scores, cpu_seconds=0.2, prompt_tokens=100, **more)


def test_a_row_says_what_is_found_answered_and_spent(write: Write) -> None:
    answers = [scored(1, 1.0), scored(2, 0.5), scored(3, 0.0, tags=("adversarial",))]
    row = systems.rows([write("a", answers, kind="locomo", fills=2)], watts=10)[0]
    assert row.scores == {"hit@5": 1.0, "R@5": 0.75, "R@10": 1.0, "F1": 0.75, "adversarial": 0.0}
    assert (row.questions, row.prompt_tokens, row.milliseconds, row.adds_per_second) == (3, 100, 6.0, 50.0)
    assert row.cpu_seconds == pytest.approx(0.2) and row.joules == pytest.approx(2.0)
    assert row.interval is not None and 0.5 <= row.interval.low <= 0.75 <= row.interval.high <= 1.0


def test_joules_that_the_machine_counted_are_preferred_to_a_stated_power(write: Write) -> None:
    measured = write("a", [scored(1, 1.0, scores={"joules": 7.0})], kind="locomo")
    guessed = write("b", [scored(1, 1.0)], kind="locomo", system="bm25")
    assert [row.joules for row in systems.rows([measured, guessed], watts=10)] == [7.0, pytest.approx(2.0)]
    assert (
        "measured by RAPL where that was readable, else CPU seconds times 10 W"
        in systems.table([measured, guessed], 10).note
    )
    assert "J: measured by RAPL" in systems.table([measured]).note


def test_accuracy_is_given_by_distance_in_windows_of_the_run(write: Write) -> None:
    distances = (0, 999, 1000, 3999, 4000, 64_000, None)
    answers = [answer(n, n % 2 == 0, distance_tokens=tokens) for n, tokens in enumerate(distances)]
    made = report([write("a", answers)])
    points = made.distances[0].points
    assert {name: point.questions for name, point in points.items()} == {
        BINS[0]: 2, BINS[1]: 2, BINS[2]: 1, BINS[4]: 1
    }  # fmt: skip
    assert points[BINS[0]].share == 0.5 and points[BINS[0]].interval.low < 0.5 < points[BINS[0]].interval.high
    assert list(points) == [BINS[0], BINS[1], BINS[2], BINS[4]]


def test_a_single_score_is_not_called_certain(write: Write) -> None:
    point = report([write("a", [scored(1, 1.0)], kind="locomo")]).categories[0].points["single-hop"]
    assert point.share == 1.0 and (point.interval.low, point.interval.high) == (0.0, 1.0)


def test_a_comparison_counts_what_changed_and_says_whether_it_is_more_than_chance(write: Write) -> None:
    before = write("a", [answer(n, n >= 12) for n in range(20)] + [answer(90, True)])
    after = write("b", [answer(n, n != 19) for n in range(20)])
    made = compare(before, after)
    assert (made.both, made.neither, len(made.gained), len(made.lost), made.only) == (7, 0, 12, 1, (1, 0))
    (test,) = made.tests
    assert test.p == pytest.approx(2 * (1 + 13) / 2**13) and test.beyond_chance
    assert (test.first, test.second) == (8 / 20, 19 / 20)
    assert "more than chance." in made.in_words()[0] and "+55.0 points" in made.in_words()[0]
    assert made.labels == ("memagent (a)", "memagent (b)") and made.differs == ()

    slight = compare(before, write("c", [answer(n, n >= 11) for n in range(20)]))
    assert not slight.tests[0].beyond_chance and "not more than chance explains" in slight.in_words()[0]
    same = compare(before, before)
    assert same.tests[0].p == 1 and same.in_words()[0].endswith("no difference.")


def test_means_are_compared_by_permutation_and_categories_apart(write: Write) -> None:
    first = write("a", [scored(n, 0.2, tags=("temporal" if n % 2 else "multi-hop",)) for n in range(10)], kind="locomo")
    second = write(
        "b", [scored(n, 0.4, tags=("temporal" if n % 2 else "multi-hop",)) for n in range(10)], "locomo", "bm25"
    )
    made = compare(first, second)
    f1 = next(test for test in made.tests if test.score == "f1")
    assert f1.p == pytest.approx(2 / 2**10) and f1.difference == pytest.approx(0.2)
    assert {row[0]: row[1:4] for row in made.by_category}["temporal"] == (5, pytest.approx(0.2), pytest.approx(0.4))
    assert made.differs == ("system",)


def hit(source: str, gold: bool = False) -> HitRecord:
    return HitRecord("message", 1, source, "The boiler:\nHartnell", 0.5, {"words": 1.5, "dense": 0.25}, gold)


def test_a_miss_says_why_as_far_as_its_hits_tell(write: Write) -> None:
    found = answer(1, False, hits=(hit("D1:2"), hit("D3:4", gold=True)))
    lost = answer(2, False, hits=(hit("D1:2"),), tags=("never",))
    cases = [found, lost, answer(3, False), answer(4, False, reply="", error="it was stopped"), answer(5, True)]
    kept = write("a", cases)
    assert misses(kept) == cases[:4] and misses(kept, ["never"]) == [lost] and misses(kept, ["q3"]) == [cases[2]]
    assert [why(case) for case in cases[:4]] == [
        "what tells it was found at rank 2, and not read out of it",
        "what tells it is not among the first 1 hits",
        "nothing was found",
        "no reply: it was stopped",
    ]
    shown = list(lines(found))
    assert shown[0] == "q1  [single]  failed: expect" and "wanted" in shown[2]
    assert shown[-1] == "  *  2    0.500  D3:4: The boiler: Hartnell  (words 1.50, dense 0.25)"
    assert list(lines(found, 1))[-1].strip() == "and 1 more"
    with pytest.raises(InputError, match="nothing in this run has the tag or id 'nobody'"):
        misses(kept, ["nobody"])


def test_markdown_escapes_what_runs_hold() -> None:
    table = Table("a | b", ("name", "n", "%"), (("<img src=x>", "3", "50.0 (1.0 - 99.0)"), ("new\nline|", "4", "")))
    text = markdown("Report", ["`x`"], [table], ["plots/a.svg"])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows == [
        "| name | n | % |",
        "|---|---:|---:|",
        r"| \<img src=x\> | 3 | 50.0 (1.0 - 99.0) |",
        r"| new line\| | 4 |  |",
    ]
    assert " <img" not in text and r"\`x\`" in text and "![plots/a.svg](<plots/a.svg>)" in text
    assert escaped("a_b*c") == r"a\_b\*c"


@pytest.fixture
def measured() -> list[Measure]:
    return [
        Measure("search", name, facts, facts / 1000, facts / 500, 1, 1, 1, 1, 10)
        for name in ("raw numpy", "search, all")
        for facts in (1000, 10_000)
    ]


def test_plots_are_drawn_as_png_and_svg_with_their_words(write: Write, measured: list[Measure], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    answers = [scored(n, n % 3 / 2, tags=("cost $5 $x_{", "日本"), distance_tokens=n * 900) for n in range(12)]
    runs = [write("a", answers, "questions"), write("b", answers[:8], "questions", "bm25 $")]
    names = ("accuracy-by-category", "accuracy-by-distance", "tokens-per-answer", "latency-by-size")
    written = plots.draw(report(runs), tmp_path / "plots", measured)
    assert written == [tmp_path / "plots" / f"{name}.{kind}" for name in names for kind in ("png", "svg")]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG" if path.suffix == ".png" else b"<?xml")
    text = {path.stem: path.read_text(encoding="utf-8") for path in written if path.suffix == ".svg"}
    assert "cost $5 $x_{" in text["accuracy-by-category"] and "bm25 $" in text["accuracy-by-category"]
    assert "16 - 64" not in text["accuracy-by-distance"] and "4 - 16" in text["accuracy-by-distance"]
    assert ">raw numpy<" in text["latency-by-size"] and "10,000" in text["latency-by-size"]
    again = plots.draw(report(runs), tmp_path / "again", measured)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written], "the same run, other bytes"


def test_without_matplotlib_the_line_that_installs_it_is_said(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match="matplotlib, which is not installed") as caught:
        plots.draw(report([write("a", [answer(1, True)])]), tmp_path / "plots")
    assert caught.value.hint == "pip install 'memagent[plots]'"


def test_measurements_are_kept_and_read_again(measured: list[Measure], tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    record.write(path, measured, [{"facts": 1000, "database": 3.5}])
    assert record.read(path) == measured
    (table,) = latency(record.read(path))
    assert table.columns == ("", "1,000", "10,000")
    assert table.rows[0] == ("search: raw numpy", "1.00 / 2.00", "10.00 / 20.00")
    assert latency([]) == []
    path.write_text('{"latency": [{"group": 1}]}')
    for wrong, said in ((path, "holds no measurements"), (tmp_path / "none", "there is no file")):
        with pytest.raises(InputError, match=said):
            record.read(wrong)


def test_runs_of_one_system_are_told_apart_by_their_folders(write: Write) -> None:
    runs = [write("old", [answer(1, True)]), write("new", [answer(1, False)])]
    assert [row.system for row in systems.rows(runs)] == ["memagent (old)", "memagent (new)"]
    assert replace(runs[0], answers=()).by_key == {}
