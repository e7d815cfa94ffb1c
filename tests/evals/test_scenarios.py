"""Scripted recall: what the checks mean, what cannot be read, and that a scenario really restarts the agent."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memagent.conversation import ToolCall
from memagent.errors import InputError
from memagent.evals import scenarios
from memagent.evals.scenarios import Probe, Step, failed_checks, load_scenarios, report, run_scenario
from memagent.evals.text import folded
from memagent.models.chat_model import ChatRequest
from memagent.models.hash_embedder import HashEmbedder
from memagent.models.scripted import ScriptedModel

DEV = Path(scenarios.__file__).parent / "dev" / "scenarios.yaml"


def failing(reply: str, written: int = 0, rows: Any = (), **checks: Any) -> list[str]:
    return failed_checks(Step("?", checks=checks), reply, written, lambda _: rows)


@pytest.mark.parametrize(
    ("reply", "checks", "held"),
    [
        ("It is Hartnell; you told me on 2 March.", {"expect": "hartnell"}, True),
        ("It is Vaillant.", {"expect": "Hartnell"}, False),
        ("Ana and Bea.", {"expect": ["ana", "BEA"]}, True),
        ("Ana.", {"expect": ["Ana", "Bea"]}, False),
        ("7194.", {"expect_any": ["7-1-9-4", "7194"]}, True),
        ("7-1-9-5.", {"expect_any": ["7-1-9-4", "7194"]}, False),
        ("It is Nanook.", {"reject": "Ted"}, True),
        ("Nanook, or Ted.", {"reject": ["Bob", "Ted"]}, False),
        ("I don't know: you haven't told me that.", {"abstain": True}, True),
        ("I don’t know.", {"abstain": True}, True),
        ("It is Ted.", {"abstain": True}, False),
        ("I don't know.", {"abstain": False}, False),
        ("It costs 12.50.", {"expect": "12.50"}, True),
        ("anything", {}, True),
    ],
)
def test_what_a_check_means(reply: str, checks: dict[str, Any], held: bool) -> None:
    assert failing(reply, **checks) == ([] if held else list(checks))


def test_stores_and_sql_look_at_memory_not_at_the_reply() -> None:
    assert failing("", written=2, stores=2) == []
    assert failing("", written=1, stores=2) == ["stores"]
    check = {"query": "select value from current_facts", "rows": [["Hartnell", 1]]}
    assert failing("", rows=[("Hartnell", 1)], sql=check) == []
    assert failing("", rows=[], sql=check) == ["sql"]


def test_all_failing_checks_are_named() -> None:
    assert failing("no", written=1, expect="yes", reject="no", stores=0) == ["expect", "reject", "stores"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("São Paulo!", "sao paulo"),
        ("“Hartnell”, they said", "hartnell they said"),
        ("It’s 7-1-9-4.", "it's 7-1-9-4"),
        ("half-past  NINE", "half-past nine"),
        ("£12.50 (about)", "£12.50 about"),
        ("9:30?", "9:30"),
    ],
)
def test_comparison_ignores_case_accents_and_outer_punctuation(left: str, right: str) -> None:
    assert folded(left) == folded(right) == right


@pytest.mark.parametrize(("left", "right"), [("7-1-9-4", "7194"), ("12.50", "1250"), ("Ana", "Bea"), ("10%", "10")])
def test_what_stands_inside_codes_and_numbers_counts(left: str, right: str) -> None:
    assert folded(left) != folded(right)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = folded(text)
    assert folded(once) == once and once == once.strip() and "  " not in once


# --- reading ---


def written(folder: Path, text: str) -> Path:
    file = folder / "suite.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_development_scenarios_are_readable_and_unambiguous() -> None:
    loaded = load_scenarios(DEV)
    ids = [scenario.id for scenario in loaded]
    assert len(loaded) > 50 and len(ids) == len(set(ids))
    for scenario in loaded:
        assert scenario.tags, scenario.id
        assert any(step.checks for sitting in scenario.sessions for step in sitting.steps), scenario.id


def test_dates_filler_and_both_kinds_of_session(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        scenarios:
          - id: one
            tags: [single]
            sessions:
              - ["hello", {say: "who?", expect: Ana}]
              - date: 2026-03-02T09:00
                turns: [{filler_tokens: 600}, "bye"]
        """,
    )
    (scenario,) = load_scenarios(file)
    first, second = scenario.sessions
    assert first.date is None and [step.say for step in first.steps] == ["hello", "who?"]
    assert first.steps[1].checks == {"expect": "Ana"}
    assert second.date == datetime(2026, 3, 2, 9, tzinfo=UTC) and second.steps[0].filler_tokens == 600


ONE = "scenarios:\n  - id: one\n    sessions: "


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: [", "cannot be read as scenarios"),
        ("", "no list of scenarios"),
        ("- 1", "no list of scenarios"),
        ("scenarios: 3", "no list of scenarios"),
        ("scenarios: [{sessions: []}]", "scenario 1"),
        ("scenarios: [7]", "scenario 1"),
        ("scenarios: [{id: one}]", "scenario one"),
        (ONE + "[[{say: hi, expct: x}]]", "scenario one: unknown check expct"),
        (ONE + "[[{expect: x}]]", "scenario one"),
        (ONE + "[[{filler_tokens: many}]]", "scenario one"),
        (ONE + "[{date: someday, turns: [hi]}]", "scenario one"),
        (ONE + "[{date: 2026-03-02}]", "scenario one"),
        (ONE + "[3]", "scenario one"),
    ],
)
def test_what_cannot_be_read_is_an_input_error_that_names_the_scenario(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)) as error:
        load_scenarios(written(tmp_path, text))
    assert error.value.hint


def test_a_file_that_is_not_there_or_not_text_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_scenarios(tmp_path / "none.yaml")
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        load_scenarios(file)


# --- running ---


def test_sessions_share_a_store_but_nothing_else(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        scenarios:
          - id: boiler
            tags: [single]
            sessions:
              - - {say: "the boiler is serviced by Hartnell", stores: 1}
              - - {filler_tokens: 300}
                - say: "the boiler is serviced by whom?"
                  expect: Hartnell
                  stores: 0
                  sql: {query: "select value from current_facts", rows: [[Hartnell]]}
                - {say: "and the roof?", abstain: true}
        """,
    )
    add = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})

    def answer(request: ChatRequest) -> list[str]:
        assert request.recalled, "what was told in the session before was not recalled"
        assert len(request.messages) > 3, "the filler is not in the window"
        return [f"it is {next(hit['value'] for hit in request.recalled if hit['kind'] == 'fact')}"]

    model = ScriptedModel([[add], "noted", answer, "it is a secret"])
    (scenario,) = load_scenarios(file)
    probes = list(run_scenario(scenario, model, HashEmbedder(), tmp_path))
    assert [probe.failed for probe in probes] == [(), (), ("abstain",)]
    assert "the boiler is serviced by Hartnell" not in [m.content for m in model.requests[2].messages]
    assert all(probe.milliseconds > 0 for probe in probes)
    text = report(probes, misses=True)
    assert re.search(r"all +0 / +1", text) and re.search(r"single +0 / +1", text)
    assert "MISS boiler ('abstain',): 'and the roof?' -> 'it is a secret'" in text


def test_a_scenario_passes_when_all_its_turns_do() -> None:
    probes = [Probe(name, ("t",), "?", "!", failed, 1.0) for name, failed in (("a", ()), ("a", ("sql",)), ("b", ()))]
    assert re.search(r"all +1 / +2\nt +1 / +2\n", report(probes, misses=False))
    assert report([], misses=False) == "no turn was checked"
