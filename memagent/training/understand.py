"""Trains *understanding*: act, values, subject, slot, kind, and how two claims relate. One trunk, one run.

    python -m memagent.training.understand --minilm DIR --out RUN [--steps 2600] [--threads 2]

DIR holds all-MiniLM-L6-v2. The run resumes from its checkpoint, is seeded, and ends with scores on the development
messages, the exported weights and a model card. All text is composed from the packs beside this file.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from memagent.models.encoder import sequences
from memagent.models.labels import ACTS, KINDS, MODES, OTHER_SLOT, PAIRS
from memagent.training.batches import by_length, encode, inputs, token_span
from memagent.training.examples import Composer, Example
from memagent.training.network import Trunk, Understanding
from memagent.training.packs import load_packs
from memagent.training.pairs import Pair, draw_pair, noisy_pair
from memagent.training.runs import Run, prepare
from memagent.training.vary import Variations
from memagent.training.written import load_messages, load_pairs

MESSAGE_BATCH, PAIR_BATCH, POOL = 40, 16, 1280
TOKENS = 96
IGNORED = -100


def slot_names() -> tuple[str, ...]:
    """The vocabulary of slots; notes share OTHER_SLOT."""
    return (OTHER_SLOT, *(slot.name for slot in load_packs().slots if slot.kind != "note"))


class Batch:
    """Tensors for a batch of messages: one row a message, and one row a query (a fact's value, a question's [CLS])."""

    def __init__(self, examples: list[Example], slots: dict[str, int]) -> None:
        encodings = [encode(e.text, e.context, TOKENS) for e in examples]
        self.inputs = inputs(encodings)
        self.acts = torch.tensor([ACTS.index(e.act) for e in examples])
        self.modes = torch.tensor([MODES.index(e.mode) if e.act in ("ask", "forget") else IGNORED for e in examples])
        self.tags = torch.full(self.inputs.ids.shape, IGNORED)
        rows: list[tuple[int, int, int, int, int, int, int, int]] = []
        for row, (example, encoding) in enumerate(zip(examples, encodings, strict=True)):
            for token, sequence in enumerate(sequences(encoding)):
                if sequence == 0:
                    self.tags[row, token] = 0
            values = [(fact, fact.value) for fact in example.facts]
            for fact, span in values:
                found = token_span(encoding, 0, span)
                if found is None:
                    continue
                self.tags[row, found[0]] = 1
                self.tags[row, found[0] + 1 : found[1] + 1] = 2
                about = self._subject(encoding, fact.subject)
                slot = IGNORED if fact.slot is None else slots.get(fact.slot, 0)
                rows.append((row, found[0], found[1], slot, KINDS.index(fact.kind), int(fact.single), *about))
            if example.value is not None and not example.facts:
                found = token_span(encoding, 0, example.value)
                if found is not None:
                    self.tags[row, found[0]] = 1
                    self.tags[row, found[0] + 1 : found[1] + 1] = 2
            if example.act in ("ask", "forget"):
                slot = IGNORED if example.slot is None else slots.get(example.slot, 0)
                about = self._subject(encoding, example.subject) if example.subject_known else (IGNORED, IGNORED)
                rows.append((row, 0, 0, slot, IGNORED, IGNORED, *about))
        self.queries = torch.tensor(rows, dtype=torch.long).view(-1, 8)

    @staticmethod
    def _subject(encoding: object, subject: tuple[int, tuple[int, int]] | None) -> tuple[int, int]:
        if subject is None:
            return 0, 0
        found = token_span(encoding, subject[0], subject[1])  # type: ignore[arg-type]
        return found if found is not None else (IGNORED, IGNORED)


def value_states(states: Tensor, queries: Tensor) -> Tensor:
    """Mean state of each query's tokens, (queries, WIDTH)."""
    rows, first, last = queries[:, 0], queries[:, 1], queries[:, 2]
    positions = torch.arange(states.shape[1])[None, :]
    inside = ((positions >= first[:, None]) & (positions <= last[:, None])).float()
    return torch.einsum("qtw,qt->qw", states[rows], inside) / inside.sum(1, keepdim=True)


def message_loss(network: Understanding, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    given = batch.inputs
    output = network.read(given.ids, given.segments, given.mask)
    losses = {
        "act": functional.cross_entropy(output.act, batch.acts, label_smoothing=0.02),
        "tags": functional.cross_entropy(output.tags.flatten(0, 1), batch.tags.flatten(), ignore_index=IGNORED) * 3,
    }
    if bool((batch.modes != IGNORED).any()):
        losses["mode"] = functional.cross_entropy(output.mode, batch.modes, ignore_index=IGNORED) * 0.5
    if len(batch.queries):
        queries = batch.queries
        state = value_states(output.states, queries)
        if bool((queries[:, 3] != IGNORED).any()):
            losses["slot"] = functional.cross_entropy(network.slot(state), queries[:, 3], ignore_index=IGNORED)
        if bool((queries[:, 4] != IGNORED).any()):
            losses["kind"] = functional.cross_entropy(network.kind(state), queries[:, 4], ignore_index=IGNORED) * 0.3
            losses["single"] = (
                functional.cross_entropy(network.single(state), queries[:, 5], ignore_index=IGNORED) * 0.3
            )
        pointed = network.subject(state, output.states[queries[:, 0]], given.mask[queries[:, 0]])
        if bool((queries[:, 6] != IGNORED).any()):
            losses["subject"] = functional.cross_entropy(pointed[:, 0], queries[:, 6], ignore_index=IGNORED) * 0.5
            losses["subject"] += functional.cross_entropy(pointed[:, 1], queries[:, 7], ignore_index=IGNORED) * 0.5
    total = torch.stack(list(losses.values())).sum()
    return total, {name: float(loss.detach()) for name, loss in losses.items()}


def pair_tensors(pairs: list[Pair]) -> tuple[object, Tensor, Tensor]:
    encodings = [encode(pair.new, pair.old, TOKENS) for pair in pairs]
    given = inputs(encodings)
    marks = torch.zeros(given.ids.shape)
    for row, (pair, encoding) in enumerate(zip(pairs, encodings, strict=True)):
        for segment, span in ((0, pair.new_value), (1, pair.old_value)):
            found = token_span(encoding, segment, span)
            if found is not None:
                marks[row, found[0] : found[1] + 1] = 1.0
    return given, marks, torch.tensor([PAIRS.index(pair.label) for pair in pairs])


def pair_loss(network: Understanding, pairs: list[Pair]) -> Tensor:
    given, marks, labels = pair_tensors(pairs)
    scores = network.compare(given.ids, given.segments, given.mask, marks)  # type: ignore[attr-defined]
    return functional.cross_entropy(scores, labels)


def message_batches(composer: Composer, written: list[Example], share: float) -> Iterator[list[Example]]:
    vary = Variations(composer.packs.pools["person_name"], composer.rng)

    def stream() -> Iterator[tuple[int, Example]]:
        while True:
            if written and composer.rng.random() < share:
                example = composer.noisy(composer.led(vary.message(composer.rng.choice(written))))
            else:
                example = composer.draw()
            yield len(example.text) + len(example.context), example

    return by_length(stream(), MESSAGE_BATCH, POOL)


def pair_batches(composer: Composer, written: list[Pair], share: float) -> Iterator[list[Pair]]:
    def stream() -> Iterator[tuple[int, Pair]]:
        while True:
            by_hand = composer.rng.random() < share
            pair = noisy_pair(composer, composer.rng.choice(written)) if by_hand else draw_pair(composer)
            yield len(pair.new) + len(pair.old), pair

    return by_length(stream(), PAIR_BATCH, POOL)


def train(network: Understanding, run: Run, seed: int, share: float) -> None:
    slots = {name: index for index, name in enumerate(slot_names())}
    optimiser, schedule = run.optimiser(network)
    messages = message_batches(Composer(load_packs(), seed), load_messages(), share)
    pairs = pair_batches(Composer(load_packs(), seed + 1), load_pairs(), share)
    sums: dict[str, float] = {}
    said = time.monotonic()
    count = 0
    for step in run.steps_to_do(network, optimiser, schedule):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run.bf16):
            loss, parts = message_loss(network, Batch(next(messages), slots))
        loss.backward()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=run.bf16):
            matching = pair_loss(network, next(pairs))
        matching.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        count += 1
        for name, value in {**parts, "pair": float(matching.detach())}.items():
            sums[name] = sums.get(name, 0.0) + value
        if time.monotonic() - said > 30 or step + 1 == run.steps:
            run.log(step=step + 1, **{name: round(total / count, 4) for name, total in sums.items()})
            sums, count, said = {}, 0, time.monotonic()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=2e-4, help="of the trunk; heads learn five times faster")
    parser.add_argument("--written", type=float, default=0.15, help="share of hand-written messages")
    parser.add_argument("--dropout", type=float, default=0.1, help="of hidden states and attention")
    parser.add_argument("--start", type=Path, help="weights to start from: the .pt file of an earlier run")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic: faster with AMX, 4x slower without")
    parser.add_argument(
        "--export",
        action="store_true",
        help="write weights and measured part of the card",
    )
    arguments = parser.parse_args()
    prepare(arguments.out, arguments.seed, arguments.threads)
    network = Understanding(Trunk(arguments.minilm, arguments.dropout), len(slot_names()))
    if arguments.start:
        network.load_state_dict(torch.load(arguments.start, weights_only=True))
    rate = arguments.rate
    run = Run(arguments.out, arguments.steps, trunk_rate=rate, head_rate=5 * rate, bf16=arguments.bf16)
    train(network, run, arguments.seed, arguments.written)
    torch.save(network.state_dict(), arguments.out / "understanding.pt")
    (arguments.out / "slots.json").write_text(json.dumps(slot_names()), encoding="utf-8")
    if arguments.export:
        from memagent.training.export import export_understanding

        export_understanding(network.state_dict(), list(slot_names()))


if __name__ == "__main__":
    main()
