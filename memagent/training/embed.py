"""Trains the *embedder*: vectors, token states and the weights of a question's tokens. Two stages, two runs.

    python -m memagent.training.embed --minilm DIR --out RUN1 --data DIR
    python -m memagent.training.embed --minilm DIR --out RUN2 --data DIR --stage 2 --start RUN1/embedder.pt

The first stage learns from public sets and the written readings, the second from the written conversations as well,
against the turns that the network itself takes for the answers. Late interaction and the vectors each have to tell the
right passage from all others of the batch. Resumes from its checkpoint; seeded.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from memagent.embedding import Passage
from memagent.models.embedder import TOKEN_WIDTH
from memagent.training.conversations import load_conversations
from memagent.training.lower_states import LowerStates
from memagent.training.network import Embedding, TextStates
from memagent.training.runs import Run, prepare
from memagent.training.searches import Mixture, Search, Spoken, load_mixture, spoken_of
from memagent.training.written import load_readings

TEMPERATURE = 0.05
VECTORS = 0.5  # how much the vectors count beside late interaction, in the loss and when turns are mined
MINED_EVERY = 100  # steps
WARM = 50  # steps
PROJECTED = 800  # passages whose states the first projection is fitted to
SCORED = 48  # texts at once

# The shipped weights come from runs of this method whose networks had other names, and "net" around them.
_NAMES = {"proj.weight": "token.weight", "w.weight": "weight.weight", "w.bias": "weight.bias"}


@dataclass(frozen=True)
class Stage:
    """How long and how fast a stage learns: `steps` of `batch` questions; the rate falls to nothing over `fall` steps,
    whether they are all done or not."""

    steps: int
    fall: int
    batch: int
    rate: float


STAGES = {1: Stage(400, 800, 32, 1e-4), 2: Stage(400, 400, 24, 8e-5)}


def max_similarities(asked: TextStates, passages: TextStates) -> Tensor:
    """(questions, passages): the weighted mean of the cosine of each token's nearest."""
    count, length, width = asked.tokens.shape
    others, size, _ = passages.tokens.shape
    cosines = (asked.tokens.reshape(-1, width) @ passages.tokens.reshape(-1, width).T).view(count, length, others, size)
    nearest = cosines.masked_fill(passages.own[None, None] == 0, -1e4).amax(-1)
    return (nearest * asked.weights[..., None]).sum(1)


def loss(network: Embedding, lower: LowerStates, drawn: Sequence[Search]) -> tuple[Tensor, dict[str, float]]:
    """Each question against every passage of the batch, by late interaction and by the vectors."""
    rows = {
        text: row for row, text in enumerate(dict.fromkeys(text for one in drawn for text in (one.right, *one.wrong)))
    }
    asked = _read(network, lower, [search.question for search in drawn])
    passages = _read(network, lower, list(rows))
    right = torch.tensor([rows[search.right] for search in drawn])
    also = torch.zeros(len(drawn), len(rows), dtype=torch.bool)  # right for the same question, and not to be refused
    for at, search in enumerate(drawn):
        for other in drawn:
            if other.question == search.question and other.right != search.right:
                also[at, rows[other.right]] = True
    late = (max_similarities(asked, passages) / TEMPERATURE).masked_fill(also, -1e4)
    vectors = (asked.vector @ passages.vector.T / TEMPERATURE).masked_fill(also, -1e4)
    parts = {"late": functional.cross_entropy(late, right), "vectors": functional.cross_entropy(vectors, right)}
    found = {name: float(part.detach()) for name, part in parts.items()}
    found["first"] = float((late.argmax(1) == right).float().mean())
    return parts["late"] + VECTORS * parts["vectors"], found


def _read(network: Embedding, lower: LowerStates, texts: Sequence[Passage] | Sequence[str]) -> TextStates:
    batch = lower.batch(texts)
    found: TextStates = network(batch.states, batch.mask, batch.own)
    return found


@torch.no_grad()
def scores(
    network: Embedding, lower: LowerStates, passages: Sequence[Passage], questions: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Late interaction and cosines, each of shape (questions, passages)."""
    if not passages or not questions:
        nothing = np.zeros((len(questions), len(passages)), np.float32)
        return nothing, nothing
    order = sorted(range(len(passages)), key=lambda row: len(passages[row].before) + len(passages[row].text))
    late = np.zeros((len(questions), len(passages)), np.float32)
    cosines = np.zeros_like(late)
    asked = [_read(network, lower, questions[at : at + SCORED]) for at in range(0, len(questions), SCORED)]
    for at in range(0, len(order), SCORED):
        rows = order[at : at + SCORED]
        made = _read(network, lower, [passages[row] for row in rows])
        late[:, rows] = torch.cat([max_similarities(part, made) for part in asked]).numpy()
        cosines[:, rows] = torch.cat([part.vector @ made.vector.T for part in asked]).numpy()
    return late, cosines


def recalls(network: Embedding, lower: LowerStates, held: Sequence[Spoken]) -> dict[str, float]:
    """The share of a question's turns among its first 1, 5 and 10, in percent, by late interaction and by vectors."""
    found: dict[str, list[float]] = {}
    for talk in held:
        both = scores(network, lower, talk.passages, [asking.question for asking in talk.askings])
        for name, values in zip(("late", "vectors"), both, strict=True):
            for asking, row in zip(talk.askings, values, strict=True):
                order = np.argsort(-row, kind="stable")
                for k in (1, 5, 10):
                    share = len(set(order[:k].tolist()) & set(asking.right)) / len(asking.right)
                    found.setdefault(f"{name} R@{k}", []).append(share)
    return {name: round(100 * float(np.mean(shares)), 1) for name, shares in found.items()}


@torch.no_grad()
def fit_projection(network: Embedding, lower: LowerStates, passages: Sequence[Passage]) -> None:
    """Begin with the directions in which the states of MiniLM differ most."""
    states = []
    for at in range(0, len(passages), SCORED):
        batch = lower.batch(passages[at : at + SCORED])
        states.append(network.upper(batch.states, batch.mask)[batch.own == 1])
    found = functional.normalize(torch.cat(states), dim=-1)
    network.token.weight.copy_(torch.linalg.svd(found, full_matrices=False)[2][:TOKEN_WIDTH])


def train(network: Embedding, run: Run, stage: Stage, mixture: Mixture, held: Sequence[Spoken], seed: int) -> None:
    """All steps of a run; recall on what is held out goes to the log whenever turns are mined, and at the end."""
    lower = LowerStates(network)
    optimiser, schedule = _optimiser(network, run, stage)
    mined, sums, count, said = False, dict[str, float](), 0, time.monotonic()
    for step in run.steps_to_do(network, optimiser, schedule):
        if mixture.talks is not None and (step % MINED_EVERY == 0 or not mined):
            mixture.talks.mine(lambda passages, questions: _combined(network, lower, passages, questions))
            mined = True
        # A generator of its own for each step: a run that was interrupted goes on as if it had not been.
        drawn = mixture.draw(random.Random(f"{seed} {step}"), stage.batch)
        total, parts = loss(network, lower, drawn)
        total.backward()
        torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        count += 1
        sums = {name: sums.get(name, 0.0) + value for name, value in parts.items()}
        last = step + 1 == run.steps
        if time.monotonic() - said > 30 or last:
            run.log(step=step + 1, **{name: round(value / count, 4) for name, value in sums.items()})
            sums, count, said = {}, 0, time.monotonic()
        if held and ((step + 1) % MINED_EVERY == 0 or last):
            run.log(step=step + 1, **recalls(network, lower, held))


def _combined(
    network: Embedding, lower: LowerStates, passages: Sequence[Passage], questions: Sequence[str]
) -> NDArray[np.float32]:
    late, cosines = scores(network, lower, passages, questions)
    result: NDArray[np.float32] = late + VECTORS * cosines
    return result


def _optimiser(
    network: Embedding, run: Run, stage: Stage
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW; the token states learn faster than the layers, and the weights of tokens, a single row, faster still."""
    optimiser = torch.optim.AdamW(
        [
            {"params": network.upper_parameters(), "lr": run.trunk_rate},
            {"params": list(network.token.parameters()), "lr": run.head_rate},
            {"params": list(network.weight.parameters()), "lr": 10 * run.trunk_rate},
        ],
        weight_decay=0.01,
    )

    def factor(step: int) -> float:
        return min(1.0, (step + 1) / WARM) * max(0.0, 1.0 - step / stage.fall) + 0.02

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def load_start(network: Embedding, path: Path) -> None:
    """Weights of an earlier run."""
    state = torch.load(path, weights_only=True)
    network.load_state_dict({_NAMES.get(name, name): tensor for name, tensor in state.get("net", state).items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--stage", type=int, choices=sorted(STAGES), default=1)
    parser.add_argument("--steps", type=int, help="by default those of the stage")
    parser.add_argument("--start", type=Path, help="weights to start from: the .pt file of an earlier run")
    parser.add_argument("--held", default="", help="ids of conversations to leave out and measure on, with commas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--export", action="store_true", help="write the bundled weights at the end")
    arguments = parser.parse_args()
    stage = STAGES[arguments.stage]
    prepare(arguments.out, arguments.seed, arguments.threads)
    network = Embedding(arguments.minilm)
    names = set(filter(None, arguments.held.split(",")))
    conversations = load_conversations()
    if unknown := names - {conversation.id for conversation in conversations}:
        parser.error(f"no conversation is called {', '.join(sorted(unknown))}")
    held = [spoken_of(conversation) for conversation in conversations if conversation.id in names]
    spoken = [spoken_of(conversation) for conversation in conversations if conversation.id not in names]
    mixture = load_mixture(arguments.data, load_readings(), spoken if arguments.stage == 2 else [])
    if arguments.start:
        load_start(network, arguments.start)
    elif mixture.talks is not None:
        parser.error("stage 2 begins with the weights of stage 1: give them with --start")
    else:
        drawn = mixture.draw(random.Random(arguments.seed), PROJECTED)
        fit_projection(network, LowerStates(network), [search.right for search in drawn])
    if arguments.steps:
        stage = replace(stage, steps=arguments.steps, fall=arguments.steps * stage.fall // stage.steps)
    run = Run(arguments.out, stage.steps, trunk_rate=stage.rate, head_rate=3 * stage.rate)
    train(network, run, stage, mixture, held, arguments.seed)
    torch.save(network.state_dict(), arguments.out / "embedder.pt")
    if arguments.export:
        from memagent.training.export import export_embedder

        export_embedder(network.state_dict())


if __name__ == "__main__":
    main()
