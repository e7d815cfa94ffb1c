"""What a message asks of memory: act, values, whom they are about, which slot; and how two claims relate.

One encoder pass a message (or a batch of pairs), small heads in NumPy. Gives labels and spans; what is done with them
is the business of `specialists`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from tokenizers import Encoding

from memagent.models.encoder import BUNDLED, Array, Encoder, by_length, pad, sequences, tokenizer
from memagent.models.labels import ACTS, KINDS, MODES, OTHER_SLOT, PAIRS, TAGS
from memagent.models.recent import Recent
from memagent.models.spans import softmax, whole_words
from memagent.models.weights import load_weights

WEIGHTS = BUNDLED / "understanding.safetensors"
SLOTS = BUNDLED / "slots.json"
MAX_TOKENS = 192
POINTER = 128
TELLING = frozenset({"state", "correct"})
GLUE = frozenset({"", ":", ".", "-", "'", "’", "/", ",", " & ", "&", "@", "_"})
ARTICLES = frozenset({"", "a", "an", "the"})
SURELY_BEGINS = 0.85
RECKONED = frozenset({"sum", "difference"})
SURELY_RECKONED = 0.85
SURE_SLOT = 0.5  # from this probability on the slot is used
DANGLING = re.compile(r"(?:\s+(?:in|to|with|at|for|of|from|and|by|a|an|the))+$", re.IGNORECASE)  # ends no value
VALUE_LIFT = 1.5  # a value that is missed costs more than one too many
LEAST_LIKELY = 0.12
MOST_KNOWN = 4096  # messages whose acts are remembered
BATCH_TOKENS = 1024
MOST_COMPARED = 256  # pairs of claims whose relations are

Span = tuple[int, int]


@dataclass(frozen=True)
class Reference:
    """Whom or what something is about: characters of the message or of its context. Without a span it is the person."""

    words: str
    source: Literal["text", "context"]
    span: Span
    probability: float


@dataclass(frozen=True)
class Value:
    """A value found in a message: characters, its subject (None: the person), slot and kind with probabilities."""

    span: Span
    words: str
    probability: float
    subject: Reference | None
    slot: str
    slot_probability: float
    kind: str
    single: bool


@dataclass(frozen=True)
class Understood:
    """One message, understood. `slot` and `subject` are what a question or a request to forget is about."""

    text: str
    act: str
    act_probability: float
    acts: dict[str, float]
    mode: str
    values: tuple[Value, ...]
    subject: Reference | None
    slot: str
    slot_probability: float


@dataclass(frozen=True)
class Claim:
    """A sentence with the characters of its value, to be compared with another."""

    text: str
    value: Span


class Understanding:
    """The shipped heads *decide*, *extract* and *match* on their trunk. Thread-safe."""

    def __init__(self, *, threads: int = 1) -> None:
        weights = load_weights(WEIGHTS)
        self._encoder = Encoder(weights, threads=threads)
        self._heads = {
            name.removeprefix("head."): np.asarray(array, np.float32)
            for name, array in weights.items()
            if name.startswith("head.")
        }
        self._acts = Recent(self._read_acts, MOST_KNOWN)
        self._compared = Recent(self._compare, MOST_COMPARED)
        self.slots: tuple[str, ...] = tuple(json.loads(SLOTS.read_text(encoding="utf-8")))

    def read(self, text: str, context: str = "") -> Understood:
        """Understand one message; `context` is what the person said before it, newest first."""
        encoding = self._encode(text, context)
        ids, segments, mask = pad([encoding])
        states = self._encoder.run(ids, segments, mask)[0]
        first = states[0]
        acts = softmax(self._head("act", first))
        mode = self._mode(first)
        slot, slot_probability = self._slot(first)
        best = int(acts.argmax())
        return Understood(
            text,
            ACTS[best],
            float(acts[best]),
            {name: float(p) for name, p in zip(ACTS, acts, strict=True)},
            mode,
            self._values(text, context, encoding, states, ACTS[best] in TELLING),
            self._subject(text, context, encoding, states, first),
            slot,
            slot_probability,
        )

    def acts(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Probabilities of the acts of many messages at once, without context; known texts are not read again."""
        return self._acts(texts)

    def _read_acts(self, texts: Sequence[str]) -> list[dict[str, float]]:
        encodings = [self._encode(text, "") for text in texts]
        found: dict[int, dict[str, float]] = {}
        for places in by_length([len(encoding.ids) for encoding in encodings], BATCH_TOKENS):
            states = self._encoder.run(*pad([encodings[at] for at in places]))[:, 0]
            for at, row in zip(places, softmax(self._head("act", states)), strict=True):
                found[at] = {name: float(p) for name, p in zip(ACTS, row, strict=True)}
        return [found[at] for at in range(len(texts))]

    def compare(self, pairs: Sequence[tuple[Claim, Claim]]) -> list[dict[str, float]]:
        """For each (newer, older) pair the probabilities of `unrelated`, `replaces`, `same` and `ends`."""
        return self._compared(pairs)

    def _compare(self, pairs: Sequence[tuple[Claim, Claim]]) -> list[dict[str, float]]:
        encodings = [self._encode(new.text, old.text) for new, old in pairs]
        ids, segments, mask = pad(encodings)
        marks = np.zeros(ids.shape, np.float32)
        for row, ((new, old), encoding) in enumerate(zip(pairs, encodings, strict=True)):
            for segment, span in ((0, new.value), (1, old.value)):
                for token in _covered(encoding, segment, span):
                    marks[row, token] = 1.0
        states = self._encoder.run(ids, segments, mask, marks[..., None] * self._heads["mark"])
        scores = softmax(self._head("pair", states[:, 0]))
        return [{name: float(p) for name, p in zip(PAIRS, row, strict=True)} for row in scores]

    # --- heads ------------------------------------------------------------------------------------------------------

    def _head(self, name: str, states: Array) -> Array:
        result: Array = states @ self._heads[f"{name}.weight"] + self._heads[f"{name}.bias"]
        return result

    def _mode(self, state: Array) -> str:
        """The likeliest way of asking; that something is to be reckoned must be sure."""
        chances = dict(zip(MODES, softmax(self._head("mode", state)), strict=True))
        best = max(chances, key=chances.__getitem__)
        if best in RECKONED and chances[best] < SURELY_RECKONED:
            return max(chances.keys() - RECKONED, key=chances.__getitem__)
        return best

    def _slot(self, state: Array) -> tuple[str, float]:
        scores = softmax(self._head("slot", state))
        best = int(scores.argmax())
        return self.slots[best], float(scores[best])

    def _values(self, text: str, context: str, encoding: Encoding, states: Array, telling: bool) -> tuple[Value, ...]:
        """Values of a message. One that tells something has at least one: the likeliest, where none is sure."""
        tags = softmax(self._head("tag", states))
        lifted = tags * np.where(np.arange(len(TAGS)) == TAGS.index("outside"), 1.0, VALUE_LIFT)
        runs = _joined(_tagged(lifted, encoding), text, encoding, tags)
        if not runs and telling:
            runs = _likeliest(tags, encoding)
        found = []
        for first, last in runs:
            span = whole_words(text, encoding.offsets[first][0], encoding.offsets[last][1])
            span = (span[0], span[0] + len(DANGLING.sub("", text[span[0] : span[1]])))
            if span[0] >= span[1]:
                continue
            state = states[first : last + 1].mean(axis=0)
            slot, slot_probability = self._slot(state)
            found.append(
                Value(
                    span,
                    text[span[0] : span[1]],
                    float(1.0 - tags[first : last + 1, 0].mean()),
                    self._subject(text, context, encoding, states, state),
                    slot,
                    slot_probability,
                    KINDS[int(self._head("kind", state).argmax())],
                    bool(self._head("single", state).argmax()),
                )
            )
        return tuple(found)

    def _subject(self, text: str, context: str, encoding: Encoding, states: Array, query: Array) -> Reference | None:
        wanted = self._head("subject.query", query).reshape(2, POINTER)
        offered = self._head("subject.key", states).reshape(-1, 2, POINTER)
        scores = np.einsum("sp,tsp->st", wanted, offered) / POINTER**0.5
        starts, ends = softmax(scores[0]), softmax(scores[1])
        first = int(starts.argmax())
        of = sequences(encoding)
        sequence = of[first]
        if sequence is None:
            return None
        within = [t for t in range(first, min(first + 8, len(ends))) if of[t] == sequence]
        last = max(within, key=lambda token: float(ends[token]))
        source = text if sequence == 0 else context
        span = whole_words(source, encoding.offsets[first][0], encoding.offsets[last][1])
        words = source[span[0] : span[1]].removesuffix("'s").removesuffix("’s")
        name: Literal["text", "context"] = "text" if sequence == 0 else "context"
        return Reference(words, name, (span[0], span[0] + len(words)), float(starts[first]))

    @staticmethod
    def _encode(text: str, context: str) -> Encoding:
        encoding = tokenizer().encode(text, context) if context else tokenizer().encode(text)
        encoding.truncate(MAX_TOKENS)
        return encoding

    @cached_property
    def known_slots(self) -> frozenset[str]:
        return frozenset(self.slots) - {OTHER_SLOT}


def _covered(encoding: Encoding, segment: int, span: Span) -> list[int]:
    return [
        token
        for token, (sequence, (start, end)) in enumerate(zip(sequences(encoding), encoding.offsets, strict=True))
        if sequence == segment and start < span[1] and end > span[0]
    ]


def _joined(runs: list[tuple[int, int]], text: str, encoding: Encoding, tags: Array) -> list[tuple[int, int]]:
    """Runs with nothing but punctuation between them are one value ("14" ":" "05", "left" "-" "handed").

    So are those with nothing or an article between them where no new value surely begins ("drive" "a milk tanker").
    """
    joined: list[tuple[int, int]] = []
    for run in runs:
        gap = text[encoding.offsets[joined[-1][1]][1] : encoding.offsets[run[0]][0]] if joined else ""
        begins = float(tags[run[0], TAGS.index("begin")])
        unspaced = bool(gap) and not any(character.isspace() or character.isalnum() for character in gap)
        if joined and (gap in GLUE or unspaced or (gap.strip().casefold() in ARTICLES and begins < SURELY_BEGINS)):
            joined[-1] = (joined[-1][0], run[1])
        else:
            joined.append(run)
    return joined


def _likeliest(tags: Array, encoding: Encoding) -> list[tuple[int, int]]:
    """The run around the token that is likeliest to belong to a value, if it is likely at all."""
    likely = [
        1.0 - float(row[0]) if sequence == 0 else 0.0 for row, sequence in zip(tags, sequences(encoding), strict=True)
    ]
    best = max(range(len(likely)), key=likely.__getitem__)
    if likely[best] < LEAST_LIKELY:
        return []
    first = last = best
    while first > 0 and likely[first - 1] >= likely[best] / 2:
        first -= 1
    while last + 1 < len(likely) and likely[last + 1] >= likely[best] / 2:
        last += 1
    return [(first, last)]


def _tagged(tags: Array, encoding: Encoding) -> list[tuple[int, int]]:
    """Runs of value tokens (first, last). A run opens at `begin`, or at `inside` where the model missed its start."""
    runs: list[tuple[int, int]] = []
    inside = False
    previous_word: int | None = None
    for token, sequence in enumerate(sequences(encoding)):
        label = TAGS[int(tags[token].argmax())] if sequence == 0 else "outside"
        word = encoding.word_ids[token]
        continues = inside and word is not None and word == previous_word
        if label == "outside" and not continues:
            inside = False
        elif inside and (label == "inside" or continues):
            runs[-1] = (runs[-1][0], token)
        else:
            runs.append((token, token))
            inside = True
        previous_word = word if sequence == 0 else None
    return runs
