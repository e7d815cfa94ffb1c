"""Conversations written by hand for training, with questions, the turns that answer them, and the answers.

They are kept apart from every benchmark: nobody who wrote them had one before his eyes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FOLDER = Path(__file__).parent / "packs" / "conversations"


@dataclass(frozen=True)
class Turn:
    id: str
    speaker: str
    text: str


@dataclass(frozen=True)
class Sitting:
    date: datetime
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Asked:
    """A question; `category` single, multi, temporal, open or adversarial; `answer` None where nothing answers.

    `evidence` are ids of turns, of an adversarial question those that tempt; `spans` the answering words by turn;
    `when` a date, a month or a year in ISO form that the words stand for.
    """

    question: str
    category: str
    answer: str | None
    evidence: tuple[str, ...]
    spans: tuple[tuple[str, str], ...]
    when: str | None


@dataclass(frozen=True)
class Conversation:
    id: str
    speakers: tuple[str, ...]
    sittings: tuple[Sitting, ...]
    questions: tuple[Asked, ...]

    def turns(self) -> Iterator[Turn]:
        for sitting in self.sittings:
            yield from sitting.turns


def load_conversations(folder: Path = FOLDER) -> list[Conversation]:
    """All conversations of a folder, in the order of their files."""
    return [_conversation(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]


def _conversation(data: dict[str, object]) -> Conversation:
    sittings = tuple(
        Sitting(
            datetime.fromisoformat(session["date"]),
            tuple(Turn(turn["id"], turn["speaker"], turn["text"]) for turn in session["turns"]),
        )
        for session in data["sessions"]  # type: ignore[attr-defined]
    )
    questions = tuple(
        Asked(
            asked["question"],
            asked["category"],
            asked["answer"],
            tuple(asked["evidence"]),
            tuple((turn, words) for turn, words in asked["spans"]),
            asked.get("when"),
        )
        for asked in data["questions"]  # type: ignore[attr-defined]
    )
    return Conversation(str(data["id"]), tuple(data["speakers"]), sittings, questions)  # type: ignore[arg-type]
