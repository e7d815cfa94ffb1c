"""Facts: one slot, one current value; history kept; what is doubtful is kept side by side for the person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.base import Embedded, Recorder, StoreBase
from memagent.memory.claims import TRUST_ORDER, checked, claim_hash, clean, slot_of, span_within, subject_begins
from memagent.memory.records import AskedBy, Fact, FactDraft, MemoryChange, Message, SourceSpan, State
from memagent.memory.statements import insert, like, one, rows
from memagent.memory.time import to_text

_CHAIN = """
    with recursive
    later(id) as (select cast(:id as integer) union select f.superseded_by from facts f join later on f.id = later.id
                  where f.superseded_by is not null),
    family(id) as (select id from later union select f.id from facts f join family on f.superseded_by = family.id)
"""


@dataclass(frozen=True)
class _Rival:
    """A current fact in the slot that a new claim wants."""

    fact: Fact
    single: bool


class FactStore(StoreBase):
    """The part of `MemoryStore` that holds claims."""

    def add_fact(
        self, draft: FactDraft, *, asked_by: AskedBy, session_id: int | None = None, supersedes: int | None = None
    ) -> MemoryChange:
        """Store a claim.

        The action says what became of it: `repeated` (known already: told once more), `superseded` (took the place of
        `supersedes`, or of the one value of its slot), `queued` (stored beside what it may contradict, see
        `conflicts`), `added`. Raises InputError for a draft that cannot be stored and NotFoundError for an unknown
        `supersedes` or source.
        """
        draft = checked(draft)
        vector = self._embed([mapping.fact_text(draft.subject, draft.attribute, draft.value, draft.text)])[0]
        arguments = {"subject": draft.subject, "attribute": draft.attribute, "value": draft.value, "kind": draft.kind}
        if supersedes is not None:
            arguments["supersedes"] = str(supersedes)
        with self.database.write() as connection:
            recorder = self._recorder(connection, "add", asked_by, arguments, session_id)
            old = None if supersedes is None else self._current(connection, supersedes)
            return self._place(recorder, draft, vector, old)

    def update_fact(
        self,
        fact_id: int,
        value: str,
        *,
        asked_by: AskedBy,
        reason: str = "",
        session_id: int | None = None,
        text: str = "",
        sources: Sequence[SourceSpan] = (),
        valid_from: datetime | None = None,
    ) -> MemoryChange:
        """Give a current fact a new value; the old one stays in its history.

        Raises NotFoundError, and InputError for a fact that is no longer current.
        """
        known = self.fact(fact_id)
        with self.database.read() as connection:
            single = bool(one(connection, "select single from facts where id = :id", id=fact_id)[0])  # type: ignore[index]
        draft = checked(
            FactDraft(
                known.subject, known.attribute, value, text, known.kind, single, valid_from, sources=tuple(sources),
                trust="import" if asked_by == "import" else "user",
            )
        )  # fmt: skip
        vector = self._embed([mapping.fact_text(draft.subject, draft.attribute, draft.value, draft.text)])[0]
        arguments = {"id": fact_id, "value": draft.value, "reason": clean(reason, "reason")}
        with self.database.write() as connection:
            recorder = self._recorder(connection, "update", asked_by, arguments, session_id)
            return self._place(recorder, draft, vector, self._current(connection, fact_id))

    def fact(self, fact_id: int) -> Fact:
        """Raises NotFoundError; for a forgotten fact its hint says so."""
        with self.database.read() as connection:
            return self._fact(connection, fact_id)

    def facts(
        self,
        *,
        kind: str | None = None,
        subject: str | None = None,
        about: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        state: State = "current",
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Fact]:
        """Facts, newest first; of the `subject`, or of those whose subject begins with `about`.

        `since`/`until` bound when a fact was stored or began to hold (half-open).
        """
        conditions = ["space_id = :space"]
        parameters: dict[str, Any] = {"space": self.space_id, "limit": limit, "offset": offset}
        if state != "all":
            conditions.append(f"retired_at is {'null' if state == 'current' else 'not null'}")
        if kind is not None:
            conditions.append("kind = :kind")
        if subject is not None:
            conditions.append("slot like :subject escape '!'")
            parameters["subject"] = like(slot_of(subject, ""))[1:]
        if about:
            conditions.append("slot like :about escape '!'")
            parameters["about"] = subject_begins(about)
        if search:
            columns = ("subject", "attribute", "value", "text")
            conditions.append("(" + " or ".join(f"lower({c}) like :search escape '!'" for c in columns) + ")")
            parameters["search"] = like(clean(search, "search"))
        windows = []
        for column in ("recorded_at", "valid_from"):
            window = [f"{column} >= :since"] * (since is not None) + [f"{column} < :until"] * (until is not None)
            windows += ["(" + " and ".join(window) + ")"] if window else []
        if windows:
            conditions.append("(" + " or ".join(windows) + ")")
        parameters |= {"kind": kind, "since": mapping.moment_text(since), "until": mapping.moment_text(until)}
        sql = (
            f"select {mapping.FACT_COLUMNS} from facts where {' and '.join(conditions)} "
            "order by recorded_at desc, id desc limit :limit offset :offset"
        )
        with self.database.read() as connection:
            return [mapping.fact(row) for row in rows(connection, sql, **parameters)]

    def history(self, fact_id: int) -> list[Fact]:
        """All versions of a fact, those it replaced and those that replaced it, oldest first. Raises NotFoundError."""
        with self.database.read() as connection:
            self._fact(connection, fact_id)
            return self._versions(connection, fact_id)

    def sources(self, fact_id: int) -> list[tuple[SourceSpan, Message | None]]:
        """Where a fact was said, oldest first; no message for what came from a document. Raises NotFoundError."""
        sql = (
            "select s.message_id, s.chunk_id, s.span_start, s.span_end, s.quote, "
            f"{mapping.prefixed(mapping.MESSAGE_COLUMNS, 'm')} from fact_sources s "
            "left join messages m on m.id = s.message_id where s.fact_id = :fact order by s.id"
        )
        with self.database.read() as connection:
            self._fact(connection, fact_id)
            found = rows(connection, sql, fact=fact_id)
        return [(SourceSpan(*row[:5]), None if row[0] is None else mapping.message(row[5:])) for row in found]

    # --- placing a claim --------------------------------------------------------------------------------------------

    def _place(self, recorder: Recorder, draft: FactDraft, vector: Embedded | None, old: Fact | None) -> MemoryChange:
        connection = recorder.connection
        digest, slot = claim_hash(draft), slot_of(draft.subject, draft.attribute)
        same = self._same_claim(connection, digest)
        if same is not None:
            told = self._tell_again(recorder, same, draft)
            if old is None or old.id == same.id:
                return recorder.finish("repeated", same, told)
            self._retire(recorder, old, same.id, mapping.moment_text(draft.valid_from))
            return recorder.finish("superseded", old, told)
        rivals = self._rivals(connection, slot, recorder.now) if old is None else []
        doubt = _doubt(draft, rivals, recorder.now)
        if old is None and doubt is None and rivals and draft.single and not _is_past(draft, recorder.now):
            old = rivals[0].fact
        new = self._insert(recorder, draft, vector, slot, digest, old)
        if old is not None:
            self._retire(recorder, old, new.id, mapping.moment_text(draft.valid_from))
            return recorder.finish("superseded", old, new)
        if doubt is None:
            return recorder.finish("added", None, new)
        for rival in rivals:
            self._open_conflict(recorder, new.id, rival.fact.id, doubt)
        return recorder.finish("queued", None, new, [rival.fact for rival in rivals])

    def _insert(
        self, recorder: Recorder, draft: FactDraft, vector: Embedded | None, slot: str, digest: str, old: Fact | None
    ) -> Fact:
        connection, now = recorder.connection, recorder.now
        pinned = old.pinned if old else False
        fact_id = insert(
            connection,
            "facts",
            space_id=self.space_id,
            kind=draft.kind,
            subject=draft.subject,
            attribute=draft.attribute,
            value=draft.value,
            text=draft.text,
            slot=slot,
            claim_hash=digest,
            single=draft.single,
            valid_from=mapping.moment_text(draft.valid_from),
            valid_to=mapping.moment_text(draft.valid_to),
            recorded_at=now,
            confidence=draft.confidence,
            trust=draft.trust,
            times_told=1,
            pinned=pinned,
        )
        # Taken back, the claim never held; it stays in the family of the fact it replaced, to be forgotten with it.
        never = {"retired_at": now, "superseded_by": old.id if old else None}
        recorder.note("facts", fact_id, never, {"retired_at": None, "superseded_by": None})
        for span in draft.sources:
            self._add_source(recorder, fact_id, span)
        self._index(connection, "fact", fact_id, vector, now)
        return Fact(
            fact_id, draft.kind, draft.subject, draft.attribute, draft.value, draft.text, draft.valid_from,
            draft.valid_to, mapping.moment(now), None, draft.confidence, draft.trust, 1, pinned, None,  # type: ignore[arg-type]
            draft.single,
        )  # fmt: skip

    def _tell_again(self, recorder: Recorder, fact: Fact, draft: FactDraft) -> Fact:
        trust = max(fact.trust, draft.trust, key=TRUST_ORDER.index)
        told = replace(
            fact, times_told=fact.times_told + 1, trust=trust, confidence=max(fact.confidence, draft.confidence)
        )
        names = ("times_told", "trust", "confidence")
        recorder.update("facts", fact.id, {n: getattr(fact, n) for n in names}, {n: getattr(told, n) for n in names})
        for span in draft.sources:
            self._add_source(recorder, fact.id, span)
        return told

    def _retire(
        self, recorder: Recorder, fact: Fact, successor: int | None, valid_to: str | None, inherits: bool = True
    ) -> None:
        """End a fact, or give its place to another, which takes over what was in doubt about it if it `inherits`."""
        ends = mapping.moment_text(fact.valid_to)
        begins = mapping.moment_text(fact.valid_from)
        if ends is None:
            ends = valid_to or recorder.now
            if begins is not None and ends < begins:
                ends = begins
        recorder.update(
            "facts",
            fact.id,
            {"retired_at": None, "superseded_by": None, "valid_to": mapping.moment_text(fact.valid_to)},
            {"retired_at": recorder.now, "superseded_by": successor, "valid_to": ends},
        )

        sql = (
            "select id, reason, case when fact_id = :id then other_id else fact_id end from conflicts "
            "where resolved_at is null and (fact_id = :id or other_id = :id)"
        )
        for conflict_id, reason, other in rows(recorder.connection, sql, id=fact.id):
            self._close_conflict(recorder, conflict_id, "superseded")
            if inherits and successor is not None and other != successor:
                self._open_conflict(recorder, successor, other, reason)

    def _close_conflict(self, recorder: Recorder, conflict_id: int, resolution: str) -> None:
        recorder.update(
            "conflicts",
            conflict_id,
            {"resolved_at": None, "resolution": None},
            {"resolved_at": recorder.now, "resolution": resolution},
        )

    def _open_conflict(self, recorder: Recorder, fact_id: int, other_id: int, reason: str) -> None:
        conflict_id = insert(
            recorder.connection,
            "conflicts",
            space_id=self.space_id,
            fact_id=fact_id,
            other_id=other_id,
            reason=reason,
            created_at=recorder.now,
        )
        recorder.note(
            "conflicts",
            conflict_id,
            {"resolved_at": recorder.now, "resolution": "undone"},
            {"resolved_at": None, "resolution": None},
        )

    def _add_source(self, recorder: Recorder, fact_id: int, span: SourceSpan) -> None:
        table, owner = ("messages", span.message_id) if span.chunk_id is None else ("chunks", span.chunk_id)
        column = "content" if table == "messages" else "text"
        connection = recorder.connection
        if owner is not None:
            row = one(
                connection,
                f"select {column} from {table} where id = :id and space_id = :space",
                id=owner,
                space=self.space_id,
            )
            if row is None:
                raise NotFoundError(f"there is no row {owner} in {table} to be the source of a fact")
            span = span_within(span, row[0])
        values = {
            "fact_id": fact_id,
            "message_id": span.message_id if span.chunk_id is None else None,
            "chunk_id": span.chunk_id,
            "span_start": span.start,
            "span_end": span.end,
            "quote": clean(span.quote, "quote"),
        }
        known = (
            f"select 1 from fact_sources where fact_id = :fact and {table[:-1]}_id = :id "
            "and span_start = :s and span_end = :e"
        )
        if owner is not None and one(connection, known, fact=fact_id, id=owner, s=span.start, e=span.end):
            return
        source_id = insert(connection, "fact_sources", **values)
        recorder.note("fact_sources", source_id, None, values)

    # --- looking up -------------------------------------------------------------------------------------------------

    def _fact(self, connection: Connection, fact_id: int) -> Fact:
        sql = f"select {mapping.FACT_COLUMNS} from facts where id = :id and space_id = :space"
        row = one(connection, sql, id=fact_id, space=self.space_id)
        if row is not None:
            return mapping.fact(row)
        gone = "select 1 from tombstones where owner_kind = 'fact' and owner_id = :id and space_id = :space"
        forgotten = one(connection, gone, id=fact_id, space=self.space_id) is not None
        raise NotFoundError(
            f"there is no memory {fact_id}", "it was forgotten" if forgotten else "see `memagent memories list`"
        )

    def _current(self, connection: Connection, fact_id: int) -> Fact:
        fact = self._fact(connection, fact_id)
        if not fact.current:
            head = self._versions(connection, fact_id)[-1]
            hint = f"use memory {head.id}, which replaced it" if head.current else "see `memagent memories history`"
            raise InputError(f"memory {fact_id} is no longer current", hint)
        return fact

    def _versions(self, connection: Connection, fact_id: int) -> list[Fact]:
        sql = (
            f"{_CHAIN} select {mapping.FACT_COLUMNS} from facts where id in (select id from family) "
            "order by (case when retired_at is null then 1 else 0 end), recorded_at, id"
        )
        return [mapping.fact(row) for row in rows(connection, sql, id=fact_id)]

    def _same_claim(self, connection: Connection, digest: str) -> Fact | None:
        sql = (
            f"select {mapping.FACT_COLUMNS} from facts where space_id = :space and claim_hash = :digest "
            "and retired_at is null order by id limit 1"
        )
        row = one(connection, sql, space=self.space_id, digest=digest)
        return None if row is None else mapping.fact(row)

    def _rivals(self, connection: Connection, slot: str, now: str) -> list[_Rival]:
        sql = (
            f"select {mapping.FACT_COLUMNS} from facts where space_id = :space and slot = :slot "
            "and retired_at is null and (valid_to is null or valid_to > :now) order by id"
        )
        found = rows(connection, sql, space=self.space_id, slot=slot, now=now)
        return [_Rival(mapping.fact(row), bool(row[15])) for row in found]


def _is_past(draft: FactDraft, now: str) -> bool:
    return draft.valid_to is not None and to_text(draft.valid_to) <= now


def _doubt(draft: FactDraft, rivals: Sequence[_Rival], now: str) -> str | None:
    """Why a new claim cannot simply stand, or take the place of the one before it; None if it can."""
    if not rivals or _is_past(draft, now) or not (draft.single or any(rival.single for rival in rivals)):
        return None
    if draft.trust in ("document", "import") and any(rival.fact.trust == "user" for rival in rivals):
        return f"{'an import' if draft.trust == 'import' else 'a document'} says otherwise than the person"
    if not draft.single or not all(rival.single for rival in rivals):
        return "one claim allows several values and the other does not"
    return None if len(rivals) == 1 else "there are several values already"
