"""What was said, as the chat needs it from the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memagent.memory.records import Message
    from memagent.memory.store import MemoryStore

HISTORY = 100


def said_before(store: MemoryStore) -> list[str]:
    """What the person said last, oldest first, from the newest conversations; erased words are not in it."""
    said: list[str] = []
    for session in store.sessions(limit=5):
        messages = store.messages(session.id, limit=HISTORY)
        said = [message.content for message in messages if message.role == "user"] + said
    return said[-HISTORY:]


def more_before(store: MemoryStore, session_id: int, messages: Sequence[Message]) -> bool:
    """Whether anything was said before these messages, the oldest first."""
    return bool(messages) and bool(store.messages(session_id, before=messages[0].id, limit=1))
