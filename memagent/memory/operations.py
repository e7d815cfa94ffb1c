"""The audit log: every memory operation, with who asked for it and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.base import StoreBase
from memagent.memory.records import AskedBy, Operation
from memagent.memory.statements import one, rows


class OperationStore(StoreBase):
    """The part of `MemoryStore` that holds the log."""

    def log_operation(
        self,
        name: str,
        *,
        asked_by: AskedBy,
        arguments: Mapping[str, Any],
        result: Mapping[str, Any] | None,
        session_id: int | None = None,
        fact_id: int | None = None,
        duration_ms: float = 0.0,
    ) -> int:
        """Write one line for an operation that changed nothing here (a search, a query); its id."""
        with self.database.write() as connection:
            recorder = self._recorder(connection, name, asked_by, arguments, session_id)
            return recorder.write(result, fact_id, duration_ms)

    def operations(
        self, *, since_id: int = 0, limit: int = 50, fact_id: int | None = None, name: str | None = None
    ) -> list[Operation]:
        """The last `limit` lines with an id above `since_id`, newest first: about one fact, of one name."""
        condition = "" if fact_id is None else "and fact_id = :fact"
        condition += "" if name is None else " and name = :name"
        sql = (
            f"select {mapping.OPERATION_COLUMNS} from operations where space_id = :space and id > :since {condition} "
            "order by id desc limit :limit"
        )
        with self.database.read() as connection:
            found = rows(connection, sql, space=self.space_id, since=since_id, limit=limit, fact=fact_id, name=name)
        return [mapping.operation(row) for row in found]

    def last_change(self) -> Operation:
        """The newest operation that can be taken back. Raises InputError where there is none."""
        sql = (
            f"select {mapping.OPERATION_COLUMNS} from operations where space_id = :space and undone_by is null "
            "and name in ('add', 'update', 'amend', 'pin', 'resolve', 'core_edit') "
            """and cast(result as text) like '%"changes":%' order by id desc limit 1"""
        )
        with self.database.read() as connection:
            row = one(connection, sql, space=self.space_id)
        if row is None:
            raise InputError("there is no change to take back", "memagent memories log shows the operations")
        return mapping.operation(row)

    def operation(self, operation_id: int) -> Operation:
        """Raises NotFoundError."""
        sql = f"select {mapping.OPERATION_COLUMNS} from operations where id = :id and space_id = :space"
        with self.database.read() as connection:
            row = one(connection, sql, id=operation_id, space=self.space_id)
        if row is None:
            raise NotFoundError(f"there is no operation {operation_id}", "see `memagent memories history`")
        return mapping.operation(row)
