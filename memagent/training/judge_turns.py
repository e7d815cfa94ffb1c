"""Moves the weights of the judgement towards what people ask: conversations played through the program.

    python -m memagent.training.judge_turns [--ridge 0.01]

The hand-written questions of `training.judge` are harder than most: they come with near misses of each kind, and are
asked in words far from what was told. Here whole scenarios are played (`packs/scenarios_*.yaml`, in the format of
`memagent.evals`), and every candidate for a checked turn says what was wanted, or not. The weights that
`training.judge` found are the start and are moved no further than the turns demand (ridge regression towards them).
To measure, the scenarios of each fifth are judged with weights moved by the others. Prints the weights.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.evals.scenarios.format import Checks, Scenario
from memagent.evals.scenarios.reading import load_scenarios
from memagent.evals.text import occurs
from memagent.memory.store import MemoryStore
from memagent.models.answers import SEVERAL, SURE, SURE_IN_LIST, Found
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.judging import FEATURES, LEARNED, log_odds
from memagent.models.rivals import Candidate
from memagent.models.specialists import Part, Specialists, Turn

SCENARIOS = Path(__file__).parent / "packs"
RIDGE = 1e-2  # of the squared distance from the start, in spreads of each feature
FIFTHS = 5
LEAST_SPREAD = 1e-9
# What `training.judge` found, in the order of FEATURES; the last one was set by hand, for it is newer.
START = (
    *(-7.132, 0.440, 0.343, -0.024, -0.570, 2.838, 6.316, 1.144, -1.952, 0.844, -1.175, 0.122, -0.019, 1.073, 0.599),
    *(0.064, 0.436, 0.503, 0.375, -1.8),
)


@dataclass(frozen=True)
class Checked:
    """The candidates of one checked turn: `values` (candidates, features), which of them are `right`, what counts
    `beside` the features (log odds of each), and the score from which one is given."""

    values: NDArray[np.float64]
    right: NDArray[np.bool_]
    beside: NDArray[np.float64]
    answerable: bool
    least: float


class Recorder(Specialists):
    """Specialists that keep what was found last, and in which mode was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: tuple[str, Found] | None = None

    def found(self, turn: Turn, part: Part) -> Found:
        found = super().found(turn, part)
        self.newest = part[2].mode, found
        return found


def played(scenarios: Sequence[Scenario]) -> list[list[Checked]]:
    """The checked turns of each scenario. Small talk to fill the window is left out, for it is no evidence, and so are
    scenarios with dates: what they want is not said in the words of the candidate.
    """
    model, embedder = Recorder(), MiniLMEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"
        return [
            _turns(scenario, MemoryStore.open(url, space=scenario.id, data_dir=Path(folder)), model, embedder)
            for scenario in scenarios
            if all(sitting.date is None for sitting in scenario.sittings)
        ]


def _turns(scenario: Scenario, store: MemoryStore, model: Recorder, embedder: MiniLMEmbedder) -> list[Checked]:
    agent = Agent(store, model.name)
    turns: list[Checked] = []
    agent.give(model, embedder)
    with agent:
        for sitting in scenario.sittings:
            session = store.start_session(model=model.name).id
            for step in sitting.steps:
                if step.say:
                    model.newest = None
                    list(run_turn(agent, session, step.say, cancel=threading.Event()))
                    if model.newest is not None and (step.checks.wanted or step.checks.abstain):
                        turns.append(_checked(step.checks, *model.newest))
            store.drain()
    return [turn for turn in turns if len(turn.values)]


def _checked(checks: Checks, mode: str, found: Found) -> Checked:
    candidates = [candidate for candidate in found.judged if candidate.features]
    wanted = [word for choice in checks.wanted for word in choice]
    right = [any(occurs(word, _said(candidate)) for word in wanted) for candidate in candidates]
    values = np.array([candidate.features for candidate in candidates], dtype=np.float64).reshape(-1, len(FEATURES))
    odds = np.array([log_odds(candidate.score, bound=20.0) for candidate in candidates])
    beside = odds - values @ np.array(list(LEARNED.values()))
    return Checked(values, np.array(right, dtype=bool), beside, bool(wanted), SURE_IN_LIST if mode in SEVERAL else SURE)


def _said(candidate: Candidate) -> str:
    """What a reply with the candidate says: its words, and what the times in them mean."""
    return " ".join([candidate.words, *(str(time["means"]) for time in candidate.evidence.hit.get("times") or ())])


def moved(turns: Sequence[Checked], start: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Weights of shape (features,) that tell right candidates from others; every turn counts the same."""
    values = np.concatenate([turn.values for turn in turns])
    spread = values.std(axis=0)
    spread[0] = 1.0
    spread[spread < LEAST_SPREAD] = np.inf  # what never varies teaches nothing
    inputs = torch.from_numpy(values / spread)
    known = torch.from_numpy(values @ start + np.concatenate([turn.beside for turn in turns]))
    right = torch.from_numpy(np.concatenate([turn.right for turn in turns])).double()
    share = torch.from_numpy(np.concatenate([np.full(len(turn.values), 1.0 / len(turn.values)) for turn in turns]))
    way = torch.zeros(values.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([way], max_iter=400, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        losses = torch.nn.functional.binary_cross_entropy_with_logits(inputs @ way + known, right, reduction="none")
        loss = (losses * share).sum() / len(turns) + ridge * (way**2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    result: NDArray[np.float64] = start + way.detach().numpy() / spread
    return result


def shares(turns: Sequence[Checked], weights: Sequence[NDArray[np.float64]]) -> str:
    """How many turns are answered right, and declined where nothing answers; one row of weights for each turn."""
    answered = declined = answerable = 0
    for turn, row in zip(turns, weights, strict=True):
        odds = turn.values @ row + turn.beside
        best = int(odds.argmax())
        given = 1.0 / (1.0 + np.exp(-odds[best])) >= turn.least
        answerable += turn.answerable
        answered += turn.answerable and bool(given and turn.right[best])
        declined += not turn.answerable and not given
    return f"{answered} of {answerable} answered right, {declined} of {len(turns) - answerable} declined"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ridge", type=float, default=RIDGE)
    ridge = parser.parse_args().ridge
    scenarios = played(load_scenarios(sorted(SCENARIOS.glob("scenarios_*.yaml"))))
    fifths = [[turn for turns in scenarios[at::FIFTHS] for turn in turns] for at in range(FIFTHS)]
    turns, start = [turn for fifth in fifths for turn in fifth], np.array(START)
    print(f"from the start: {shares(turns, [start] * len(turns))}")
    weights = []
    for at, fifth in enumerate(fifths):
        others = [turn for other in (*fifths[:at], *fifths[at + 1 :]) for turn in other]
        weights += [moved(others, start, ridge)] * len(fifth)
    print(f"moved by the other fifths: {shares(turns, weights)}")
    for name, weight in zip(FEATURES, moved(turns, start, ridge), strict=True):
        print(f'    "{name}": {weight:.3f},')


if __name__ == "__main__":
    main()
