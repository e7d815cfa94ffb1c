"""What a person does with single facts: pin them, put their kind and dates right, see where they were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from memagent.errors import InputError
from memagent.memory import mapping
from memagent.memory.claims import checked, claim_hash, clean
from memagent.memory.facts import FactStore
from memagent.memory.records import AskedBy, Fact, FactDraft, FactUse, Kind, MemoryChange, SourceSpan
from memagent.memory.statements import one, rows

_ASKED = (
    "select content from messages where session_id = :session and position < :position and role = 'user' "
    "order by position desc limit 1"
)


class CurationStore(FactStore):
    """The part of `MemoryStore` that serves who looks after the facts by hand."""

    def pin_fact(self, fact_id: int, pinned: bool, *, asked_by: AskedBy = "user") -> Fact:
        """Mark a fact to be kept in view. Raises NotFoundError."""
        with self.database.write() as connection:
            fact = self._fact(connection, fact_id)
            recorder = self._recorder(connection, "pin", asked_by, {"id": fact_id, "pinned": pinned})
            after = replace(fact, pinned=pinned)
            recorder.update("facts", fact_id, {"pinned": fact.pinned}, {"pinned": pinned})
            recorder.finish("edited", fact, after)
        return after

    def end_fact(
        self,
        fact_id: int,
        *,
        asked_by: AskedBy,
        reason: str = "",
        session_id: int | None = None,
        valid_to: datetime | None = None,
        sources: Sequence[SourceSpan] = (),
    ) -> MemoryChange:
        """End a current fact whose place nothing takes: a thing sold, a job done, somebody who left. It is history.

        It held until `valid_to`, or until now. The `sources` are where its end was said; they count among its own.
        Raises NotFoundError, also for a source, and InputError for a fact that is no longer current.
        """
        with self.database.write() as connection:
            fact = self._current(connection, fact_id)
            arguments = {"id": fact_id, "reason": clean(reason, "reason")}
            recorder = self._recorder(connection, "end", asked_by, arguments, session_id)
            self._retire(recorder, fact, None, mapping.moment_text(valid_to))
            for span in sources:
                self._add_source(recorder, fact_id, span)
            return recorder.finish("ended", fact, self._fact(connection, fact_id))

    def amend_fact(
        self,
        fact_id: int,
        *,
        kind: Kind,
        valid_from: datetime | None,
        valid_to: datetime | None,
        asked_by: AskedBy = "user",
    ) -> MemoryChange:
        """Put right what is noted about a current fact: its kind, and when it holds. The claim itself stays.

        Raises NotFoundError; InputError for a fact that is no longer current, for dates in the wrong order, and where
        the same claim with these dates is known already.
        """
        with self.database.write() as connection:
            fact = self._current(connection, fact_id)
            draft = checked(
                FactDraft(fact.subject, fact.attribute, fact.value, kind=kind, valid_from=valid_from, valid_to=valid_to)
            )
            old, new = (
                {
                    "kind": item.kind,
                    "valid_from": mapping.moment_text(item.valid_from),
                    "valid_to": mapping.moment_text(item.valid_to),
                    "claim_hash": digest,
                }
                for item, digest in ((fact, self._digest(fact_id)), (draft, claim_hash(draft)))
            )
            same = self._same_claim(connection, str(new["claim_hash"]))
            if same is not None and same.id != fact_id:
                raise InputError(f"memory {same.id} says the same already", "forget one of the two")
            arguments = {"id": fact_id, "kind": kind, "valid_from": new["valid_from"], "valid_to": new["valid_to"]}
            recorder = self._recorder(connection, "amend", asked_by, arguments)
            recorder.update("facts", fact_id, old, new)
            return recorder.finish("edited", fact, replace(fact, kind=kind, valid_from=valid_from, valid_to=valid_to))

    def uses(self, fact_id: int, *, limit: int = 20) -> list[FactUse]:
        """The answers that were given with this fact in view, newest first. Raises NotFoundError.

        Those are the turns in which automatic recall or a search brought it up; `said` tells whether the reply holds
        its value.
        """
        sql = (
            f"select {mapping.MESSAGE_COLUMNS} from messages where space_id = :space and role = 'assistant' "
            "and cast(events as text) like :ref order by id desc"
        )
        found: list[FactUse] = []
        with self.database.read() as connection:
            fact = self._fact(connection, fact_id)
            for row in rows(connection, sql, space=self.space_id, ref=f'%"ref":{fact_id},%'):
                message = mapping.message(row)
                if not any(hit.get("kind") == "fact" and hit.get("ref") == fact_id for hit in _hits(message.events)):
                    continue
                asked = one(connection, _ASKED, session=message.session_id, position=message.position)
                said = fact.value.casefold() in message.content.casefold()
                found.append(FactUse(message, asked[0] if asked else "", said))
                if len(found) == limit:
                    break
        return found

    def _digest(self, fact_id: int) -> str:
        with self.database.read() as connection:
            row = one(connection, "select claim_hash from facts where id = :id", id=fact_id)
        assert row is not None
        return str(row[0])


def _hits(events: tuple[dict[str, object], ...]) -> Iterator[Mapping[str, Any]]:
    """What memory put in front of the model in a turn."""
    for event in events:
        found: Any = event.get("hits", ())
        if event.get("event") == "tool_returned":
            result: Any = event["result"]
            found = result["content"].get("hits", ())
        yield from found
