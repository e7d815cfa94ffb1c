"""Erasing a claim from all that quotes it: messages, stored events, the log, core blocks, titles, other facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.records import Fact, OwnerKind
from memagent.memory.redact import Interval, Redaction, Redactor, search_fragments
from memagent.memory.statements import from_json, insert, rows, run, to_json

FOLLOW_UPS = 6  # messages after a source that are taken to talk about the same
FEW_MENTIONS = 3  # an ordinary word that stands in no more other messages than this is erased there too

Reindex = Callable[[OwnerKind, int], None]


class Eraser:
    """Erases the versions of one fact within the unit of work of `connection`.

    `reindex` is called for every row whose indexed text has changed. Afterwards `gone` holds the pieces of text that
    were taken out, `kept_mentions` counts the messages that use an ordinary value in another sense and were left alone,
    and `also_in` lists the other facts that hold the value in their own right.
    """

    def __init__(self, connection: Connection, space_id: int, versions: Sequence[Fact], reindex: Reindex) -> None:
        self.connection = connection
        self.space_id = space_id
        self.ids = [fact.id for fact in versions]
        self.messages = 0
        self.kept_mentions = 0
        self.also_in: list[int] = []
        self.gone: set[str] = {part for fact in versions for part in (fact.value, fact.text)}
        self._reindex = reindex
        self._spans: dict[str, dict[int, list[Interval]]] = {"message": defaultdict(list), "chunk": defaultdict(list)}
        quotes = self._read_sources()
        self.gone |= quotes
        values = [fact.value for fact in versions]
        topics = [topic for fact in versions for topic in (fact.subject, fact.attribute)]
        self._redactor = Redactor(values, {fact.text for fact in versions} | quotes, topics)
        self._everywhere = False  # ordinary values are erased wherever they stand
        self._others: Sequence[Row[Any]] = ()  # facts that hold the claim's words
        self._theirs: set[int] = set()  # messages that tell what other facts hold in their own right
        self._sessions: set[int] = set()  # where the claim was made

    def erase(self) -> None:
        """Erase all mentions; the rows of the facts themselves are the caller's to delete."""
        self._find_other_facts()
        self._erase_messages()
        self._erase_chunks()
        self._erase_titles()
        self._erase_other_facts()
        self._erase_core_blocks()
        self._erase_operations()

    def _read_sources(self) -> set[str]:
        sql = (
            "select message_id, chunk_id, span_start, span_end, quote from fact_sources "
            f"where fact_id in {ids_in(self.connection)}"
        )
        quotes = set()
        for message_id, chunk_id, start, end, quote in rows(self.connection, sql, ids=ids_text(self.ids)):
            quotes.add(quote)
            if message_id is not None:
                self._spans["message"][message_id].append((start, end))
            if chunk_id is not None:
                self._spans["chunk"][chunk_id].append((start, end))
        return quotes

    def _mentions(self, *columns: str) -> tuple[str, dict[str, str]]:
        """A condition that finds at least every row whose `columns` hold the claim's words, and its parameters.

        Every row of a table is held against it. SQLite's own LIKE does that at 2 ns a byte; `lower()` is ours there,
        and takes several times that to call.
        """
        if self.connection.dialect.name == "sqlite":
            text, beyond_ascii = "{0}", "length({0}) <> length(cast({0} as blob))"
        else:
            text, beyond_ascii = "lower({0}::text)", "length({0}::text) <> octet_length({0}::text)"
        tests: list[str] = []
        parameters: dict[str, str] = {}
        for number, phrase in enumerate(self._redactor.phrases):
            wide, narrow = search_fragments(phrase)
            parameters |= {f"wide{number}": wide, f"narrow{number}": narrow}
            test = f"{text} like :wide{number} escape '!'"
            if narrow != wide:
                test = f"({test} and ({text} like :narrow{number} escape '!' or {beyond_ascii}))"
            tests += [test.format(column) for column in columns]
        return "(" + " or ".join(tests) + ")", parameters

    def _find_other_facts(self) -> None:
        """Other facts that hold the claim's words, and which of them in their own right.

        "Allergic to eggs" is one of those when eggs come off the shopping list. The messages that told them are theirs:
        an ordinary word stays there, and is not erased everywhere.
        """
        condition, parameters = self._mentions("subject", "attribute", "value", "text")
        sql = (
            "select id, subject, attribute, value, text from facts where space_id = :space "
            f"and id not in {ids_in(self.connection)} and {condition} order by id"
        )
        self._others = run(self.connection, sql, space=self.space_id, ids=ids_text(self.ids), **parameters).all()
        for row in self._others:
            own = (row.subject, row.attribute, row.value)
            if any(self._redactor.redact(text, about=True).changed for text in own):
                self.also_in.append(row.id)
        within = ids_in(self.connection)
        sql = f"select message_id from fact_sources where message_id is not null and fact_id in {within}"
        told = {row[0] for row in rows(self.connection, sql, ids=ids_text(self.also_in))}
        self._theirs = told - set(self._spans["message"])

    # --- texts ------------------------------------------------------------------------------------------------------

    def _erase_messages(self) -> None:
        condition, parameters = self._mentions("content", "events")
        sources = ids_text(self._spans["message"])
        sql = (
            "select id, session_id, position, content, events from messages where space_id = :space "
            f"and (id in {ids_in(self.connection)} or {condition})"
        )
        found = run(self.connection, sql, space=self.space_id, ids=sources, **parameters).all()
        linked = self._linked(found)
        others = [row for row in found if row.id not in linked and self._redactor.mentions(row.content)]
        self._everywhere = len(others) <= FEW_MENTIONS and not self._theirs
        self.kept_mentions = 0 if self._everywhere else len(others)
        for row in found:
            about = self._everywhere or row.id in linked
            redaction = self._redacted("message", row.id, row.content, about)
            events = from_json(row.events)
            left = self._redactor.redact_json(events, about=True if about else None)
            if left is not events:
                run(self.connection, "update messages set events = :e where id = :id", e=to_json(left), id=row.id)
            if redaction.changed:
                self.messages += 1
                sql = "update messages set content = :content, tokens = 0 where id = :id"
                run(self.connection, sql, content=redaction.text, id=row.id)
                self._move_sources("message", row.id, redaction)
                self._reindex("message", row.id)

    def _linked(self, found: Sequence[Row[Any]]) -> set[int]:
        """The messages about the claim: its sources, what follows them closely, and those that share its topic."""
        near: set[tuple[int, int]] = set()
        theirs: set[tuple[int, int]] = set()
        for row in found:
            if row.id in self._spans["message"]:
                self._sessions.add(row.session_id)
                near |= {(row.session_id, row.position + step) for step in range(FOLLOW_UPS + 1)}
            elif row.id in self._theirs:
                theirs |= {(row.session_id, row.position + step) for step in (0, 1)}  # and the reply to it
        return {
            row.id
            for row in found
            if (place := (row.session_id, row.position)) not in theirs
            and (place in near or self._redactor.is_about(row.content))
        }

    def _redacted(self, kind: str, row_id: int, text: str, about: bool) -> Redaction:
        spans = self._spans[kind].get(row_id)
        redaction = self._redactor.redact(text, about=about, spans=spans or ())
        if spans is not None and not redaction.changed:  # it says so in words that we cannot point at
            redaction = self._redactor.redact(text, spans=[(0, len(text))])
        self.gone |= {text[start:end] for start, end in redaction.intervals}
        return redaction

    def _move_sources(self, kind: str, row_id: int, redaction: Redaction) -> None:
        """Keep the spans of other facts on their words."""
        sql = f"select id, span_start, span_end from fact_sources where {kind}_id = :id"
        for source_id, start, end in rows(self.connection, sql, id=row_id):
            start, end = redaction.moved(start, end)
            run(
                self.connection,
                "update fact_sources set span_start = :s, span_end = :e, quote = :quote where id = :id",
                s=start,
                e=end,
                quote=redaction.text[start:end],
                id=source_id,
            )

    def _erase_chunks(self) -> None:
        sql = f"select id, text from chunks where space_id = :space and id in {ids_in(self.connection)}"
        for row in run(self.connection, sql, space=self.space_id, ids=ids_text(self._spans["chunk"])).all():
            redaction = self._redacted("chunk", row.id, row.text, about=True)
            if redaction.changed:
                run(self.connection, "update chunks set text = :t where id = :id", t=redaction.text, id=row.id)
                self._move_sources("chunk", row.id, redaction)
                self._reindex("chunk", row.id)

    def _erase_titles(self) -> None:
        condition, parameters = self._mentions("title")
        sql = f"select id, title from sessions where space_id = :space and {condition}"
        for row in run(self.connection, sql, space=self.space_id, **parameters).all():
            about = True if self._everywhere or row.id in self._sessions else None
            title = self._redactor.redact(row.title, about=about)
            if title.changed:
                run(self.connection, "update sessions set title = :t where id = :id", t=title.text, id=row.id)

    # --- what else the store keeps ----------------------------------------------------------------------------------

    def _erase_other_facts(self) -> None:
        """The sentence of another fact may quote the claim; what it claims itself is its own."""
        about = True if self._everywhere else None
        for row in self._others:
            redaction = self._redactor.redact(row.text, about=about)
            if redaction.changed:
                run(self.connection, "update facts set text = :t where id = :id", t=redaction.text, id=row.id)
                self._reindex("fact", row.id)

    def _erase_core_blocks(self) -> None:
        condition, parameters = self._mentions("content")
        mine = "(select id from core_blocks where space_id = :space)"
        for table, where in (("core_blocks", f"id in {mine}"), ("core_block_versions", f"block_id in {mine}")):
            sql = f"select id, content from {table} where {where} and {condition}"
            for row in run(self.connection, sql, space=self.space_id, **parameters).all():
                content = self._redactor.redact(row.content, about=True)
                if content.changed:
                    run(self.connection, f"update {table} set content = :c where id = :id", c=content.text, id=row.id)

    def _erase_operations(self) -> None:
        ids = ids_text(self.ids)
        run(
            self.connection,
            "update operations set arguments = :empty, result = :forgotten where space_id = :space "
            f"and fact_id in {ids_in(self.connection)}",
            empty="{}",
            forgotten=to_json({"forgotten": True}),
            space=self.space_id,
            ids=ids,
        )
        condition, parameters = self._mentions("arguments", "result")
        sql = f"select id, arguments, result from operations where space_id = :space and {condition}"
        about = True if self._everywhere else None
        for row in run(self.connection, sql, space=self.space_id, **parameters).all():
            arguments, result = from_json(row.arguments), from_json(row.result)
            old = arguments, result
            arguments, result = (self._redactor.redact_json(value, about=about) for value in old)
            if arguments is old[0] and result is old[1]:
                continue
            run(
                self.connection,
                "update operations set arguments = :a, result = :r where id = :id",
                a=to_json(arguments),
                r=None if result is None else to_json(result),
                id=row.id,
            )


def delete_facts(connection: Connection, space_id: int, ids: Sequence[int], asked_by: str, now: str) -> None:
    """Delete the rows of facts and all that hangs on them; a tombstone without content stays for each."""
    listed, within = ids_text(ids), ids_in(connection)
    run(connection, f"delete from conflicts where fact_id in {within} or other_id in {within}", ids=listed)
    run(connection, f"delete from fact_sources where fact_id in {within}", ids=listed)
    run(connection, f"update facts set superseded_by = null where superseded_by in {within}", ids=listed)
    run(connection, f"delete from facts where id in {within}", ids=listed)
    for fact_id in ids:
        insert(
            connection,
            "tombstones",
            space_id=space_id,
            owner_kind="fact",
            owner_id=fact_id,
            forgotten_at=now,
            asked_by=asked_by,
        )
