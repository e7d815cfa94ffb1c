"""Plays one session of a scenario in the process that this runs in, and writes down each turn as soon as it is over.

The record is a file of JSON lines, so that what was played before a process died is known.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from memagent.agent.assemble import Agent
from memagent.agent.turn import run_turn
from memagent.config import Settings
from memagent.conversation import Event, Failed, Finished, Recalled, ToolReturned
from memagent.embedding import Embedder
from memagent.errors import QueryError
from memagent.evals.results import HitRecord
from memagent.evals.scenarios.checks import failed_checks
from memagent.evals.scenarios.format import Checks, Sitting, Step
from memagent.evals.scenarios.talk import SmallTalk
from memagent.evals.text import occurs
from memagent.memory.sql import read_only_query
from memagent.memory.store import MemoryStore
from memagent.models.chat_model import ChatModel

NOT_ANSWERED = "reply"  # the check that fails where a turn ends without a reply
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows ends a process with either


@dataclass(frozen=True)
class Models:
    """What a session is played with. None of it knows of a store."""

    chat: ChatModel
    embedder: Embedder
    talk: SmallTalk


@dataclass(frozen=True)
class Session:
    """One session to be played.

    `settings` name the scenario's own store, `number` counts from 1, `talked` are the tokens of small talk that were
    heard in the sessions before; `record` and `errors` are files that are written.
    """

    settings: Settings
    number: int
    sitting: Sitting
    start: datetime
    seed: int
    talked: tuple[int, ...]
    record: Path
    errors: Path


@dataclass(frozen=True)
class Turn:
    """What came of a turn; `number` counts from 1. For small talk and documents only `said_tokens` is set.

    `stored` are the facts that the store holds more than before, or holds anew. `error` says why there is no reply, or
    why a query failed.
    """

    number: int
    said_tokens: int
    reply: str = ""
    reply_tokens: int = 0
    prompt_tokens: int = 0
    milliseconds: float = 0.0
    cpu_seconds: float = 0.0
    stored: int = 0
    failed: tuple[str, ...] = ()
    error: str = ""
    hits: tuple[HitRecord, ...] = ()


class SessionClock:
    """Starts at a session's date and runs on, so that what is said later is later."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """The present moment, timezone-aware."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)


def play_session(session: Session, models: Models) -> None:
    """Play the turns, then close the store; where the session is to be killed, end this process at once instead."""
    settings = session.settings
    store = MemoryStore.open(
        settings.store_url,
        space=settings.space,
        clock=SessionClock(session.start),
        data_dir=settings.home,
        full_sync=settings.full_sync,
    )
    agent = Agent(store, models.chat.name)
    agent.give(models.chat, models.embedder)
    store.start_background_drain()
    with agent, session.record.open("a", encoding="utf-8", errors="backslashreplace") as record:
        conversation = _Conversation(agent, models, session)
        for number, step in enumerate(session.sitting.steps, 1):
            _write(record, conversation.play(number, step))
        if session.sitting.killed:
            os.kill(os.getpid(), KILL)


def _write(record: IO[str], turn: Turn) -> None:
    record.write(json.dumps(asdict(turn), ensure_ascii=False) + "\n")
    record.flush()


def read_record(path: Path) -> list[Turn]:
    """The turns that were played, in order; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [_turn(json.loads(line)) for line in lines]


def _turn(data: dict[str, Any]) -> Turn:
    hits = tuple(HitRecord(**hit) for hit in data.pop("hits"))
    return Turn(**data | {"failed": tuple(data["failed"])}, hits=hits)


class _Conversation:
    """The session in the store, and what is still to be heard of the small talk."""

    def __init__(self, agent: Agent, models: Models, session: Session) -> None:
        self._agent = agent
        self._models = models
        self._url = session.settings.store_url
        self._id = agent.store.start_session(model=models.chat.name).id
        self._talked = list(session.talked)

    def play(self, number: int, step: Step) -> Turn:
        tokens = step.filler(self._models.chat.context_tokens)
        if tokens:
            return Turn(number, self._fill(tokens))
        if step.document is not None:
            title, text = step.document.title, step.document.text
            self._agent.store.add_document(title, title, text, asked_by="user", session_id=self._id)
            return Turn(number, self._count(text))
        return self._say(number, step)

    def _fill(self, tokens: int) -> int:
        """Small talk, stored as any conversation is; how many tokens it has."""
        size = 0
        for part in self._models.talk.part(self._talked, tokens):
            self._agent.store.add_message(self._id, "user", part.exchange.said, tokens=part.said_tokens)
            self._agent.store.add_message(self._id, "assistant", part.exchange.reply, tokens=part.reply_tokens)
            size += part.tokens
        self._talked.append(tokens)
        return size

    def _say(self, number: int, step: Step) -> Turn:
        newest = self._one("select coalesce(max(id), 0) from facts")
        started, used = time.perf_counter(), time.process_time()
        events = list(run_turn(self._agent, self._id, step.say, cancel=threading.Event()))
        turn = Turn(
            number,
            self._count(step.say),
            milliseconds=(time.perf_counter() - started) * 1000,
            cpu_seconds=time.process_time() - used,
            stored=self._one(f"select count(*) from facts where id > {newest}"),
            hits=hits_of(events, step.checks),
        )
        match events[-1]:
            case Finished(reply, _, prompt_tokens, reply_tokens):
                turn = replace(turn, reply=reply, prompt_tokens=prompt_tokens, reply_tokens=reply_tokens)
            case Failed(reason):
                turn = replace(turn, error=reason, failed=(NOT_ANSWERED,))
        if not turn.reply.strip() and not turn.error:
            turn = replace(turn, error="the reply is empty", failed=(NOT_ANSWERED,))
        return self._judged(turn, step.checks)

    def _judged(self, turn: Turn, checks: Checks) -> Turn:
        def sql(query: str) -> Sequence[Sequence[object]]:
            return read_only_query(self._url, query, space=None).rows

        try:
            failed = failed_checks(checks, turn.reply, turn.stored, sql)
        except QueryError as error:
            failed = (*failed_checks(replace(checks, sql=None), turn.reply, turn.stored, sql), "sql")
            turn = replace(turn, error=turn.error or error.message)
        return replace(turn, failed=(*turn.failed, *failed))

    def _one(self, query: str) -> int:
        return int(read_only_query(self._url, query, space=None).rows[0][0] or 0)

    def _count(self, text: str) -> int:
        return self._models.chat.count_tokens([text])[0]


def hits_of(events: Sequence[Event], checks: Checks) -> tuple[HitRecord, ...]:
    """Everything that memory offered in a turn, each once; gold is what contains something expected."""
    found: dict[tuple[str, int], HitRecord] = {}
    for hit in _offered(events):
        text = str(hit["text"])
        found.setdefault(
            (hit["kind"], hit["ref"]),
            HitRecord(
                kind=hit["kind"],
                id=hit["ref"],
                source=f"{hit['source']}, {hit['date']}",
                text=text,
                score=hit["score"],
                channels=hit["channels"],
                gold=any(occurs(word, text) for choice in checks.wanted for word in choice),
            ),
        )
    return tuple(found.values())


def _offered(events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    for event in events:
        if isinstance(event, Recalled):
            yield from (dict(hit) for hit in event.hits)
        elif isinstance(event, ToolReturned) and event.call.name == "memory_search" and event.result.ok:
            yield from event.result.content.get("hits", ())
