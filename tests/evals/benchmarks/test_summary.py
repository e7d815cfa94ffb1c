"""What a run comes to, and the figures of others beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.evals.benchmarks import summary
from memagent.evals.results import Answer, Kind, Run, UsedFile


def answer(identity: str, tag: str, **scores: float) -> Answer:
    return Answer(
        identity, "talk", (tag,), "?", "reply", ("gold",), scores.get("f1", 0) >= 0.5,
        scores={"search_ms": 30.0, "read_ms": 70.0, **scores}, milliseconds=100.0,
    )  # fmt: skip


def run_of(kind: Kind, *ks: int) -> Run:
    return Run(kind, "memagent", (UsedFile("f", "00"),), "memagent", "e", "answers", {"k": list(ks)}, 0)


ANSWERS = [
    answer("1", "adversarial", f1=1.0, f1_forced=0.0, **{"recall@5": 0.0, "session_recall@5": 1.0}),
    answer("2", "temporal", f1=0.5, f1_forced=0.5, **{"recall@5": 1.0, "session_recall@5": 1.0}),
    answer("3", "single-hop", f1=0.0, f1_forced=1.0, **{"recall@5": 0.5, "session_recall@5": 1.0}),
    answer("4", "single-hop", f1=1.0, f1_forced=1.0),
]


def test_locomo_is_summed_with_the_adversarial_questions_apart() -> None:
    grouped = summary.groups("locomo", ANSWERS)
    assert list(grouped) == ["single-hop", "temporal", "cat 1-4", "adversarial", "all five"]
    assert summary.mean(grouped["cat 1-4"], "recall@5") == 0.75  # of the two that have evidence
    assert summary.mean(grouped["cat 1-4"], "f1_forced") == pytest.approx(2.5 / 3)
    assert summary.mean(grouped["all five"], "f1") == pytest.approx(2.5 / 4)
    assert summary.headline("locomo", ANSWERS, "f1") == pytest.approx(0.5)
    assert summary.headline("locomo", ANSWERS, "no such") is None


def test_our_row_stands_over_those_of_others_in_percent() -> None:
    shown = {table.title: table for table in summary.tables(run_of("locomo", 5, 10), ANSWERS)}
    recall = shown["Recall of evidence among the first 5 turns"]
    ours, dragon, *_ = recall.rows
    assert recall.columns == ("system", "single-hop", "temporal", "cat 1-4", "adversarial", "all five", "source")
    assert ours == ("memagent", "50.0", "100.0", "75.0", "0.0", "50.0", "this run")
    assert dragon[:2] == ("DRAGON", "68.0") and "95 % of cat 1-4" in recall.note
    f1 = shown["Token F1 of answers"]
    assert f1.rows[0][0] == "memagent, may decline" and f1.rows[1][:2] == ("memagent, never declines", "100.0")
    assert "Recall of evidence among the first 10 turns" not in shown  # no such score in this run


def test_every_published_figure_has_a_source_and_a_score_and_group_of_ours() -> None:
    scores = {
        f"{prefix}{name}@{k}" for prefix in ("", "session_") for name in ("recall", "hit", "all") for k in (5, 10)
    }
    groups: dict[Kind, set[str]] = {"locomo": set(summary.LOCOMO_ORDER), "longmemeval": {"all"}}
    for kind, known in groups.items():
        entries = summary.published(kind)
        assert entries
        for entry in entries:
            assert entry.score in {*scores, "f1"}
            for system, source, figures in entry.rows:
                assert system and source and set(figures) <= known
                assert all(1 < figure <= 100 for figure in figures.values())


def test_the_json_holds_everything_of_the_run() -> None:
    data = summary.to_json(run_of("locomo", 5), ANSWERS, Path("kept"))
    assert data["pass_rate"] == 0.75 and data["questions"] == 4
    assert data["by_tag"]["temporal"] == {
        "questions": 1,
        "pass_rate": 1.0,
        "scores": {"recall@5": 1.0, "session_recall@5": 1.0, "f1": 0.5, "f1_forced": 0.5},
    }
    assert data["costs"]["ms_p50"] == 100.0 and data["costs"]["search_ms_p95"] == 30.0
    assert data["published"] and data["probes"][2]["scores"]["f1_forced"] == 1.0


def test_other_benchmarks_are_summed_over_all_their_questions() -> None:
    answers = [answer("1", "user", match=1.0, f1=0.4), answer("2", "abs", match=0.0)]
    assert list(summary.groups("longmemeval", answers)) == ["user", "abs", "all"]
    (table,) = summary.tables(run_of("questions", 5), answers)
    assert table.rows == (("user", "1", "100.0", "40.0"), ("abs", "1", "0.0", ""), ("all", "2", "50.0", "40.0"))
