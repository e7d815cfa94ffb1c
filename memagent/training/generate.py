"""Trains a small chat model that calls our tools, from scratch, and writes it as a transformers checkpoint.

    python -m memagent.training.generate --out RUN [--size small] [--steps 20000] [--device cuda] [--threads 2]

It learns what `dialogues` composes, rendered as the transformers backend renders it. The run resumes from its
checkpoint and is seeded; at its end RUN/model is a folder for `memagent chat --model`, and RUN/scores.json says how
many steps of held-out turns it writes exactly.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from memagent.agent.window import SYSTEM
from memagent.models.chat_model import ChatRequest
from memagent.models.local.template import ChatTemplate
from memagent.models.prompt import chat_messages
from memagent.tools.registry import TOOLS
from memagent.training.chat_tokenizer import START, STOP, VOCABULARY, train_tokenizer
from memagent.training.dialogues import Dialogues, Turn
from memagent.training.packs import Packs, load_packs
from memagent.training.runs import Run, prepare
from memagent.training.written import load_messages, load_pairs, load_readings

SIZES = {
    "tiny": {"hidden_size": 64, "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 4},
    "small": {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 6, "num_attention_heads": 4},
    "mini": {"hidden_size": 256, "intermediate_size": 640, "num_hidden_layers": 4, "num_attention_heads": 4},
    "base": {"hidden_size": 384, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 6},
}
WINDOW = 4096  # positions the model can have
LONGEST = 768  # tokens of a training turn
POOL = 32  # batches that are drawn at once and cut by length
COPY_LENGTH, COPY_GAPS, COPY_EVERY = (16, 40), (10, 100), 6
CALL_WEIGHT = 3.0  # of tokens in calls: a wrong value costs more than a wrong word
TOKENIZER_TURNS = 4000
HELD_OUT = 100
EMBEDDING_STD = 0.02
SCHEMAS = tuple(tool.schema() for tool in TOOLS.values())


@dataclass(frozen=True)
class Sample:
    """A turn in tokens, with a weight for each: 0 for what the model does not write itself."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]


def request_of(turn: Turn, upto: int) -> ChatRequest:
    """The request that the backend would see before message `upto`."""
    return ChatRequest(SYSTEM, {}, turn.recalled, turn.messages[:upto], SCHEMAS)


def rendered(template: ChatTemplate, turn: Turn) -> str:
    return template.render(chat_messages(request_of(turn, len(turn.messages))), SCHEMAS, open_reply=False)


class Encoder:
    """Turns into samples."""

    def __init__(self, tokenizer: Any) -> None:
        self.template = ChatTemplate(tokenizer)
        self._stop = tokenizer.convert_tokens_to_ids(STOP)
        self._call = tokenizer.convert_tokens_to_ids("<tool_call>")
        self._header = tokenizer.encode(f"{START}assistant\n", add_special_tokens=False)
        self._said = tokenizer.encode(f"{START}user\n", add_special_tokens=False)

    def sample(self, turn: Turn) -> Sample:
        """Weights are above 0 for what the assistant writes behind the last message of the person."""
        ids = self.template.encode(rendered(self.template, turn))
        weights = [0.0] * len(ids)
        size = len(self._header)
        at = max(n for n in range(len(ids)) if ids[n : n + len(self._said)] == self._said)
        while at < len(ids):
            if ids[at : at + size] != self._header:
                at += 1
                continue
            at += size
            weight = CALL_WEIGHT if ids[at] == self._call else 1.0
            end = ids.index(self._stop, at) + 1
            weights[at:end] = [weight] * (end - at)
            at = end
        return Sample(tuple(ids), tuple(weights))


def batches(encoder: Encoder, dialogues: Dialogues, size: int) -> Iterator[list[Sample]]:
    """Samples of about the same length, in random order."""
    while True:
        drawn = (encoder.sample(dialogues.draw()) for _ in range(size * POOL))
        pool = sorted((sample for sample in drawn if len(sample.ids) <= LONGEST), key=lambda sample: len(sample.ids))
        cut = [pool[at : at + size] for at in range(0, len(pool), size)]
        dialogues.rng.shuffle(cut)
        yield from cut


def copies(vocabulary: int, size: int, gap: int, rng: random.Random) -> list[Sample]:
    """Random tokens that come again up to `gap` later, from whose second place on they are to be written.

    What is quoted must be copied, and a model from scratch is slow to find out how from conversations: after 2,000
    steps of them alone it wrote "974 + 29" for "794 + 29". Repeated random sequences teach it (Olsson et al. 2022,
    "In-context Learning and Induction Heads"); with gaps of 100 from the start nothing was learned in 130 steps.
    """
    samples = []
    for _ in range(size):
        before, between, length = rng.randrange(gap), rng.randrange(gap), rng.randint(*COPY_LENGTH)
        drawn = [rng.randrange(vocabulary) for _ in range(before + length + between)]
        ids = (*drawn, *drawn[before : before + length])
        samples.append(Sample(ids, (*[0.0] * (len(drawn) + 1), *[1.0] * (length - 1))))
    return samples


def lessons(
    turns: Iterator[list[Sample]], drawn: Callable[[int], list[Sample]], first: int, copying: int
) -> Iterator[list[Sample]]:
    """Batches from step `first` on: copies for the first `copying` steps, then turns, and copies now and then.

    `drawn` makes copies with gaps up to the given number of tokens, which grows in the second half of `copying`.
    """
    for step in itertools.count(first):
        if step < copying or step % COPY_EVERY == 0:
            grown = 1.0 if step >= copying else max(0.0, 2 * step / copying - 1)
            yield drawn(round(COPY_GAPS[0] + grown * (COPY_GAPS[1] - COPY_GAPS[0])))
        else:
            yield next(turns)


def shared_start(batch: Sequence[Sample]) -> int:
    """How many tokens all samples begin with, none of them one that the model writes."""
    first, last = min(sample.ids for sample in batch), max(sample.ids for sample in batch)
    same = next((n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    written = min(next(n for n, weight in enumerate(sample.weights) if weight) for sample in batch)
    return max(0, min(same, written) - 1)


def loss_of(model: Any, batch: Sequence[Sample], device: str) -> Tensor:
    """Weighted cross entropy of what the model writes, padded at the right."""
    shared = shared_start(batch)
    longest = max(len(sample.ids) for sample in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, sample in enumerate(batch):
        ids[row, : len(sample.ids)] = torch.tensor(sample.ids)
        weights[row, : len(sample.ids)] = torch.tensor(sample.weights)
    ids, weights = ids[:, shared:].to(device), weights[:, shared + 1 :].to(device)
    before = None
    if shared:  # the instructions are half of a turn and the same in all: computed once, with their gradient
        start = torch.tensor([batch[0].ids[:shared]], device=device)
        before = model.model(input_ids=start, use_cache=True).past_key_values
        before.batch_repeat_interleave(len(batch))
    states = model.model(input_ids=ids, past_key_values=before).last_hidden_state[:, :-1]
    wanted = weights > 0  # an eighth of the tokens: the vocabulary is scored for these only
    losses = functional.cross_entropy(model.lm_head(states[wanted]).float(), ids[:, 1:][wanted], reduction="none")
    return (losses * weights[wanted]).sum() / weights.sum()


def new_model(size: str, tokenizer: Any) -> Any:
    """A Llama of one of SIZES with random weights; its embeddings are tied, and begin as MiniLM's."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        **SIZES[size],
        vocab_size=len(tokenizer),
        num_key_value_heads=2,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.get_input_embeddings().weight.data.copy_(meaningful(tokenizer, config.hidden_size))
    return model


def meaningful(tokenizer: Any, width: int) -> Tensor:
    """Embeddings (vocabulary, width) that already tell like from unlike, so that the run need not learn words.

    A token gets the mean of MiniLM's embeddings of its word pieces, on their first principal axes, at the scale of
    random ones; half as much noise keeps apart what MiniLM does not, such as "The" and "the".
    """
    from memagent.models import encoder, weights

    stored = weights.load_weights(encoder.BASE)
    table = (
        stored["embeddings.word.int8"].astype("float32") * stored["embeddings.word.scale"].astype("float32")[:, None]
    )
    pieces = encoder.tokenizer()
    rows = torch.zeros(len(tokenizer), table.shape[1])
    for token in range(len(tokenizer)):
        found = pieces.encode(tokenizer.decode([token]), add_special_tokens=False).ids
        if found:
            rows[token] = torch.from_numpy(table[found].mean(0))
    rows -= rows.mean(0)
    _, _, axes = torch.pca_lowrank(rows, q=min(width, *rows.shape), center=False)
    kept = functional.pad(rows @ axes, (0, max(0, width - axes.shape[1])))
    return (kept / kept.std() + 0.5 * torch.randn(kept.shape)) * EMBEDDING_STD


def train(model: Any, run: Run, stream: Iterator[list[Sample]], device: str) -> None:
    optimiser, schedule = run.optimiser(model)
    total, count, said = 0.0, 0, time.monotonic()
    for step in run.steps_to_do(model, optimiser, schedule):
        with torch.autocast(device.partition(":")[0], dtype=torch.bfloat16, enabled=run.bf16):
            loss = loss_of(model, next(stream), device)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad(set_to_none=True)
        total, count = total + float(loss.detach()), count + 1
        if time.monotonic() - said > 30 or step + 1 == run.steps:
            run.log(step=step + 1, loss=round(total / count, 4))
            total, count, said = 0.0, 0, time.monotonic()


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """A checkpoint for the transformers backend, in bf16: half the size, read as fp32 on a CPU."""
    import copy

    copy.deepcopy(model).cpu().to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def score(folder: Path, packs: Packs, seed: int, count: int = HELD_OUT) -> dict[str, float]:
    """Of `count` turns that were not trained on: the share of steps written as they should be, by kind of step.

    Calls are compared as calls, with their arguments; replies as text. "calls or not" is the share of steps at which it
    calls tools where it should, and does not where it should not.
    """
    from memagent.conversation import TextDelta, ToolCall
    from memagent.models.local.load import load_local

    model = load_local(str(folder), context_tokens=None, device="cpu")
    right: dict[str, list[bool]] = {}
    dialogues = Dialogues(packs, seed, readings=load_readings(held=True))
    for _ in range(count):
        turn = dialogues.draw()
        start = max(index for index, message in enumerate(turn.messages) if message.role == "user") + 1
        for index in range(start, len(turn.messages)):
            message = turn.messages[index]
            if message.role != "assistant":
                continue
            outputs = list(model.respond(request_of(turn, index)))
            calls = [(o.name, dict(o.arguments)) for o in outputs if isinstance(o, ToolCall)]
            text = "".join(o.text for o in outputs if isinstance(o, TextDelta)).strip()
            wanted = [(call.name, dict(call.arguments)) for call in message.tool_calls]
            kind = wanted[0][0] if wanted else "reply"
            right.setdefault(kind, []).append(calls == wanted if wanted else not calls and text == message.content)
            right.setdefault("calls or not", []).append(bool(calls) == bool(wanted))
    return {kind: round(sum(found) / len(found), 3) for kind, found in sorted(right.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=32, help="turns a step")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--copying", type=int, default=800, help="steps at the start that only copy")
    parser.add_argument("--start", type=Path, help="weights to start from: the checkpoint.pt of an earlier run")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 arithmetic, for a GPU")
    arguments = parser.parse_args()
    prepare(arguments.out, arguments.seed, arguments.threads)
    packs = load_packs()
    tokenizer = _tokenizer(arguments.out / "tokenizer", packs, arguments.seed)
    model = new_model(arguments.size, tokenizer).to(arguments.device)
    if arguments.start:
        model.load_state_dict(torch.load(arguments.start, weights_only=True)["network"])
    run = Run(arguments.out, arguments.steps, arguments.rate, arguments.rate, arguments.bf16)
    seed = arguments.seed + 1_000_003 * run.first_step  # after a resume other turns, so that none is seen twice
    dialogues = Dialogues(packs, seed, load_messages(), load_readings(held=False), load_pairs())
    turns = batches(Encoder(tokenizer), dialogues, arguments.batch)
    drawn = partial(copies, len(tokenizer), arguments.batch, rng=dialogues.rng)
    train(model, run, lessons(turns, drawn, run.first_step, arguments.copying), arguments.device)
    save(model, tokenizer, arguments.out / "model")
    scores = score(arguments.out / "model", packs, seed=-1)
    (arguments.out / "scores.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")
    run.log(**scores)


def _tokenizer(folder: Path, packs: Packs, seed: int) -> Any:
    """The run's tokenizer, made on its first start from turns and their instructions."""
    from transformers import AutoTokenizer

    if not folder.exists():
        dialogues = Dialogues(packs, seed + 1000, load_messages(), load_readings(held=False), load_pairs())
        draft = ChatTemplate(train_tokenizer([SYSTEM], 512))
        texts = (rendered(draft, dialogues.draw()) for _ in range(TOKENIZER_TURNS))
        train_tokenizer((text.partition(STOP)[2] for text in texts), VOCABULARY).save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)  # one just trained encodes two hundred times slower


if __name__ == "__main__":
    main()
