"""LongMemEval (Wu et al. 2025, "Benchmarking Chat Assistants on Long-Term Interactive Memory"): its official files.

An array, or JSON Lines, of questions; each brings its own haystack of sessions. Turns that hold evidence carry
`has_answer`; `answer_session_ids` name the sessions. A `question_id` with "_abs" asks for what was never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from memagent.errors import InputError
from memagent.evals.benchmarks.conversation import Case, Conversation, Question, Sitting, Turn
from memagent.evals.benchmarks.files import member, records, texts, unique

HINT = "the format is that of longmemeval_s.json in github.com/xiaowu0162/LongMemEval"
ABSTENTION = "abstention"
PREFERENCE = "single-session-preference"

_DATE = re.compile(r"(\d{4})/(\d{2})/(\d{2})(?:\s*\(\w+\))?(?:\s+(\d{2}):(\d{2}))?")
_ALSO = re.compile(r"\s*(?:\(or|\bor\b)\s+|\.\s+(?=\S)")


def load(path: Path) -> Iterator[Case]:
    """One case a question. Raises NotFoundError, and InputError naming the question and what is wrong with it."""
    seen: set[str] = set()
    for place, entry in records(path):
        name = unique(seen, member(entry, "question_id", str, place, HINT), "question", place, HINT)
        yield _case(f"{path}, question {name}", name, entry)


def _case(place: str, name: str, entry: Mapping[str, Any]) -> Case:
    identities = texts(entry.get("haystack_session_ids"), "haystack_session_ids", place, HINT)
    dates = texts(entry.get("haystack_dates"), "haystack_dates", place, HINT)
    sessions = member(entry, "haystack_sessions", list, place, HINT)
    if not len(identities) == len(dates) == len(sessions) > 0:
        raise InputError(f"{place} has {len(sessions)} sessions, {len(identities)} ids, {len(dates)} dates", HINT)
    seen: set[str] = set()
    sittings = []
    for identity, date, session in zip(identities, dates, sessions, strict=True):
        where = f"{place}, session {identity}"
        unique(seen, identity, "session", place, HINT)
        sittings.append(Sitting(identity, _date(date, where), _turns(where, identity, session)))
    sittings.sort(key=lambda sitting: sitting.date)
    conversation = Conversation(name, tuple(sittings))
    golden = texts(entry.get("answer_session_ids"), "answer_session_ids", place, HINT)
    answerable = "_abs" not in name
    answer = entry.get("answer")
    if answer is None:
        raise InputError(f"{place} has no 'answer'", HINT)
    question = Question(
        name,
        member(entry, "question", str, place, HINT),
        alternatives(str(answer)) if answerable else (),
        member(entry, "question_type", str, place, HINT),
        tuple(turn.id for sitting, _, turn in conversation.turns() if turn.evidence and sitting.id in golden),
        tuple(identity for identity in golden if identity in seen),
        _date(member(entry, "question_date", str, place, HINT), place),
        answerable=answerable,
    )
    return Case(conversation, (question,))


def _turns(place: str, identity: str, session: Any) -> tuple[Turn, ...]:
    """Numbered from 1 like the official code's, which skips none; turns without text are not said."""
    if not isinstance(session, list):
        raise InputError(f"{place} is not a list of turns", HINT)
    turns = []
    for number, turn in enumerate(session, 1):
        where = f"{place}, turn {number}"
        role = member(turn, "role", str, where, HINT)
        text = member(turn, "content", str, where, HINT)
        if role not in ("user", "assistant"):
            raise InputError(f"{where}: {role!r} is not a role", HINT)
        if text.strip():
            evidence = bool(turn.get("has_answer"))
            turns.append(
                Turn(f"{identity}_{number}", text, role="user" if role == "user" else "assistant", evidence=evidence)
            )
    return tuple(turns)


def _date(text: str, place: str) -> datetime:
    """ "2023/05/23 (Tue) 14:12"."""
    match = _DATE.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError("not like '2023/05/23 (Tue) 14:12'")
        year, month, day, hour, minute = (int(part or 0) for part in match.groups())
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{place}: the date {ascii(text)[:40]} cannot be read: {error}", HINT) from None


def alternatives(answer: str) -> tuple[str, ...]:
    """The answers that the file accepts: "7 days. 8 days (including the last day) is also acceptable." are two."""
    if "acceptable" not in answer and "(or " not in answer:
        return (answer,)
    parts = [
        re.sub(r"\(including[^)]*\)|is also acceptable|,?\s+if\b.*|[().]", "", part) for part in _ALSO.split(answer)
    ]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
