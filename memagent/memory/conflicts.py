"""Claims that may contradict each other, kept side by side until the person decides."""

from __future__ import annotations

from typing import Literal

from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.facts import FactStore
from memagent.memory.records import AskedBy, Conflict, MemoryChange
from memagent.memory.statements import one, rows

Resolution = Literal["keep_both", "keep_new", "keep_old"]


class ConflictStore(FactStore):
    """The part of `MemoryStore` that asks the person to decide."""

    def conflicts(self) -> list[Conflict]:
        """What waits for the person to decide, oldest first."""
        sql = (
            f"select c.id, c.reason, c.created_at, {mapping.prefixed(mapping.FACT_COLUMNS, 'n')}, "
            f"{mapping.prefixed(mapping.FACT_COLUMNS, 'o')} from conflicts c join facts n on n.id = c.fact_id "
            "join facts o on o.id = c.other_id where c.space_id = :space and c.resolved_at is null "
            "and n.retired_at is null and o.retired_at is null order by c.id"
        )
        with self.database.read() as connection:
            found = rows(connection, sql, space=self.space_id)
        return [
            Conflict(row[0], mapping.fact(row[3:19]), mapping.fact(row[19:]), row[1], mapping.moment(row[2]))  # type: ignore[arg-type]
            for row in found
        ]

    def resolve_conflict(self, conflict_id: int, resolution: Resolution, asked_by: AskedBy = "user") -> MemoryChange:
        """Decide: `keep_both`, `keep_new` or `keep_old`. Raises NotFoundError for no such open conflict."""
        if resolution not in ("keep_both", "keep_new", "keep_old"):
            raise InputError(f"{resolution!r} is not a decision", "use keep_both, keep_new or keep_old")
        with self.database.write() as connection:
            row = one(
                connection,
                "select fact_id, other_id from conflicts where id = :id and space_id = :space and resolved_at is null",
                id=conflict_id,
                space=self.space_id,
            )
            if row is None:
                raise NotFoundError(f"there is no open conflict {conflict_id}", "see `memagent memories conflicts`")
            newer, older = self._current(connection, row[0]), self._current(connection, row[1])
            recorder = self._recorder(
                connection, "resolve", asked_by, {"conflict": conflict_id, "resolution": resolution}
            )
            self._close_conflict(recorder, conflict_id, resolution)
            kept, gone = (newer, older) if resolution == "keep_new" else (older, newer)
            if resolution == "keep_both":
                return recorder.finish("edited", newer, newer)
            self._retire(recorder, gone, kept.id, recorder.now, inherits=resolution == "keep_new")
            return recorder.finish("superseded", gone, kept)
