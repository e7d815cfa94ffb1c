"""Scenarios on the baselines: what each of them can and cannot remember, judged by replies alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from memagent.config import load_settings
from memagent.evals.benchmarks.answering import Answerer
from memagent.evals.scenarios.format import Scenario
from memagent.evals.scenarios.reading import read_scenarios
from memagent.evals.scenarios.runner import probe_keys
from memagent.evals.systems import baselines
from memagent.evals.systems.index import IndexSystem, Vectors
from memagent.evals.systems.scenarios import KnownVectors, OtherRunner, reply_checks_only
from memagent.models.hash_embedder import HashEmbedder

SUITE = """
scenarios:
  - id: boiler
    sessions:
      - [{say: "the boiler gets its service from a company called Hartnell", stores: 1}]
      - [{say: "who looks after the boiler?", expect: Hartnell, stores: 0}]
  - id: beyond
    sessions:
      - - "my sister Ingrid lives in Trondheim"
        - {filler_windows: 1.2}
        - {say: "where does my sister Ingrid live?", expect: Trondheim}
  - id: never
    sessions:
      - {end: kill, turns: ["my sister Ingrid lives in Trondheim"]}
      - [{say: "what is my brother's car?", abstain: true}]
  - id: document
    sessions:
      - - document: {title: manual, text: "Fill the kettle.\\n\\nThe fuse of the kettle is rated 13 amps."}
        - {say: "what is the fuse of the kettle rated?", expect: 13}
"""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenario]:
    file: Path = tmp_path_factory.mktemp("suite") / "suite.yaml"
    file.write_text(SUITE, encoding="utf-8")
    found, problems = read_scenarios([file])
    assert problems == []
    return {scenario.id: scenario for scenario in found}


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return Answerer.shipped()


def runner(system: IndexSystem, answerer: Answerer) -> OtherRunner:
    return OtherRunner(load_settings(), system, answerer, 7)


def passed(system: IndexSystem, answerer: Answerer, scenarios: dict[str, Scenario]) -> set[str]:
    made = runner(system, answerer)
    return {name for name, scenario in scenarios.items() if all(answer.passed for answer in made.play(scenario, 1))}


def test_each_baseline_holds_where_its_memory_reaches(answerer: Answerer, scenarios: dict[str, Scenario]) -> None:
    assert passed(baselines.no_memory(), answerer, scenarios) == {"never"}
    assert passed(baselines.window(), answerer, scenarios) == {"boiler", "never", "document"}
    assert passed(baselines.bm25(), answerer, scenarios) == {"boiler", "beyond", "never", "document"}


def test_only_replies_are_judged_and_only_what_is_judged_is_answered(
    answerer: Answerer, scenarios: dict[str, Scenario]
) -> None:
    (answer,) = runner(baselines.bm25(), answerer).play(scenarios["boiler"], 1)
    assert answer.id == "boiler#2.1" and answer.passed and answer.expected == ("Hartnell",)
    assert answer.hits[0].gold and "Hartnell" in answer.hits[0].text and answer.prompt_tokens > 5
    assert answer.distance_tokens is not None and answer.milliseconds > 0
    assert probe_keys(reply_checks_only(scenarios["boiler"]), 1) == {("boiler#2.1", 1)}


def test_the_same_seed_hears_the_same_small_talk(answerer: Answerer, scenarios: dict[str, Scenario]) -> None:
    first, again, other = (
        [hit.text for hit in runner(baselines.window(), answerer).play(scenarios["beyond"], repeat)[0].hits]
        for repeat in (1, 1, 2)
    )
    assert first == again != other


def test_vectors_of_small_talk_are_made_once() -> None:
    class Counting(HashEmbedder):
        texts = 0

        def encode(self, passages):  # type: ignore[no-untyped-def]
            self.texts += len(passages)
            return super().encode(passages)

    embedder = Counting()
    known = KnownVectors(Vectors(embedder))
    first, second = known.texts(["a b", "c d", "a b"]), known.texts(["c d", "e f"])
    assert embedder.texts == 3 and (first[1] == second[0]).all() and (first[0] == first[2]).all()
    assert known.texts([]).shape == (0, embedder.dimension)
