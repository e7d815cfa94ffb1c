"""From what a system found to the short answer that the benchmarks want: the reader of chat, dates resolved by code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from memagent.evals.benchmarks.dates import dated, day
from memagent.evals.benchmarks.memory import Found
from memagent.memory.time import find_times
from memagent.models.question_answering import (
    DEFAULT_WEIGHTS,
    MOST_READ,
    SURE,
    Answer,
    NamedTime,
    Passage,
    SpanReader,
    Weights,
    answer_question,
)
from memagent.models.understanding import Understanding

NOT_SAID = "Not mentioned in the conversation"


@dataclass(frozen=True)
class Reply:
    """`best` is the likeliest answer; `text` that, or `NOT_SAID` where its confidence is under `SURE`.

    `read` are the indices of the turns that were read.
    """

    best: str
    confidence: float
    answer: Answer | None = None
    read: range = range(0)

    @property
    def text(self) -> str:
        return self.best if self.confidence >= SURE else NOT_SAID


class Answerer:
    """Answers from what was found, with the reader and the understanding of chat."""

    name = "memagent"

    def __init__(self, reader: SpanReader, understanding: Understanding, *, weights: Weights = DEFAULT_WEIGHTS) -> None:
        self._reader = reader
        self._understanding = understanding
        self._weights = weights

    @classmethod
    def shipped(cls) -> Answerer:
        """With the models of the package."""
        from memagent.models.reader import Reader

        return cls(Reader(), Understanding())

    def reply(
        self, question: str, asked_at: datetime, found: Sequence[Found], *, reads: int = MOST_READ, ranked: bool = True
    ) -> Reply:
        """The answer to a question from the first `reads` turns found.

        Unless they are `ranked`, best first, their order and scores count for nothing.
        """
        weights = self._weights if ranked else replace(self._weights, place=0.0, relevance=0.0)
        mode = self._understanding.read(question).mode
        times = [(time.since, time.until) for time in find_times(question, asked_at)]
        passages = [passage(turn) for turn in found[:reads]]
        answer = answer_question(
            self._reader, question, mode, passages, times=times, weights=weights, most=max(reads, 1)
        )
        if answer is None:
            return Reply(NOT_SAID, 0.0)
        return Reply(answer.text, answer.confidence, answer, range(len(passages)))


def passage(found: Found) -> Passage:
    """A turn as the reader takes it, its times resolved against the day it was said."""
    times = tuple(
        NamedTime(time.start, time.end, time.since, time.until, dated(time, found.said_at))
        for time in find_times(found.text, found.said_at)
    )
    return Passage(found.text, found.score, found.said_at, day(found.said_at), found.speaker, times)
