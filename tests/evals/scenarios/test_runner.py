"""What a scenario's answers are made of, played by a scripted model on a real store in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memagent.config import Settings
from memagent.conversation import TextDelta, ToolCall
from memagent.errors import InputError, ModelError
from memagent.evals.results import Answer
from memagent.evals.scenarios import processes
from memagent.evals.scenarios.format import Scenario
from memagent.evals.scenarios.play import Turn
from memagent.evals.scenarios.reading import load_scenarios
from memagent.evals.scenarios.runner import Plan, answers_of, distance, open_runner, probe_keys, selected
from memagent.models.chat_model import ChatRequest
from memagent.models.hash_embedder import HashEmbedder
from memagent.models.scripted import ScriptedModel

ADD = ToolCall("a", "memory_add", {"subject": "boiler", "attribute": "serviced by", "value": "Hartnell"})


def scenarios(folder: Path, text: str) -> list[Scenario]:
    file = folder / "suite.yaml"
    file.write_text(text, encoding="utf-8")
    return load_scenarios([file])


def played(
    monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, script: Sequence[Any], **plan: Any
) -> tuple[list[Answer], ScriptedModel]:
    """The answers of scenarios, and the model that played them."""
    model = ScriptedModel(list(script))
    monkeypatch.setattr(processes, "load_models", lambda settings: (model, HashEmbedder()))
    settings = Settings(folder / "home", f"sqlite:///{folder / 'never.db'}")
    repeat = plan.pop("repeat", 1)
    wanted = [(s, n) for n in range(1, repeat + 1) for s in scenarios(folder, text)]
    with open_runner(settings, Plan(repeat=repeat, in_process=True, **plan)) as runner:
        answers = [answer for result in runner.run(wanted, lambda done, total: None) for answer in result.answers]
    assert not (folder / "never.db").exists() and not (folder / "home").exists()
    return answers, model


BOILER = """
scenarios:
  - id: boiler
    tags: [single]
    sessions:
      - date: 2026-03-02T09:00
        turns:
          - {say: "the boiler is serviced by Hartnell", stores: 1, sql: {query: "select 1 from facts", rows: [[1]]}}
          - {say: "the boiler is serviced by Hartnell, as I said", stores: 0}
      - - {filler_tokens: 300}
        - say: "the boiler is serviced by whom?"
          expect: Hartnell
          stores: 0
          sql: {query: "select value from current_facts", rows: [[Hartnell]]}
        - {say: "and the roof?", abstain: true}
"""


def test_sessions_share_a_store_but_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def answer(request: ChatRequest) -> list[str]:
        assert request.recalled, "what was told in the session before was not recalled"
        assert len(request.messages) > 3, "the filler is not in the window"
        assert "the boiler is serviced by Hartnell" not in [message.content for message in request.messages]
        return [f"it is {next(hit['value'] for hit in request.recalled if hit['kind'] == 'fact')}"]

    again = replace(ADD, id="b")
    script = [[ADD], "noted", [again], "I knew that", answer, "it is a secret"]
    answers, model = played(monkeypatch, tmp_path, BOILER, script)
    first, repeated, asked, secret = answers
    assert [answer.id for answer in answers] == ["boiler#1.1", "boiler#1.2", "boiler#2.2", "boiler#2.3"]
    assert first.passed and first.scores == {"facts stored": 1.0}
    assert repeated.passed and repeated.scores == {"facts stored": 0.0}, "a fact told again is no new fact"
    assert asked.passed and asked.reply == "it is Hartnell" and asked.expected[0] == "Hartnell"
    assert secret.failed == ("abstain",) and not secret.passed
    assert all(answer.milliseconds > 0 and answer.prompt_tokens > 0 for answer in answers)
    assert model.requests[0].messages[-1].at is not None and model.requests[0].messages[-1].at.startswith("2026-03-02")
    assert model.requests[-1].messages[-1].at is not None and model.requests[-1].messages[-1].at.startswith(
        "2026-03-03"
    )


def test_hits_are_kept_with_what_they_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answers, _ = played(monkeypatch, tmp_path, BOILER, [[ADD], "noted", "yes", "it is Hartnell", "I don't know"])
    asked = answers[2]
    assert asked.passed and any(hit.gold and hit.kind == "fact" and "Hartnell" in hit.text for hit in asked.hits)
    assert any(not hit.gold for hit in asked.hits)
    assert asked.distance_tokens is not None and 300 < asked.distance_tokens < 400
    assert answers[3].distance_tokens is None, "what was never told is at no distance"


def test_a_turn_that_fails_or_says_nothing_fails_whatever_it_rejects(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(request: ChatRequest) -> list[str]:
        raise ModelError("the server is gone")

    text = "scenarios: [{id: one, sessions: [[hello, {say: a, reject: Ted, stores: 0}, {say: b, stores: 0}]]}]"
    answers, _ = played(monkeypatch, tmp_path, text, [fail, fail, "fine"])
    unchecked, rejecting, well = answers
    assert unchecked.id == "one#1.1" and unchecked.failed == ("reply",) and unchecked.error == "the server is gone"
    assert rejecting.failed == ("reply", "reject")
    assert well.passed and well.error == ""


def test_a_query_that_cannot_be_run_is_a_failed_check_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    turn = "{say: a, expect: hi, sql: {query: select 1 from nowhere, rows: 0}}"
    answers, _ = played(monkeypatch, tmp_path, f"scenarios: [{{id: one, sessions: [[{turn}]]}}]", ["hi"])
    assert answers[0].failed == ("sql",) and "nowhere" in answers[0].error and answers[0].reply == "hi"


def test_a_document_is_searched_but_is_no_fact(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = """
    scenarios:
      - id: paper
        sessions:
          - - {document: {title: Newsletter, text: "the boiler is serviced by Vaillant"}}
            - say: "the boiler is serviced by whom?"
              stores: 0
              sql: {query: "select title, (select count(*) from facts) from documents", rows: [[Newsletter, 0]]}
    """
    answers, _ = played(monkeypatch, tmp_path, text, ["I don't know"])
    assert answers[0].passed, answers[0]
    assert any(hit.kind == "chunk" and "Vaillant" in hit.text for hit in answers[0].hits)


def test_repeats_hear_other_small_talk_and_the_same_seed_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = """
    scenarios:
      - {id: one, sessions: [[{filler_tokens: 200}], [{filler_windows: 0.1}, {say: hello, stores: 0}]]}
    """

    def heard(seed: int) -> list[list[str]]:
        answers, model = played(monkeypatch, tmp_path, text, ["hi", "hi"], repeat=2, seed=seed)
        assert [answer.repeat for answer in answers] == [1, 2]
        return [[message.content for message in request.messages] for request in model.requests]

    first, second = heard(7)
    assert len(first) > 5 and first != second
    assert heard(7) == [first, second] and heard(8)[0] == second


def test_what_breaks_in_a_session_is_a_failed_probe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def bug(request: ChatRequest) -> list[TextDelta]:
        raise ZeroDivisionError("oh")

    text = "scenarios: [{id: one, sessions: [[hello], [{say: a, stores: 0}], [{say: b, stores: 0}]]}]"
    answers, _ = played(monkeypatch, tmp_path, text, ["hi", bug])
    assert [(a.id, a.failed) for a in answers] == [("one#2.1", ("reply",)), ("one#3.1", ("reply",))]
    assert answers[0].error == answers[1].error == "session 2 failed: ZeroDivisionError: oh"


def test_a_kill_needs_a_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = "scenarios: [{id: one, sessions: [{end: kill, turns: [{say: a, stores: 0}]}]}]"
    with pytest.raises(InputError, match="one kills its process"):
        played(monkeypatch, tmp_path, text, [])
    with (
        pytest.raises(InputError, match="one session at a time"),
        open_runner(Settings(tmp_path, "sqlite:///x"), Plan(in_process=True, jobs=2)),
    ):
        pass


# --- answers of sessions that ended early ---

TURN = Turn(1, 10, reply="ok", reply_tokens=2)


def failed_ids(scenario: Scenario, played: list[list[Turn]], reason: str) -> dict[str, tuple[str, ...]]:
    return {answer.id: answer.failed for answer in answers_of(scenario, 1, played, reason) if not answer.passed}


def test_a_process_that_dies_fails_what_it_did_not_answer(tmp_path: Path) -> None:
    text = "scenarios: [{id: s, sessions: [[{say: a, stores: 0}, b, c], [{say: d, stores: 0}]]}]"
    (scenario,) = scenarios(tmp_path, text)
    second = replace(TURN, number=2)
    third = replace(TURN, number=3)
    assert failed_ids(scenario, [[TURN, second, third], [TURN]], "") == {}
    assert failed_ids(scenario, [[]], "gone") == {"s#1.1": ("reply",), "s#2.1": ("reply",)}
    assert failed_ids(scenario, [[TURN]], "gone") == {"s#1.2": ("reply",), "s#2.1": ("reply",)}
    assert failed_ids(scenario, [[TURN, second, third]], "gone") == {"s#1.3": ("end",), "s#2.1": ("reply",)}
    assert failed_ids(scenario, [[TURN, second, third], []], "gone") == {"s#2.1": ("reply",)}
    assert failed_ids(scenario, [[TURN, second, third], [TURN]], "gone") == {"s#2.1": ("end",)}
    assert {answer.error for answer in answers_of(scenario, 1, [[]], "gone")} == {"gone"}


def test_the_distance_is_that_to_the_farthest_thing_told(tmp_path: Path) -> None:
    text = """
    scenarios:
      - id: s
        sessions: [["Ana came", "Bea came", {filler_tokens: 500}, {say: "who came?", expect: [Ana, Bea]},
                    {say: "who?", expect_any: [Bea, Bob]}, {say: "who?", expect: Carl}]]
    """
    (scenario,) = scenarios(tmp_path, text)
    told, also, filler, both, either, never = scenario.sittings[0].steps
    heard = [(told, TURN), (also, replace(TURN, said_tokens=20)), (filler, Turn(3, 503))]
    assert distance(both, heard) == 2 + 20 + 2 + 503
    assert distance(either, heard) == 2 + 503
    assert distance(never, heard) is None
    assert probe_keys(scenario, 2) == {("s#1.4", 2), ("s#1.5", 2), ("s#1.6", 2)}


def test_scenarios_are_chosen_by_tag_or_id(tmp_path: Path) -> None:
    each = "{{id: {0}, tags: [{1}], sessions: [[{{say: a, stores: 0}}]]}}"
    found = scenarios(tmp_path, f"scenarios: [{', '.join(each.format(*pair) for pair in ('ax', 'by', 'cy'))}]")
    assert [scenario.id for scenario in selected(found, ["y"])] == ["b", "c"]
    assert [scenario.id for scenario in selected(found, ["c", "x"])] == ["a", "c"]
    assert selected(found, []) == found
    with pytest.raises(InputError, match="no scenario has the tag or id 'z'") as error:
        selected(found, ["z"])
    assert error.value.hint == "tags: x, y"
