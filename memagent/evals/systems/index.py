"""The seam of the other systems: an index that is given numbered texts and finds some of them again.

What a benchmark knows of a turn (its id, its session, who said it and when) stays on this side, so that an adapter is
a few lines, and every system is given the same text: "Speaker: what was said".
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from memagent.embedding import Embedder, Passage
from memagent.errors import InputError
from memagent.evals.benchmarks.conversation import Conversation, Turn
from memagent.evals.benchmarks.memory import Found
from memagent.models.question_answering import MOST_READ

EVERYTHING = 1_000_000  # turns: more than any conversation has


class Index(Protocol):
    """Texts with numbers, searched by a question."""

    def add(self, numbers: Sequence[int], texts: Sequence[str]) -> None:
        """Add texts, which can be found when this returns."""
        ...

    def search(self, question: str, limit: int) -> Sequence[tuple[int, float]]:
        """Numbers with scores, best first, at most `limit`; a higher score is better."""
        ...


@dataclass(frozen=True)
class Said:
    """A turn with its session and time."""

    turn: Turn
    sitting: str
    at: datetime


class IndexMemory:
    """What was said, found again through an index. Satisfies `benchmarks.memory.Memory`."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._said: list[Said] = []

    def add(self, said: Sequence[Said]) -> None:
        """Remember turns, in the order in which they were said."""
        numbers = range(len(self._said), len(self._said) + len(said))
        self._said += said
        self._index.add(numbers, [spoken(one.turn) for one in said])

    def search(self, question: str, asked_at: datetime, limit: int) -> list[Found]:
        """The turns that seem to answer, best first; `asked_at` is known to memagent alone."""
        return [self._found(number, score) for number, score in self._index.search(encodable(question), limit)]

    def _found(self, number: int, score: float) -> Found:
        said = self._said[number]
        turn = said.turn
        return Found(turn.id, said.sitting, turn.text, turn.speaker, turn.role, said.at, float(score), number)


@dataclass(frozen=True)
class IndexSystem:
    """A system made of an index. Satisfies `benchmarks.memory.System`.

    `index` opens one in an empty folder. `reads` is how many of the turns found are read; `ranks` whether their order
    says which of them is likely to answer.
    """

    name: str
    index: Callable[[Path], AbstractContextManager[Index]]
    embedder: str = ""
    reads: int = MOST_READ
    ranks: bool = True

    @contextmanager
    def open(self) -> Iterator[IndexMemory]:
        """An empty memory, gone when the context ends."""
        with (
            tempfile.TemporaryDirectory(prefix="memagent-eval-", ignore_cleanup_errors=True) as folder,
            self.index(Path(folder)) as index,
        ):
            yield IndexMemory(index)

    @contextmanager
    def remember(self, conversation: Conversation) -> Iterator[IndexMemory]:
        """A memory that holds the conversation, added a session at a time."""
        with self.open() as memory:
            for _, turns in itertools.groupby(conversation.turns(), key=lambda entry: entry[0].id):
                memory.add([Said(turn, sitting.id, sitting.said_at(index)) for sitting, index, turn in turns])
            yield memory


def spoken(turn: Turn) -> str:
    """The text that every system is given of a turn."""
    return encodable(f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text)


def encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold and UTF-8 may not."""
    return text.encode("utf-8", "replace").decode("utf-8")


class Vectors:
    """memagent's own vectors, for systems that let the vectors be chosen: float32, of length 1."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.dimension = embedder.dimension

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Of shape (texts, dimension)."""
        if not texts:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([encoded.vector for encoded in self._embedder.encode([Passage(text) for text in texts])])

    def question(self, text: str) -> NDArray[np.float32]:
        """Of shape (dimension,)."""
        return self._embedder.encode_query(text).vector


def library(module: str, install: str) -> Any:
    """A module of a library that is compared with. Raises InputError where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        name = module.partition(".")[0]
        why = f"{name} is not installed" if error.name in (name, module) else f"{name} cannot be imported: {error}"
        raise InputError(why, f"pip install {install}") from None
