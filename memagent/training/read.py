"""Trains *read*: which words of an earlier message answer a question, or that it does not say.

    python -m memagent.training.read --minilm DIR --out RUN [--data DIR] [--steps 2200] [--threads 2]

Without `--data` only composed readings are used. Resumes from its checkpoint; seeded.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from memagent.models.labels import ANSWERS
from memagent.training.batches import by_length, encode, inputs, token_span
from memagent.training.examples import Composer
from memagent.training.network import Reader, Trunk
from memagent.training.packs import load_packs
from memagent.training.public import load_readings
from memagent.training.reading import Mixture, Reading
from memagent.training.runs import Run, prepare

BATCH, POOL = 40, 1280
TOKENS = 128
IGNORED = -100


def reading_loss(network: Reader, readings: list[Reading]) -> tuple[Tensor, dict[str, float]]:
    encodings = [encode(reading.question, reading.window, TOKENS) for reading in readings]
    given = inputs(encodings)
    kinds = torch.tensor([ANSWERS.index(reading.kind) for reading in readings])
    spans = torch.full((len(readings), 2), IGNORED)
    for row, (reading, encoding) in enumerate(zip(readings, encodings, strict=True)):
        found = token_span(encoding, 1, reading.answer) if reading.answer is not None else None
        if found is not None:
            spans[row, 0], spans[row, 1] = found
    answer, pointed = network(given.ids, given.segments, given.mask)
    losses = {"kind": functional.cross_entropy(answer, kinds, label_smoothing=0.02)}
    if bool((spans != IGNORED).any()):
        losses["start"] = functional.cross_entropy(pointed[:, 0], spans[:, 0], ignore_index=IGNORED) * 0.5
        losses["end"] = functional.cross_entropy(pointed[:, 1], spans[:, 1], ignore_index=IGNORED) * 0.5
    total = torch.stack(list(losses.values())).sum()
    return total, {name: float(loss.detach()) for name, loss in losses.items()}


def reading_batches(mixture: Mixture) -> Iterator[list[Reading]]:
    def stream() -> Iterator[tuple[int, Reading]]:
        while True:
            reading = mixture.draw()
            yield len(reading.question) + len(reading.window), reading

    return by_length(stream(), BATCH, POOL)


def train(network: Reader, run: Run, mixture: Mixture) -> None:
    optimiser, schedule = run.optimiser(network)
    batches = reading_batches(mixture)
    sums: dict[str, float] = {}
    said, count = time.monotonic(), 0
    for step in run.steps_to_do(network, optimiser, schedule):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run.bf16):
            loss, parts = reading_loss(network, next(batches))
        loss.backward()  # type: ignore[no-untyped-call]
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
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic: faster with AMX, 4x slower without")
    parser.add_argument("--export", action="store_true", help="write the bundled weights and the model card at the end")
    arguments = parser.parse_args()
    prepare(arguments.out, arguments.seed, arguments.threads)
    network = Reader(Trunk(arguments.minilm))
    run = Run(arguments.out, arguments.steps, trunk_rate=2e-4, head_rate=1e-3, bf16=arguments.bf16)
    composer = Composer(load_packs(), arguments.seed)
    train(network, run, Mixture(composer, load_readings(arguments.data, arguments.seed), share=0.35))
    torch.save(network.state_dict(), arguments.out / "reader.pt")
    if arguments.export:
        from memagent.training.export import export_reader

        export_reader(network.state_dict())


if __name__ == "__main__":
    main()
