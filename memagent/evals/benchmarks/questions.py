"""The plain format: your own conversations and questions, one JSON object per line, in any order.

A session of a conversation:

    {"conversation": "anna", "session": "s1", "date": "2026-03-02T09:00",
     "turns": [{"id": "t1", "speaker": "Anna", "text": "We sold the boat."}, "And bought a canoe."]}

A question about it:

    {"conversation": "anna", "question": "What did Anna buy?", "answer": "a canoe", "evidence": ["t2"]}

| member | of | meaning |
|---|---|---|
| `conversation` | both | which memory it belongs to; "1" where it is left out |
| `session` | session | its name; numbered where it is left out |
| `date` | both | when it was said or asked, ISO 8601, UTC without an offset; left out of a question: at the end |
| `turns` | session | texts, or objects with `text` and, as you like, `id`, `speaker`, `role` (user, assistant) |
| `question` | question | the text |
| `answer` | question | the right answer, a list of right answers, or null where memory does not say |
| `evidence` | question | ids of the turns that tell it; may be left out |
| `category` | question | by which results are grouped; "questions" where it is left out |
| `id` | question | unique; numbered where it is left out |

A turn without an id is called t1, t2, ... by its place in the conversation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from memagent.errors import InputError
from memagent.evals.benchmarks.conversation import Case, Conversation, Question, Sitting, Turn
from memagent.evals.benchmarks.files import member, records, texts, unique

HINT = "memagent eval questions --format describes the format"
SESSION_MEMBERS = {"conversation", "session", "date", "turns"}
QUESTION_MEMBERS = {"conversation", "question", "answer", "evidence", "category", "id", "date"}


@dataclass
class _Gathered:
    """A conversation while its lines are read."""

    sittings: list[Sitting] = field(default_factory=list)
    questions: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    sitting_names: set[str] = field(default_factory=set)
    turns: dict[str, str] = field(default_factory=dict)  # to the session it was said in
    count: int = 0


def load(path: Path) -> Iterator[Case]:
    """One case a conversation. Raises NotFoundError, and InputError naming the line and what is wrong with it."""
    gathered: dict[str, _Gathered] = {}
    for place, record in records(path):
        if not isinstance(record, Mapping) or ("turns" in record) == ("question" in record):
            raise InputError(f"{place} is neither a session with 'turns' nor a 'question'", HINT)
        known = SESSION_MEMBERS if "turns" in record else QUESTION_MEMBERS
        unknown = sorted(str(name) for name in set(record) - known)
        if unknown:
            raise InputError(f"{place}: there is no member {unknown[0]!r}", f"members are {', '.join(sorted(known))}")
        conversation = gathered.setdefault(_text(record, "conversation", "1", place), _Gathered())
        if "turns" in record:
            _add_sitting(conversation, place, record)
        else:
            conversation.questions.append((place, record))
    seen: set[str] = set()
    for name, conversation in gathered.items():
        if not conversation.sittings:
            raise InputError(f"{conversation.questions[0][0]}: the conversation {name!r} has no session", HINT)
        whole = Conversation(name, tuple(sorted(conversation.sittings, key=lambda sitting: sitting.date)))
        yield Case(
            whole,
            tuple(
                _question(place, record, f"{name}:{number}", conversation.turns, whole.end, seen)
                for number, (place, record) in enumerate(conversation.questions, 1)
            ),
        )


def _add_sitting(conversation: _Gathered, place: str, record: Mapping[str, Any]) -> None:
    name = _text(record, "session", f"s{len(conversation.sittings) + 1}", place)
    unique(conversation.sitting_names, name, "session", place, HINT)
    date = _date(member(record, "date", str, place, HINT), place)
    turns = []
    for entry in member(record, "turns", list, place, HINT):
        conversation.count += 1
        turn = _turn(place, entry, f"t{conversation.count}")
        if turn.id in conversation.turns:
            raise InputError(f"{place}: the turn {turn.id!r} is there twice", HINT)
        conversation.turns[turn.id] = name
        turns.append(turn)
    conversation.sittings.append(Sitting(name, date, tuple(turns)))


def _turn(place: str, entry: Any, identity: str) -> Turn:
    if isinstance(entry, str):
        entry = {"text": entry}
    text = member(entry, "text", str, f"{place}, turn {identity}", HINT)
    unknown = sorted(set(entry) - {"text", "id", "speaker", "role"})
    if unknown:
        raise InputError(f"{place}, turn {identity}: there is no member {unknown[0]!r}", HINT)
    if not text.strip():
        raise InputError(f"{place}, turn {identity} says nothing", HINT)
    role: Literal["user", "assistant"] = "assistant" if entry.get("role") == "assistant" else "user"
    if entry.get("role", role) != role:
        raise InputError(f"{place}, turn {identity}: {entry['role']!r} is not a role", "roles are user and assistant")
    return Turn(_text(entry, "id", identity, place), text, _text(entry, "speaker", "", place), role)


def _question(
    place: str, record: Mapping[str, Any], identity: str, turns: Mapping[str, str], end: datetime, seen: set[str]
) -> Question:
    answer = record.get("answer", ())
    if answer == () or (isinstance(answer, (str, list)) and not answer):
        raise InputError(f"{place} has no 'answer'", "write null where memory does not say")
    answers = () if answer is None else (answer,) if isinstance(answer, str) else texts(answer, "answer", place, HINT)
    evidence = texts(record.get("evidence", ()), "evidence", place, HINT)
    for turn in evidence:
        if turn not in turns:
            raise InputError(f"{place}: the evidence {turn!r} is no turn of its conversation", HINT)
    return Question(
        unique(seen, _text(record, "id", identity, place), "question", place, HINT),
        member(record, "question", str, place, HINT),
        answers,
        _text(record, "category", "questions", place),
        tuple(dict.fromkeys(evidence)),
        tuple(dict.fromkeys(turns[turn] for turn in evidence)),
        _date(record["date"], place) if "date" in record else end,
        answerable=answer is not None,
    )


def _text(record: Mapping[str, Any], name: str, default: str, place: str) -> str:
    return member(record, name, str, place, HINT) if name in record else default


def _date(text: object, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise InputError(f"{place}: {ascii(text)[:40]} is not a date", "write it as 2026-03-02T09:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
