"""What the sessions screen shows and writes; runs in a thread and knows no widget."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from memagent.errors import InputError
from memagent.export import session_json, session_markdown, write_new
from memagent.memory.records import Message, Session
from memagent.memory.store import MemoryStore

PAGE = 200
LAST = 8  # messages of a preview
PASSAGES = 4
AROUND = 60  # characters either side of what was searched for
SCANNED = 2000  # messages of one session that are looked through for passages


@dataclass(frozen=True)
class Preview:
    """The end of a conversation, and the passages that hold what was searched for."""

    session: Session
    messages: tuple[Message, ...]
    earlier: int
    passages: tuple[tuple[str, str, str, str], ...]  # speaker, before, match, after


def find(store: MemoryStore, text: str, limit: int = PAGE) -> tuple[list[Session], bool]:
    """Conversations, the one last spoken in first, and whether there are more. Raises StoreError."""
    found = store.sessions(search=text.strip() or None, limit=limit + 1)
    return found[:limit], len(found) > limit


def preview(store: MemoryStore, session_id: int, text: str) -> Preview:
    """What to show of a conversation. Raises NotFoundError."""
    session = store.session(session_id)
    messages = store.messages(session_id, limit=LAST)
    return Preview(
        session, tuple(messages), session.messages - len(messages), _passages(store, session_id, text.strip())
    )


def _passages(store: MemoryStore, session_id: int, text: str) -> tuple[tuple[str, str, str, str], ...]:
    if not text:
        return ()
    pattern = re.compile(re.escape(text), re.IGNORECASE)
    found = []
    for message in reversed(store.messages(session_id, limit=SCANNED)):
        match = pattern.search(message.content)
        if match:
            first, last = max(0, match.start() - AROUND), match.end() + AROUND
            before = ("…" if first else "") + message.content[first : match.start()]
            after = message.content[match.end() : last] + ("…" if last < len(message.content) else "")
            found.append((message.speaker or message.role, before, match.group(), after))
        if len(found) == PASSAGES:
            break
    return tuple(found)


def file_name(session: Session) -> str:
    """A name for the file of a conversation, from its title."""
    words = re.sub(r"[^\w]+", "-", session.title.lower()).strip("-")[:40].rstrip("-")
    return f"session-{session.id}{'-' if words else ''}{words}.md"


def export(store: MemoryStore, session_id: int, path: str) -> str:
    """Write a conversation to a new file, Markdown or JSON by its ending; what was done, in words.

    Raises InputError for a path that cannot be used, NotFoundError.
    """
    target = Path(path.strip()).expanduser()
    writers = {".md": session_markdown, ".json": session_json}
    if target.suffix.lower() not in writers:
        raise InputError(f"{path.strip() or 'no name'!r} is neither Markdown nor JSON", "end the name in .md or .json")
    session, messages = store.session(session_id), store.messages(session_id)
    write_new(target, writers[target.suffix.lower()](session, messages) + "\n")
    return f"{len(messages):,} messages written to {target.absolute()}"


def as_text(store: MemoryStore, session_id: int) -> str:
    """A conversation as Markdown. Raises NotFoundError."""
    return session_markdown(store.session(session_id), store.messages(session_id))
