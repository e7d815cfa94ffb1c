"""Hits with all that a reader needs: the row, when and by whom it was said, and the turns around it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from memagent.memory import mapping
from memagent.memory.candidates import Owner, Scores
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.records import Hit, Message, OwnerKind
from memagent.memory.statements import AnyRow, rows
from memagent.memory.time import from_text

REACH = 2  # turns either side

_MESSAGE = mapping.MESSAGE_COLUMNS.replace(", events", ", null")  # replay data is no part of a hit


def build(connection: Connection, ranked: Sequence[tuple[Owner, float]], channels: dict[str, Scores]) -> list[Hit]:
    """The hits for `ranked` owners and their scores, in that order."""
    ids: dict[OwnerKind, list[int]] = {"fact": [], "message": [], "chunk": []}
    for (kind, row_id), _ in ranked:
        ids[kind].append(row_id)
    facts = _by_id(connection, f"select {mapping.FACT_COLUMNS} from facts where id in {{ids}}", ids["fact"])
    sources = _sources(connection, ids["fact"])
    told = [*ids["message"], *sources.values()]
    messages = _by_id(connection, f"select {_MESSAGE} from messages where id in {{ids}}", told)
    chunks = _by_id(connection, _CHUNKS, ids["chunk"])
    around = _around(connection, list(messages))
    hits = []
    for owner, score in ranked:
        kind, row_id = owner
        found = {name: scores[owner] for name, scores in channels.items() if owner in scores}
        if kind == "chunk":
            _, text, title, added = chunks[row_id]
            hits.append(Hit(kind, row_id, text, from_text(added), score, found, speaker=title))
            continue
        fact = mapping.fact(facts[row_id]) if kind == "fact" else None
        message_id = row_id if fact is None else sources.get(row_id)
        message = mapping.message(messages[message_id]) if message_id in messages else None
        if fact is not None:
            text = fact.text or mapping.fact_text(fact.subject, fact.attribute, fact.value, "")
            said_at = fact.recorded_at
        else:
            assert message is not None
            text, said_at = message.content, message.created_at
        hits.append(
            Hit(
                kind,
                row_id,
                text,
                said_at,
                score,
                found,
                speaker=(message.speaker or message.role) if message is not None else "",
                session_id=message.session_id if message is not None else None,
                message_id=message_id,
                fact=fact,
                neighbours=around.get(message_id, ()) if message_id is not None else (),
            )
        )
    return hits


def _by_id(connection: Connection, sql: str, ids: Sequence[int]) -> dict[int, AnyRow]:
    if not ids:
        return {}
    return {row[0]: row for row in rows(connection, sql.format(ids=ids_in(connection)), ids=ids_text(ids))}


def _sources(connection: Connection, fact_ids: Sequence[int]) -> dict[int, int]:
    """The message that each fact was first told in."""
    if not fact_ids:
        return {}
    sql = (
        "select fact_id, min(message_id) from fact_sources"
        f" where fact_id in {ids_in(connection)} and message_id is not null group by fact_id"
    )
    return {row[0]: row[1] for row in rows(connection, sql, ids=ids_text(fact_ids))}


def _around(connection: Connection, message_ids: Sequence[int]) -> dict[int, tuple[Message, ...]]:
    """What was said up to `REACH` turns before and after each message, oldest first."""
    if not message_ids:
        return {}
    columns = mapping.prefixed(mapping.MESSAGE_COLUMNS, "near").replace("near.events", "null")
    sql = (
        f"select {columns}, anchor.id from messages as anchor join messages as near"
        " on near.session_id = anchor.session_id and near.id <> anchor.id"
        f" and near.position between anchor.position - {REACH} and anchor.position + {REACH}"
        f" where anchor.id in {ids_in(connection)} and near.role in ('user', 'assistant') order by near.position"
    )
    found: dict[int, tuple[Message, ...]] = {}
    for row in rows(connection, sql, ids=ids_text(message_ids)):
        found[row[9]] = (*found.get(row[9], ()), mapping.message(row))
    return found


_CHUNKS = (
    "select chunks.id, chunks.text, documents.title, documents.added_at from chunks"
    " join documents on documents.id = chunks.document_id where chunks.id in {ids}"
)
