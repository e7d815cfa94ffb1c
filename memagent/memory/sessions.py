"""Sessions and their messages, kept verbatim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from sqlalchemy import Connection

from memagent.conversation import Role
from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.base import StoreBase
from memagent.memory.claims import clean
from memagent.memory.records import Message, Session
from memagent.memory.statements import insert, like, one, rows, run, to_json
from memagent.memory.time import from_text

_SESSION = (
    "s.id, s.title, s.model, s.started_at, s.ended_at, (select count(*) from messages m where m.session_id = s.id)"
)
_LAST_SAID = (
    "coalesce((select m.created_at from messages m where m.session_id = s.id order by m.position desc limit 1), "
    "s.started_at)"
)
_EMBEDDED_ROLES = ("user", "assistant")


class SessionStore(StoreBase):
    """The part of `MemoryStore` that holds what was said."""

    def start_session(self, model: str = "", title: str = "") -> Session:
        """Begin a conversation."""
        now = self._now()
        title, model = clean(title, "title").strip(), clean(model, "name of the model")
        with self.database.write() as connection:
            session_id = insert(
                connection, "sessions", space_id=self.space_id, title=title, model=model, started_at=now
            )
        return Session(session_id, title, model, from_text(now), None)

    def session(self, session_id: int) -> Session:
        """Raises NotFoundError."""
        with self.database.read() as connection:
            return self._session(connection, session_id)

    def sessions(self, *, search: str | None = None, limit: int = 50) -> list[Session]:
        """Sessions, the one last spoken in first; with `search` those whose title or messages contain it."""
        condition, parameters = "", {}
        if search:
            condition = (
                "and (lower(s.title) like :p escape '!' or exists (select 1 from messages m where m.session_id = s.id "
                "and lower(m.content) like :p escape '!'))"
            )
            parameters = {"p": like(clean(search, "search"))}
        sql = (
            f"select {_SESSION} from sessions s where s.space_id = :space {condition} "
            f"order by {_LAST_SAID} desc, s.id desc limit :limit"
        )
        with self.database.read() as connection:
            found = rows(connection, sql, space=self.space_id, limit=limit, **parameters)
        return [mapping.session(row) for row in found]

    def latest_session(self) -> Session | None:
        """The session last spoken in (or started); None in an empty space."""
        return next(iter(self.sessions(limit=1)), None)

    def end_session(self, session_id: int) -> Session:
        """Note that the conversation is over; speaking in it again is allowed. Raises NotFoundError."""
        now = self._now()
        with self.database.write() as connection:
            session = self._session(connection, session_id)
            run(connection, "update sessions set ended_at = :now where id = :id", now=now, id=session_id)
        return replace(session, ended_at=from_text(now))

    def rename_session(self, session_id: int, title: str) -> Session:
        """Raises NotFoundError."""
        title = clean(title, "title").strip()
        with self.database.write() as connection:
            session = self._session(connection, session_id)
            run(connection, "update sessions set title = :title where id = :id", title=title, id=session_id)
        return replace(session, title=title)

    def add_message(
        self,
        session_id: int,
        role: Role,
        content: str,
        *,
        speaker: str = "",
        tokens: int = 0,
        events: Sequence[Mapping[str, Any]] = (),
    ) -> Message:
        """Keep one message verbatim, searchable at once. `tokens` is its exact count, 0 if not known.

        Raises NotFoundError for an unknown session and InputError for an unknown role or an empty user message.
        """
        content, speaker = clean(content, "message"), clean(speaker, "speaker")
        if role not in get_args(Role):
            raise InputError(f"{role!r} is not a role", f"use one of {', '.join(get_args(Role))}")
        if role == "user" and not content.strip():
            raise InputError("the message is empty", "say something")
        indexed = role in _EMBEDDED_ROLES and bool(content.strip())
        vector = self._embed([content], self._last_said(session_id))[0] if indexed else None
        now = self._now()
        with self.database.write() as connection:
            position = self._next_position(connection, session_id)
            message_id = insert(
                connection,
                "messages",
                session_id=session_id,
                space_id=self.space_id,
                position=position,
                role=role,
                speaker=speaker,
                content=content,
                events=to_json(events) if events else None,
                tokens=tokens,
                created_at=now,
            )
            if indexed:
                self._index(connection, "message", message_id, vector, now)
        kept = tuple(dict(event) for event in events)
        return Message(message_id, session_id, position, role, speaker, content, tokens, from_text(now), kept)

    def set_events(self, message_id: int, events: Sequence[Mapping[str, Any]]) -> None:
        """Keep what the turn showed with its message, for replay. Raises NotFoundError."""
        with self.database.write() as connection:
            self._message(connection, message_id)
            run(connection, "update messages set events = :e where id = :id", e=to_json(list(events)), id=message_id)

    def messages(self, session_id: int, *, before: int | None = None, limit: int | None = None) -> list[Message]:
        """Messages of a session, oldest first: the last `limit` of those with an id below `before`."""
        sql = f"select {mapping.MESSAGE_COLUMNS} from messages where session_id = :session"
        parameters: dict[str, Any] = {"session": session_id}
        if before is not None:
            sql += " and id < :before"
            parameters["before"] = before
        sql += " order by position desc"
        if limit is not None:
            sql += " limit :limit"
            parameters["limit"] = limit
        with self.database.read() as connection:
            self._session(connection, session_id)
            found = rows(connection, sql, **parameters)
        return [mapping.message(row) for row in reversed(found)]

    def message(self, message_id: int) -> Message:
        """Raises NotFoundError."""
        with self.database.read() as connection:
            return self._message(connection, message_id)

    def messages_around(self, message_id: int, reach: int) -> list[Message]:
        """A message and up to `reach` others of its session either side, oldest first. Raises NotFoundError."""
        sql = (
            f"select {mapping.MESSAGE_COLUMNS} from messages where session_id = :session "
            "and position between :first and :last order by position"
        )
        with self.database.read() as connection:
            message = self._message(connection, message_id)
            first, last = message.position - reach, message.position + reach
            found = rows(connection, sql, session=message.session_id, first=first, last=last)
        return [mapping.message(row) for row in found]

    def _last_said(self, session_id: int) -> str:
        sql = (
            "select content from messages where session_id = :id and role in ('user', 'assistant')"
            " order by position desc limit 1"
        )
        with self.database.read() as connection:
            row = one(connection, sql, id=session_id)
        return "" if row is None else str(row[0])

    def _next_position(self, connection: Connection, session_id: int) -> int:
        row = one(
            connection,
            "select (select max(position) from messages where session_id = s.id) from sessions s "
            "where s.id = :id and s.space_id = :space",
            id=session_id,
            space=self.space_id,
        )
        if row is None:
            raise _no_session(session_id)
        return 0 if row[0] is None else int(row[0]) + 1

    def _session(self, connection: Connection, session_id: int) -> Session:
        row = one(
            connection,
            f"select {_SESSION} from sessions s where s.id = :id and s.space_id = :space",
            id=session_id,
            space=self.space_id,
        )
        if row is None:
            raise _no_session(session_id)
        return mapping.session(row)

    def _message(self, connection: Connection, message_id: int) -> Message:
        row = one(
            connection,
            f"select {mapping.MESSAGE_COLUMNS} from messages where id = :id and space_id = :space",
            id=message_id,
            space=self.space_id,
        )
        if row is None:
            raise NotFoundError(f"there is no message {message_id}", "see `memagent sessions show`")
        return mapping.message(row)


def _no_session(session_id: int) -> NotFoundError:
    return NotFoundError(f"there is no session {session_id}", "see `memagent sessions list`")
