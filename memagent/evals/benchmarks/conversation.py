"""What every benchmark is read into: conversations of dated sessions, and questions with their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TURN_SECONDS = 1  # between two turns of a session, of which only the session's date is known


@dataclass(frozen=True)
class Turn:
    """One message. `id` is the benchmark's own and unique in the conversation; `speaker` a name, where one is given.

    `evidence` marks a turn that the benchmark says holds an answer, where it marks turns and not questions.
    """

    id: str
    text: str
    speaker: str = ""
    role: Literal["user", "assistant"] = "user"
    evidence: bool = False


@dataclass(frozen=True)
class Sitting:
    """One session of a conversation; `date` is timezone-aware."""

    id: str
    date: datetime
    turns: tuple[Turn, ...]

    def said_at(self, index: int) -> datetime:
        """When a turn is taken to have been said."""
        return self.date + timedelta(seconds=index * TURN_SECONDS)


@dataclass(frozen=True)
class Conversation:
    """Everything one memory is given, oldest first."""

    id: str
    sittings: tuple[Sitting, ...]

    def turns(self) -> Iterator[tuple[Sitting, int, Turn]]:
        """Every turn with its session and its index in it."""
        for sitting in self.sittings:
            for index, turn in enumerate(sitting.turns):
                yield sitting, index, turn

    @property
    def end(self) -> datetime:
        """When its last turn was said."""
        last = max(self.sittings, key=lambda sitting: sitting.date)
        return last.said_at(len(last.turns))


@dataclass(frozen=True)
class Question:
    """One question. `answers` are alternatives, any of which is right; none and `answerable` False: to be declined.

    `evidence` are ids of turns, `evidence_sittings` of sessions; empty where the benchmark gives none. `trap` is the
    wrong answer that an adversarial question invites.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    category: str
    evidence: tuple[str, ...]
    evidence_sittings: tuple[str, ...]
    asked_at: datetime
    answerable: bool = True
    trap: str = ""


@dataclass(frozen=True)
class Case:
    """A conversation and what is asked about it."""

    conversation: Conversation
    questions: tuple[Question, ...]
