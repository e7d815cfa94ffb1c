"""What the embedder learns from: questions, each with a passage that answers it and passages that do not.

Public sets (`public`) and the written readings teach what a question is; the written conversations teach to find a turn
among hundreds of the same two people. Their wrong passages are *mined*: the turns that the network itself puts first
(Xiong et al. 2021, "Approximate Nearest Neighbor Negative Contrastive Learning").
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Passage
from memagent.memory.question import without_names
from memagent.training.conversations import Conversation
from memagent.training.public import DialogueQuestion, Qamr, friends_questions, molweni_questions
from memagent.training.reading import Group

WRONG = 2  # passages beside the right one
HARD = 24  # turns that a question about a conversation draws its wrong ones from
HARD_DRAWN = 4

_SPEAKER = re.compile(r"^[^:]{1,40}: ")

Scores = Callable[[Sequence[Passage], Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Search:
    """A question, the passage to be found, and passages that must not be."""

    question: str
    right: Passage
    wrong: tuple[Passage, ...]


class Source(Protocol):
    def draw(self, rng: random.Random) -> Search: ...


class Sentences:
    """QAMR: a question about a sentence, and a sentence that shares a word with it."""

    def __init__(self, qamr: Qamr) -> None:
        self._qamr = qamr

    def draw(self, rng: random.Random) -> Search:
        qamr = self._qamr
        question, name, _ = rng.choice(qamr.questions)
        words = [word for word in question.lower().rstrip("?").split() if word in qamr.by_word]
        near = [rng.choice(qamr.by_word[rng.choice(words)])] if words else []
        wrong = tuple(Passage(qamr.sentences[other][0]) for other in near if other != name)
        return Search(question, Passage(qamr.sentences[name][0]), wrong)


class Listed:
    """Questions with all that was said; the wrong passages are drawn from the rest of it."""

    def __init__(self, items: Sequence[Search]) -> None:
        self._items = items

    def draw(self, rng: random.Random) -> Search:
        found = rng.choice(self._items)
        return Search(found.question, found.right, tuple(rng.sample(found.wrong, min(WRONG, len(found.wrong)))))


@dataclass(frozen=True)
class Asking:
    """A question about a conversation, without the names of the speakers; `right` are rows of `Spoken.passages`."""

    question: str
    right: tuple[int, ...]


@dataclass(frozen=True)
class Spoken:
    """The turns of one conversation, each with the one before it in its sitting, and the questions about it."""

    passages: tuple[Passage, ...]
    askings: tuple[Asking, ...]


class Talks:
    """Questions about conversations, with mined wrong turns; `mine` comes before the first `draw`."""

    def __init__(self, spoken: Sequence[Spoken]) -> None:
        self._spoken = spoken
        self._items = [
            (number, at, row)
            for number, talk in enumerate(spoken)
            for at, asking in enumerate(talk.askings)
            for row in asking.right
        ]
        self._hard: dict[tuple[int, int], tuple[Passage, ...]] = {}

    def mine(self, scores: Scores) -> None:
        """Take as wrong the turns that `scores` puts first; it gives (questions, passages)."""
        for number, talk in enumerate(self._spoken):
            found = scores(talk.passages, [asking.question for asking in talk.askings])
            for at, (asking, row) in enumerate(zip(talk.askings, found, strict=True)):
                first = [int(turn) for turn in np.argsort(-row) if turn not in asking.right][:HARD]
                self._hard[number, at] = tuple(talk.passages[turn] for turn in first)

    def draw(self, rng: random.Random) -> Search:
        number, at, row = rng.choice(self._items)
        talk, hard = self._spoken[number], self._hard[number, at]
        wrong = tuple(rng.sample(hard, min(HARD_DRAWN, len(hard))))
        return Search(talk.askings[at].question, talk.passages[row], wrong)


@dataclass(frozen=True)
class Mixture:
    """Sources with their shares of a batch; `talks` is among them in the second stage."""

    sources: tuple[tuple[Source, float], ...]
    talks: Talks | None

    def draw(self, rng: random.Random, size: int) -> list[Search]:
        sources, shares = zip(*self.sources, strict=True)
        return [source.draw(rng) for source in rng.choices(sources, shares, k=size)]


def load_mixture(folder: Path, readings: Sequence[Group], spoken: Sequence[Spoken]) -> Mixture:
    """All sources; `spoken` is empty in the first stage. `folder` holds the public sets."""
    public: tuple[Source, ...] = (
        Sentences(Qamr(folder / "qamr")),
        Listed(_dialogues(friends_questions(folder / "friendsqa"))),
        Listed(_dialogues(molweni_questions(folder / "molweni"))),
        Listed([search for group in readings for search in _readings(group)]),
    )
    if not spoken:
        return Mixture(tuple(zip(public, (0.35, 0.3, 0.1, 0.25), strict=True)), None)
    talks = Talks(spoken)
    return Mixture((*zip(public, (0.12, 0.13, 0.03, 0.12), strict=True), (talks, 0.6)), talks)


def spoken_of(conversation: Conversation) -> Spoken:
    """What is learned, or measured, of a written conversation: its turns, and the questions that something answers."""
    passages: list[Passage] = []
    rows: dict[str, int] = {}
    for sitting in conversation.sittings:
        before = ""
        for turn in sitting.turns:
            rows[turn.id] = len(passages)
            passages.append(Passage(turn.text, before))
            before = turn.text
    askings = tuple(
        Asking(
            without_names(asked.question, conversation.speakers), tuple(sorted({rows[turn] for turn in asked.evidence}))
        )
        for asked in conversation.questions
        if asked.evidence and asked.category != "adversarial"
    )
    return Spoken(tuple(passages), askings)


def _dialogues(questions: Sequence[DialogueQuestion]) -> list[Search]:
    found = []
    for question, utterances, row, _ in questions:
        if row is None:
            continue
        said = [_SPEAKER.sub("", utterance) for utterance in utterances]
        passages = [Passage(text, before) for before, text in zip(["", *said], said, strict=False)]
        found.append(Search(question, passages[row], (*passages[:row], *passages[row + 1 :])))
    return found


def _readings(group: Group) -> list[Search]:
    texts = [Passage(window.text) for window in group.windows]
    return [
        Search(group.question, texts[row], (*texts[:row], *texts[row + 1 :]))
        for row, window in enumerate(group.windows)
        if window.kind != "none"
    ]
