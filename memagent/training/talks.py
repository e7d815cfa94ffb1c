"""Groups for *read* from the written conversations: questions about what one of two people said, months ago.

The windows beside the right ones are the turns that the embedder itself finds for the question, for those are what the
reader will be given; of a question that nothing answers all windows are such.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from memagent.embedding import Passage
from memagent.models.embedder import MiniLMEmbedder
from memagent.training.conversations import Asked, Conversation
from memagent.training.reading import Group, Window

WINDOWS = 6  # in a group
NEAR = 20  # turns nearest to the question, of which the wrong windows are drawn
RIGHT_LEFT_OUT = 0.12  # of the questions are asked without the turn that answers


@dataclass(frozen=True)
class Talk:
    """A question with its right windows and the near misses, nearest first; (speaker, window) pairs."""

    question: str
    right: tuple[tuple[str, Window], ...]
    near: tuple[tuple[str, str], ...]

    def draw(self, rng: random.Random) -> Group:
        """A group in random order; at times without the speakers, or without the answer."""
        right = list(self.right)
        if right and rng.random() < RIGHT_LEFT_OUT:
            right = []
        right = rng.sample(right, min(len(right), 2))
        lead = rng.random() < 0.8
        windows = [_led(speaker, window) if lead else window for speaker, window in right]
        for speaker, text in rng.sample(self.near, min(len(self.near), WINDOWS - len(windows))):
            windows.append(_led(speaker, Window(text)) if lead else Window(text))
        rng.shuffle(windows)
        question = self.question.lower().rstrip("?") if rng.random() < 0.1 else self.question
        return Group(question, tuple(windows))


def load_talks(conversations: Sequence[Conversation]) -> list[Talk]:
    """One for each question of the conversations."""
    embedder = MiniLMEmbedder()
    return [talk for conversation in conversations for talk in _talks(conversation, embedder)]


def _talks(conversation: Conversation, embedder: MiniLMEmbedder) -> Iterator[Talk]:
    turns = list(conversation.turns())
    vectors = np.stack([made.vector for made in embedder.encode([Passage(turn.text) for turn in turns])])
    for asked in conversation.questions:
        right = tuple(
            (turn.speaker, window) for turn in turns if (window := _right(asked, turn.id, turn.text)) is not None
        )
        order = np.argsort(-(vectors @ embedder.encode_query(asked.question).vector))
        skipped = set(asked.evidence) if asked.answer is not None else set[str]()
        near = [turns[at] for at in order[: NEAR + len(skipped)] if turns[at].id not in skipped]
        tempting = [turn for turn in turns if asked.answer is None and turn.id in asked.evidence and turn not in near]
        yield Talk(asked.question, right, tuple((turn.speaker, turn.text) for turn in [*tempting, *near]))


def _right(asked: Asked, turn_id: str, text: str) -> Window | None:
    """The turn as evidence: its span; that it answers, where the answer is its date; yes or no; or None."""
    if asked.answer is None or turn_id not in asked.evidence:
        return None
    verdict = asked.answer.casefold().split(" ")[0].strip(",.;")
    if asked.category == "open" and verdict in ("yes", "no"):
        return Window(text, verdict)
    for turn, words in asked.spans:
        if turn == turn_id and (at := text.find(words)) >= 0:
            return Window(text, "span", (at, at + len(words)))
    return Window(text, "span") if asked.category == "temporal" else None


def _led(speaker: str, window: Window) -> Window:
    lead = f"{speaker}: "
    answer = window.answer
    moved = None if answer is None else (answer[0] + len(lead), answer[1] + len(lead))
    return Window(lead + window.text, window.kind, moved)
