"""A conversation, and what a system finds in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from memagent.evals.benchmarks.conversation import Conversation, Sitting, Turn
from memagent.evals.benchmarks.memory import Found
from memagent.evals.systems.index import IndexSystem

SAID = (
    ("s1", "Odile", "I adopted a greyhound called Pistachio."),
    ("s1", "Bram", "I sold the sailing boat on Friday."),
    ("s1", "Bram", "I sold the sailing boat on Friday."),  # people repeat themselves
    ("s2", "Odile", "We planted forty tulips behind the house."),
    ("s2", "Bram", "The accordion needs a new strap."),
)


def conversation(said: Sequence[tuple[str, str, str]] = SAID) -> Conversation:
    """Two sessions of two people; turns are t1, t2, ..."""
    sittings: dict[str, list[Turn]] = {}
    for number, (sitting, speaker, text) in enumerate(said, 1):
        sittings.setdefault(sitting, []).append(Turn(f"t{number}", text, speaker))
    return Conversation(
        "talk",
        tuple(
            Sitting(name, datetime(2026, 3, day, 9, tzinfo=UTC), tuple(turns))
            for day, (name, turns) in enumerate(sittings.items(), 2)
        ),
    )


def found(system: IndexSystem, question: str, limit: int = 3, talk: Conversation | None = None) -> list[Found]:
    """What the system finds in a conversation."""
    talk = talk or conversation()
    with system.remember(talk) as memory:
        return memory.search(question, talk.end, limit)
