"""Learns how much each feature of an answer counts (`memagent.models.judging.LEARNED`).

    python -m memagent.training.judge [--decay 0.003]

The messages of every hand-written question that *read* has not learned from are said to the program, in a space of
their own, and the question after them; a logistic model is fitted to tell candidates whose words are right from the
others. Questions about what hand-written messages tell, and wholly composed ones, are learned from too. To measure, the
model is fitted to either half of all three and tried on the other. Prints the weights, and at the threshold of
`answers` how many questions are answered right and how many are declined that nothing answers, then how often answers
of about the same score are right.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.errors import InputError
from memagent.memory.store import MemoryStore
from memagent.models.answers import SURE, Found
from memagent.models.embedder import MiniLMEmbedder
from memagent.models.judging import FEATURES, LEARNED, overlap
from memagent.models.rivals import Candidate
from memagent.models.specialists import Part, Specialists, Turn
from memagent.training.examples import Composer
from memagent.training.packs import load_packs
from memagent.training.reading import Group, Readings
from memagent.training.told import Told
from memagent.training.written import load_messages, load_readings

DECAY = 1e-3  # of the squared weights of standardised features
PLAIN_WEIGHT = 4  # a composed question counts as so many: most of what people ask is plain
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.01)
PRIOR_SHIFT = 1.5  # log odds: nothing answers a third of the questions here, and far fewer of those that people ask


@dataclass(frozen=True)
class Judged:
    """The candidates of one question: `values` of shape (candidates, features), and which of them are right."""

    values: NDArray[np.float64]
    right: NDArray[np.bool_]
    answerable: bool


class Recorder(Specialists):
    """Specialists that keep the candidates of the newest question."""

    def __init__(self) -> None:
        super().__init__()
        self.newest: tuple[Candidate, ...] = ()

    def found(self, turn: Turn, part: Part) -> Found:
        found = super().found(turn, part)
        self.newest = found.judged
        return found


def judged(groups: Sequence[Group], seed: int) -> list[Judged]:
    """Every group played through the program; windows in random order."""
    rng, model, found = random.Random(seed), Recorder(), []
    embedder = MiniLMEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"
        for number, group in enumerate(groups):
            store = MemoryStore.open(url, space=f"group {number}", data_dir=Path(folder))
            agent = Agent(store, model.name)
            agent.give(model, embedder)
            with agent:
                session = store.start_session(model=model.name).id
                for window in rng.sample(group.windows, len(group.windows)):
                    list(run_turn(agent, session, window.text, cancel=threading.Event()))
                store.drain()
                model.newest = ()
                asking = store.start_session(model=model.name).id
                list(run_turn(agent, asking, group.question, cancel=threading.Event()))
            found.append(_labelled(group, model.newest))
    return found


def _labelled(group: Group, candidates: Sequence[Candidate]) -> Judged:
    answers = [(window.text, window.text[slice(*window.answer)]) for window in group.windows if window.answer]
    right = [
        any(item.evidence.text.strip() in text and overlap(item.words, words) for text, words in answers)
        for item in candidates
    ]
    values = np.array([item.features for item in candidates], dtype=np.float64).reshape(-1, len(FEATURES))
    return Judged(values, np.array(right, dtype=bool), bool(answers))


def fit(groups: Sequence[Judged], decay: float) -> NDArray[np.float64]:
    """Weights of shape (features,) on the raw features; the first is the bias. Every question counts the same."""
    groups = [group for group in groups if len(group.values)]
    rows = np.concatenate([group.values for group in groups])
    centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    centre[0], spread[0] = 0.0, 1.0
    values = torch.from_numpy((rows - centre) / spread)
    right = torch.from_numpy(np.concatenate([group.right for group in groups])).double()
    share = torch.from_numpy(np.concatenate([np.full(len(group.values), 1.0 / len(group.values)) for group in groups]))
    weights = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        losses = torch.nn.functional.binary_cross_entropy_with_logits(values @ weights, right, reduction="none")
        loss = (losses * share).sum() / len(groups) + decay * (weights[1:] ** 2).sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    raw: NDArray[np.float64] = weights.detach().numpy() / spread
    raw[0] -= raw[1:] @ centre[1:]
    return raw


def shifted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weights for questions as people ask them: most have an answer (Saerens et al. 2002, as in `reader`)."""
    moved = weights.copy()
    moved[0] += PRIOR_SHIFT
    return moved


def shares(groups: Sequence[Judged], weights: NDArray[np.float64]) -> str:
    """How many questions are answered right, wrong, or declined though the answer was among the candidates."""
    answered, wrong, refused, nothing = 0, 0, 0, 0
    for group in groups:
        odds = group.values @ weights
        best = int(odds.argmax()) if len(odds) else -1
        given = best >= 0 and 1.0 / (1.0 + np.exp(-odds[best])) >= SURE
        if group.answerable:
            answered += given and bool(group.right[best])
            wrong += given and not group.right[best]
        else:
            nothing += 1
            refused += not given
    asked = len(groups) - nothing
    if not asked or not nothing:
        raise InputError("there are no questions with, or none without an answer", "measure on more questions")
    found = sum(bool(group.right.any()) for group in groups)
    return (
        f"{len(groups)} questions: {answered / asked:.3f} answered right and {wrong / asked:.3f} wrong of {asked} "
        f"({found / asked:.3f} could be), {refused / nothing:.3f} declined of {nothing}"
    )


def calibration(groups: Sequence[Judged], weights: NDArray[np.float64]) -> str:
    """For bands of the best candidate's chance: the mean chance, how often it was right, and of how many."""
    best = [
        (float(odds.max()), bool(group.right[odds.argmax()])) for group in groups if len(odds := group.values @ weights)
    ]
    chances = np.array([1.0 / (1.0 + np.exp(-odds)) for odds, _ in best])
    right = np.array([hit for _, hit in best])
    lines = []
    for low, high in itertools.pairwise(BANDS):
        inside = (chances >= low) & (chances < high)
        if inside.any():
            lines.append(f"    {chances[inside].mean():.2f} -> {right[inside].mean():.2f} of {inside.sum()}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--decay", type=float, default=DECAY)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--plain", type=int, default=120, help="composed questions beside the written, harder ones")
    parser.add_argument("--told", type=int, default=400, help="questions about hand-written messages")
    parser.add_argument("--written", type=int, default=700, help="hand-written questions, at most")
    arguments = parser.parse_args()
    seed, packs = arguments.seed, load_packs()
    composed, told = Readings(Composer(packs, seed), (), 0.0, ()), Told(Composer(packs, seed), load_messages(held=True))
    held = load_readings(held=True)
    held = random.Random(seed).sample(held, min(len(held), arguments.written))
    written = sorted(held, key=lambda group: min(window.text for window in group.windows))
    sets = {
        "written": judged(written, seed),
        "told": judged([told.draw() for _ in range(arguments.told)], seed),
        "composed": judged([composed.draw() for _ in range(arguments.plain)], seed),
    }
    shipped = np.array(list(LEARNED.values()))
    halves = [{name: _half(groups, side) for name, groups in sets.items()} for side in (0, 1)]
    learned = [shifted(fit(_weighed(half), arguments.decay)) for half in halves]
    for name, groups in sets.items():
        print(f"{name}, as shipped: {shares(groups, shipped)}")
        for side in (0, 1):
            print(f"    learned from half {side}, on the other: {shares(halves[1 - side][name], learned[side])}")
    for side in (0, 1):
        print(f"chance and truth, half {1 - side}:\n{calibration(_weighed(halves[1 - side]), learned[side])}")
    for name, weight in zip(FEATURES, shifted(fit(_weighed(sets), arguments.decay)), strict=True):
        print(f'    "{name}": {weight:.3f},')


def _half(groups: Sequence[Judged], side: int) -> list[Judged]:
    """Half of the groups; those that share their windows stand together and are on one side."""
    middle = len(groups) // 2
    return list(groups[middle:] if side else groups[:middle])


def _weighed(sets: Mapping[str, Sequence[Judged]]) -> list[Judged]:
    return [*sets["written"], *sets["told"], *list(sets["composed"]) * PLAIN_WEIGHT]


if __name__ == "__main__":
    main()
