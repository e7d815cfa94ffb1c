"""Taking an operation back: every row it changed returns to what it was, unless it has been changed again since."""

from __future__ import annotations

from typing import Any

from memagent.errors import InputError, NotFoundError
from memagent.memory.base import Recorder
from memagent.memory.conflicts import ConflictStore
from memagent.memory.core_blocks import CoreBlockStore
from memagent.memory.curation import CurationStore
from memagent.memory.operations import OperationStore
from memagent.memory.records import AskedBy, Fact, MemoryChange, Operation
from memagent.memory.statements import insert, one, run

_LATER = "undo the later change first; `memagent memories history` shows both"


class UndoStore(ConflictStore, CurationStore, CoreBlockStore, OperationStore):
    """The part of `MemoryStore` that takes operations back. An undo is an operation too: undone, it is done again."""

    def undo(self, operation_id: int, *, asked_by: AskedBy) -> MemoryChange:
        """Take back an add, update, amendment, pin, a decision on a conflict, an edit of a core block, or an undo.

        In the change, `before` is the fact that is no longer current and `after` the one that is current (again).
        Raises NotFoundError for an unknown operation; InputError for one that cannot be taken back: it changed nothing,
        it was a forget, it was undone already, or what it changed has been changed again.
        """
        with self.database.write() as connection:
            operation = self.operation(operation_id)
            changes = _changes_of(operation)
            recorder = self._recorder(connection, "undo", asked_by, {"operation": operation_id, "name": operation.name})
            before = self._facts_of(recorder, changes)
            for change in reversed(changes):
                self._take_back(recorder, change)
            after = self._facts_of(recorder, changes)
            self._require_no_rival(recorder, before, after)
            ceased = next((f for f in before if f.current and not _find(after, f.id).current), None)
            restored = next((f for f in after if f.current and f != ceased), None)
            if ceased is None and restored is not None:
                ceased = next((f for f in before if f.id == restored.id and f.current), None)
            change = recorder.finish("restored", ceased, restored)
            run(
                connection,
                "update operations set undone_by = :by where id = :id",
                by=change.operation_id,
                id=operation_id,
            )
        return change

    def _take_back(self, recorder: Recorder, change: dict[str, Any]) -> None:
        table, row_id = change["table"], change["id"]
        before, after = change["before"], change["after"]
        connection = recorder.connection
        if table == "core_blocks":
            self._restore_block(recorder, change)
        elif after is None:  # it was removed by an undo
            taken = one(connection, f"select 1 from {table} where id = :id", id=row_id)  # SQLite gives numbers again
            row_id = insert(connection, table, **before) if taken else insert(connection, table, id=row_id, **before)
            recorder.note(table, row_id, None, before)
        elif before is None:
            run(connection, f"delete from {table} where id = :id", id=row_id)
            recorder.note(table, row_id, after, None)
        else:
            columns = ", ".join(after)
            row = one(connection, f"select {columns} from {table} where id = :id", id=row_id)
            if row is None or list(row) != list(after.values()):
                raise InputError("what this operation changed has been changed since", _LATER)
            recorder.update(table, row_id, after, before)

    def _facts_of(self, recorder: Recorder, changes: list[dict[str, Any]]) -> list[Fact]:
        ids = dict.fromkeys(change["id"] for change in changes if change["table"] == "facts")
        try:
            return [self._fact(recorder.connection, fact_id) for fact_id in ids]
        except NotFoundError:
            raise InputError("a memory that this operation changed has been forgotten", "forgetting is final") from None

    def _require_no_rival(self, recorder: Recorder, before: list[Fact], after: list[Fact]) -> None:
        """A restored fact must not stand beside another value of its slot without anybody having decided so."""
        sql = """
            select f.id from facts f join facts mine on mine.id = :id
            where f.id <> mine.id and f.space_id = mine.space_id and f.retired_at is null
              and (f.claim_hash = mine.claim_hash
                   or (f.slot = mine.slot and f.single = :single and mine.single = :single
                       and (f.valid_to is null or f.valid_to > :now) and (mine.valid_to is null or mine.valid_to > :now)
                       and not exists (select 1 from conflicts c where coalesce(c.resolution, 'keep_both') = 'keep_both'
                                       and ((c.fact_id = f.id and c.other_id = mine.id)
                                            or (c.fact_id = mine.id and c.other_id = f.id)))))"""
        for fact in after:
            if fact.current and not _find(before, fact.id).current:
                rival = one(recorder.connection, sql, id=fact.id, single=True, now=recorder.now)
                if rival is not None:
                    raise InputError(f"memory {rival[0]} has taken the place of memory {fact.id} since", _LATER)


def _changes_of(operation: Operation) -> list[dict[str, Any]]:
    if operation.undone_by is not None:
        raise InputError(f"operation {operation.id} has been undone already", f"undo operation {operation.undone_by}")
    if operation.name == "forget":
        raise InputError("forgetting cannot be undone: nothing of it is left", "tell it again")
    changes: Any = (operation.result or {}).get("changes")
    if not changes:
        raise InputError(f"operation {operation.id} ({operation.name}) left nothing to undo")
    return list(changes)


def _find(facts: list[Fact], fact_id: int) -> Fact:
    return next(fact for fact in facts if fact.id == fact_id)
