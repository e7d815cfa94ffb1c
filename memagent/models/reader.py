"""Which words of an earlier message answer a question: a span, a yes or no, or nothing.

No span is taken that only repeats the question ("who do I play badminton with?": not "badminton"), but where the
question offers alternatives ("tea or coffee?"). Of 9,000 answers to hand-written questions four repeated theirs, all
of them alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from memagent.models.encoder import BUNDLED, Array, Encoder, by_length, pad, tokenizer
from memagent.models.evidence import WORD, content_words
from memagent.models.labels import ANSWERS
from memagent.models.recent import Recent
from memagent.models.spans import softmax, whole_words
from memagent.models.weights import load_weights

WEIGHTS = BUNDLED / "reader.safetensors"
MAX_TOKENS = 192
LONGEST_SPAN = 24
BATCH_TOKENS = 1024
ALTERNATIVE = "or"
RECENT = 128  # readings of single windows that are kept
# In training one window in six answers, among hits of a search more than every second one: the log odds of "none" move
# by the difference of the two priors (Saerens et al. 2002, "Adjusting the Outputs of a Classifier to New a Priori
# Probabilities").
PRIOR_SHIFT = 2.0


@dataclass(frozen=True)
class Answer:
    """What one window says: probabilities of `none`, `span`, `yes`, `no`; the best span in characters.

    `tokens` are those of the window: first and last character, chance that the span starts there, and ends there.
    """

    kinds: dict[str, float]
    start: int
    end: int
    words: str
    span_probability: float
    tokens: tuple[tuple[int, int, float, float], ...] = field(default=(), repr=False)

    def likelihood(self, start: int, end: int) -> float:
        """The chance of just this span of characters, given that the window answers."""
        inside = [token for token in self.tokens if token[0] < end and token[1] > start]
        return inside[0][2] * inside[-1][3] if inside else 0.0

    @property
    def probability(self) -> float:
        """That the window answers at all."""
        return 1.0 - self.kinds["none"]


class Reader:
    """The shipped head *read* on its trunk. Thread-safe."""

    def __init__(self, *, threads: int = 1) -> None:
        weights = load_weights(WEIGHTS)
        self._encoder = Encoder(weights, threads=threads)
        heads = {name: np.asarray(weight, np.float32) for name, weight in weights.items() if name.startswith("head.")}
        self._answer = heads["head.answer.weight"], heads["head.answer.bias"]
        self._span = heads["head.span.weight"], heads["head.span.bias"]
        self._recent = Recent(self._read, RECENT)

    def read(self, question: str, windows: Sequence[str]) -> list[Answer]:
        """One answer a window, in order. What was read lately is kept: a turn asks for the same thing twice."""
        return self._recent([(question, window) for window in windows])

    def _read(self, asked: Sequence[tuple[str, str]]) -> list[Answer]:
        """(question, window) pairs of one question."""
        question, windows = asked[0][0], [window for _, window in asked]
        encodings = tokenizer().encode_batch(list(asked))
        for encoding in encodings:
            encoding.truncate(MAX_TOKENS)
        answers: dict[int, Answer] = {}
        for places in by_length([len(encoding.ids) for encoding in encodings], BATCH_TOKENS):
            read = self._batch(question, [encodings[at] for at in places], [windows[at] for at in places])
            answers.update(zip(places, read, strict=True))
        return [answers[at] for at in range(len(windows))]

    def _batch(self, question: str, encodings: Sequence[Encoding], windows: Sequence[str]) -> list[Answer]:
        ids, segments, mask = pad(encodings)
        states = self._encoder.run(ids, segments, mask)
        scores = states[:, 0] @ self._answer[0] + self._answer[1]
        scores[:, ANSWERS.index("none")] -= PRIOR_SHIFT
        kinds = softmax(scores)
        spans = states @ self._span[0] + self._span[1]
        allowed = (segments * mask) == 1
        asked = content_words(question)
        return [
            _answer(kinds[row], spans[row], allowed[row], encodings[row], window, asked)
            for row, window in enumerate(windows)
        ]


def _answer(
    kinds: Array, spans: Array, allowed: Array, encoding: Encoding, window: str, asked: frozenset[str]
) -> Answer:
    starts = softmax(np.where(allowed, spans[:, 0], -1e4))
    ends = softmax(np.where(allowed, spans[:, 1], -1e4))
    joint = np.triu(starts[:, None] * ends[None, :]) * np.tri(len(starts), k=LONGEST_SPAN)
    joint *= _says_more(encoding, window, asked, len(starts))
    end_of_text = len(encoding.ids) - 1
    first, last = (min(int(at), end_of_text) for at in np.unravel_index(int(joint.argmax()), joint.shape))
    start, end = whole_words(window, encoding.offsets[first][0], encoding.offsets[last][1])
    probabilities = {name: float(p) for name, p in zip(ANSWERS, kinds, strict=True)}
    tokens = tuple(
        (*encoding.offsets[at], float(starts[at]), float(ends[at]))
        for at in range(end_of_text)
        if allowed[at] and encoding.offsets[at][1] > encoding.offsets[at][0]
    )
    return Answer(probabilities, start, end, window[start:end], float(joint.max()), tokens)


def repeats(words: str, asked: frozenset[str]) -> bool:
    """Whether they say nothing that is not among the words asked with, and those offer no alternatives."""
    return ALTERNATIVE not in asked and content_words(words) <= asked


def _says_more(encoding: Encoding, window: str, asked: frozenset[str], length: int) -> NDArray[np.bool_]:
    """(first token, last token): whether the span between has a word that is not among those asked with."""
    new = [(word.start(), word.end()) for word in WORD.finditer(window) if not repeats(word.group(), asked)]
    counts = np.zeros(length + 1, np.int32)
    for at, (start, end) in enumerate(encoding.offsets[:length]):
        counts[at + 1] = encoding.type_ids[at] == 1 and any(start < last and end > first for first, last in new)
    before = counts.cumsum()
    result: NDArray[np.bool_] = before[None, 1:] > before[:-1, None]
    return result
