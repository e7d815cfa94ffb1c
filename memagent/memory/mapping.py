"""Rows of the database as the values of `records`, and the text that stands for a row in the indexes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from memagent.memory.records import CoreBlock, Fact, Message, Operation, Session
from memagent.memory.statements import from_json
from memagent.memory.time import from_text, to_text

FACT_COLUMNS = (
    "id, kind, subject, attribute, value, text, valid_from, valid_to, recorded_at, retired_at, confidence, trust, "
    "times_told, pinned, superseded_by, single"
)
MESSAGE_COLUMNS = "id, session_id, position, role, speaker, content, tokens, created_at, events"
OPERATION_COLUMNS = "id, session_id, name, asked_by, arguments, result, fact_id, undone_by, duration_ms, created_at"


def moment(text: str | None) -> datetime | None:
    """The moment of a TIME column that may be empty."""
    return None if text is None else from_text(text)


def moment_text(at: datetime | None) -> str | None:
    """The TIME column of a moment that may be missing."""
    return None if at is None else to_text(at)


def fact(row: Sequence[Any]) -> Fact:
    """A Fact from a row that starts with FACT_COLUMNS."""
    return Fact(
        row[0], row[1], row[2], row[3], row[4], row[5], moment(row[6]), moment(row[7]), from_text(row[8]),
        moment(row[9]), row[10], row[11], row[12], bool(row[13]), row[14], bool(row[15]),
    )  # fmt: skip


def message(row: Sequence[Any]) -> Message:
    """A Message from a row that starts with MESSAGE_COLUMNS."""
    events = from_json(row[8]) or ()
    return Message(row[0], row[1], row[2], row[3], row[4], row[5], row[6], from_text(row[7]), tuple(events))


def session(row: Sequence[Any]) -> Session:
    """A Session from (id, title, model, started_at, ended_at, number of messages)."""
    return Session(row[0], row[1], row[2], from_text(row[3]), moment(row[4]), row[5])


def core_block(row: Sequence[Any]) -> CoreBlock:
    """A CoreBlock from (label, content, limit_characters, version, updated_at)."""
    return CoreBlock(row[0], row[1], row[2], row[3], from_text(row[4]))


def operation(row: Sequence[Any]) -> Operation:
    """An Operation from a row of OPERATION_COLUMNS."""
    return Operation(
        row[0], row[1], row[2], row[3], from_json(row[4]), from_json(row[5]), row[6], row[7], row[8], from_text(row[9])
    )


def prefixed(columns: str, alias: str) -> str:
    """`columns` of one table of a join."""
    return ", ".join(f"{alias}.{column}" for column in columns.split(", "))


def fact_json(fact: Fact) -> dict[str, Any]:
    """The JSON-able form of a fact in the operation log."""
    return {
        "id": fact.id,
        "kind": fact.kind,
        "subject": fact.subject,
        "attribute": fact.attribute,
        "value": fact.value,
        "valid_from": moment_text(fact.valid_from),
        "valid_to": moment_text(fact.valid_to),
        "times_told": fact.times_told,
        "trust": fact.trust,
    }


def fact_text(subject: str, attribute: str, value: str, text: str) -> str:
    """What is embedded for a fact: the claim, then the sentence it was said in."""
    claim = f"{subject} {attribute}: {value}"
    return f"{claim}. {text}" if text and text != value else claim
