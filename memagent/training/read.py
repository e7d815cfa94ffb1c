"""Trains *read*: which words of an earlier message answer a question, or that it does not say.

    python -m memagent.training.read --minilm DIR --out RUN [--data DIR] [--steps 2000] [--threads 2]

Without `--data` only composed readings are used. Resumes from its checkpoint; seeded.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from memagent.models.labels import ANSWERS
from memagent.training.batches import by_length, encode, inputs, token_span
from memagent.training.conversations import load_conversations
from memagent.training.examples import Composer
from memagent.training.network import Reader, Trunk
from memagent.training.packs import load_packs
from memagent.training.public import load_chatter, load_groups
from memagent.training.reading import Group, Readings
from memagent.training.runs import Run, prepare
from memagent.training.talks import Talk, load_talks
from memagent.training.told import Told
from memagent.training.vary import Variations
from memagent.training.written import load_hops, load_messages, load_readings

GROUPS, POOL = 10, 300  # groups in a batch, and in a pool that is sorted by length
TOKENS = 112
IGNORED = -100


def group_loss(network: Reader, groups: list[Group]) -> tuple[Tensor, dict[str, float]]:
    """Per window the kind of answer and the span; per group one softmax over its windows and "none of them"."""
    pairs = [(row, group.question, window) for row, group in enumerate(groups) for window in group.windows]
    encodings = [encode(question, window.text, TOKENS) for _, question, window in pairs]
    given = inputs(encodings)
    kinds = torch.tensor([ANSWERS.index(window.kind) for _, _, window in pairs])
    spans = torch.full((len(pairs), 2), IGNORED)
    for row, ((_, _, window), encoding) in enumerate(zip(pairs, encodings, strict=True)):
        found = token_span(encoding, 1, window.answer) if window.answer is not None else None
        if found is not None:
            spans[row, 0], spans[row, 1] = found
    answer, pointed = network(given.ids, given.segments, given.mask)
    losses = {"kind": functional.cross_entropy(answer, kinds, label_smoothing=0.02)}
    if bool((spans != IGNORED).any()):
        losses["start"] = functional.cross_entropy(pointed[:, 0], spans[:, 0], ignore_index=IGNORED) * 0.5
        losses["end"] = functional.cross_entropy(pointed[:, 1], spans[:, 1], ignore_index=IGNORED) * 0.5
    answers = answer[:, 1:].logsumexp(1) - answer[:, 0]
    members = torch.tensor([row for row, _, _ in pairs])
    choices = []
    for row in range(len(groups)):
        inside = (members == row).nonzero().flatten()
        scores = torch.cat([answers.new_zeros(1), answers[inside]])
        right = (kinds[inside] != 0).nonzero().flatten() + 1
        wanted = scores[right] if len(right) else scores[:1]
        choices.append(scores.logsumexp(0) - wanted.logsumexp(0))
    losses["choice"] = torch.stack(choices).mean()
    total = torch.stack(list(losses.values())).sum()
    return total, {name: float(loss.detach()) for name, loss in losses.items()}


def families_of(groups: Sequence[Group]) -> list[list[Group]]:
    """Groups with the same windows, together."""
    found: dict[frozenset[str], list[Group]] = {}
    for group in groups:
        found.setdefault(frozenset(window.text for window in group.windows), []).append(group)
    return list(found.values())


@dataclass(frozen=True)
class Shares:
    """How much of a batch is hand-written readings, questions over two messages, about what hand-written messages
    tell, and over conversations."""

    written: float
    hops: float
    told: float
    talks: float


def group_batches(readings: Readings, talks: list[Talk], shares: Shares) -> Iterator[list[Group]]:
    """Questions about the same messages come together, so that what tells them apart is seen in one step."""
    rng, written, hops = readings.rng, load_readings(held=False), load_hops()
    families = families_of(written)
    told = Told(readings.composer, load_messages(held=False))
    vary = Variations(readings.composer.packs.pools["person_name"], rng)

    def drawn() -> list[Group]:
        roll = rng.random()
        if roll < shares.written:
            return vary.family(rng.choice(families), written)
        if roll < shares.written + shares.hops:
            return [vary.group(rng.choice(hops), written)]
        if roll < shares.written + shares.hops + shares.told:
            return [vary.group(told.draw(), written)]
        if roll < shares.written + shares.hops + shares.told + shares.talks:
            return [rng.choice(talks).draw(rng)]
        return [readings.draw()]

    def stream() -> Iterator[tuple[int, Group]]:
        while True:
            family = drawn()
            longest = max(len(window.text) for group in family for window in group.windows)
            for group in family:
                yield longest, group

    return by_length(stream(), GROUPS, POOL)


def train(network: Reader, run: Run, readings: Readings, talks: list[Talk], shares: Shares) -> None:
    optimiser, schedule = run.optimiser(network)
    batches = group_batches(readings, talks, shares)
    sums: dict[str, float] = {}
    said, count = time.monotonic(), 0
    for step in run.steps_to_do(network, optimiser, schedule):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run.bf16):
            loss, parts = group_loss(network, next(batches))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        count += 1
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value
        if time.monotonic() - said > 30 or step + 1 == run.steps:
            run.log(step=step + 1, **{name: round(total / count, 4) for name, total in sums.items()})
            sums, count, said = {}, 0, time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder with the public sets")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--rate", type=float, default=2e-4, help="of the trunk; heads learn five times faster")
    parser.add_argument("--written", type=float, default=0.15, help="share of hand-written groups")
    parser.add_argument("--hops", type=float, default=0.1, help="share of questions that need two messages")
    parser.add_argument("--told", type=float, default=0.1, help="share of questions about hand-written messages")
    parser.add_argument("--talks", type=float, default=0.35, help="share of questions about written conversations")
    parser.add_argument("--dropout", type=float, default=0.1, help="of hidden states and attention")
    parser.add_argument("--held", default="", help="ids of conversations to leave out, with commas")
    parser.add_argument("--start", type=Path, help="weights to start from: the .pt file of an earlier run")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic: faster with AMX, 4x slower without")
    parser.add_argument(
        "--export",
        action="store_true",
        help="write weights and measured part of the card",
    )
    arguments = parser.parse_args()
    prepare(arguments.out, arguments.seed, arguments.threads)
    network = Reader(Trunk(arguments.minilm, arguments.dropout))
    if arguments.start:
        network.load_state_dict(torch.load(arguments.start, weights_only=True))
    rate = arguments.rate
    run = Run(arguments.out, arguments.steps, trunk_rate=rate, head_rate=5 * rate, bf16=arguments.bf16)
    composer = Composer(load_packs(), arguments.seed)
    held = set(arguments.held.split(","))
    talks = load_talks([conversation for conversation in load_conversations() if conversation.id not in held])
    readings = Readings(composer, load_groups(arguments.data), 0.55, load_chatter(arguments.data))
    train(network, run, readings, talks, Shares(arguments.written, arguments.hops, arguments.told, arguments.talks))
    torch.save(network.state_dict(), arguments.out / "reader.pt")
    if arguments.export:
        from memagent.training.export import export_reader

        export_reader(network.state_dict())


if __name__ == "__main__":
    main()
