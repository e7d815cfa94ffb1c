"""What a run comes to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from memagent.evals.results import Answer
from memagent.evals.scenarios import summary

ANSWER = Answer(
    id="a#1.1",
    group="a",
    tags=("t",),
    question="who?",
    reply="Ana",
    expected=("Ana",),
    passed=True,
    milliseconds=10.0,
    cpu_seconds=0.01,
    prompt_tokens=100,
    reply_tokens=2,
    scores={"facts stored": 1.0},
)
MISSED = replace(ANSWER, id="a#1.2", passed=False, failed=("expect",), reply="Bob", milliseconds=30.0)
OTHER = replace(ANSWER, id="b#1.1", group="b", tags=("t", "u"), milliseconds=20.0)
BROKEN = replace(OTHER, id="c#1.1", group="c", tags=("u",), passed=False, failed=("reply",), reply="", error="it died")
ANSWERS = [ANSWER, MISSED, OTHER, BROKEN]


def test_turns_and_scenarios_are_counted_by_tag() -> None:
    shares = summary.by_tag(ANSWERS)
    assert list(shares) == ["all", "t", "u"]
    assert (shares["all"].passed, shares["all"].total) == (2, 4)
    assert (shares["all"].scenarios_passed, shares["all"].scenarios) == (1, 3)
    assert (shares["t"].passed, shares["t"].total, shares["t"].scenarios_passed, shares["t"].scenarios) == (2, 3, 1, 2)
    assert shares["all"].rate == 0.5 and shares["all"].interval.low < 0.5 < shares["all"].interval.high


def test_the_object_has_what_it_is_documented_to_have() -> None:
    data = summary.to_json(ANSWERS, Path("runs/1"), 1.5)
    assert data["pass_rate"] == 0.5 and data["run"] == "runs/1" and data["seconds"] == 1.5
    assert data["by_tag"]["u"] == {
        "passed": 1,
        "total": 2,
        "pass_rate": 0.5,
        "interval": data["by_tag"]["u"]["interval"],
        "scenarios": {"passed": 1, "total": 2},
    }
    assert data["milliseconds"] == {"p50": 20.0, "p95": 30.0}, "a turn that was not answered took no time"
    probe = data["probes"][1]
    assert {"id", "tags", "say", "reply", "passed", "failed", "milliseconds"} <= set(probe)
    assert (probe["id"], probe["say"], probe["failed"], probe["facts_stored"]) == ("a#1.2", "who?", ["expect"], 1)
    assert data["probes"][3]["error"] == "it died"


def test_misses_say_what_was_wanted_and_what_came() -> None:
    assert list(summary.misses(ANSWERS)) == [
        "a#1.2 (expect): 'who?' -> 'Bob'; wanted Ana",
        "c#1.1 (reply): 'who?' -> it died; wanted Ana",
    ]


def test_what_holds_only_at_times_is_named() -> None:
    again = [replace(answer, repeat=2) for answer in ANSWERS]
    assert summary.unsteady([*ANSWERS, *again]) == {}
    again[0] = replace(again[0], passed=False, failed=("expect",))
    assert summary.unsteady([*ANSWERS, *again]) == {"a#1.1": 1}
    assert summary.by_tag([*ANSWERS, *again])["all"].scenarios_passed == 1


def test_nothing_was_answered() -> None:
    assert summary.costs([]).startswith("a checked turn: median 0 ms")
    assert [row[:4] for row in summary.rows([])] == [("all", "0", "0", "0.0 %")]
