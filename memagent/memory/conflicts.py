"""Claims that contradict each other: kept side by side until the person decides, or replaced and still named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.facts import FactStore
from memagent.memory.id_lists import ids_in, ids_text
from memagent.memory.records import AskedBy, Conflict, MemoryChange, OwnerKind
from memagent.memory.statements import one, rows

Resolution = Literal["keep_both", "keep_new", "keep_old"]


class ConflictStore(FactStore):
    """The part of `MemoryStore` that asks the person to decide, and knows where what no longer holds is named."""

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

    def outdated_messages(self, message_ids: Sequence[int]) -> frozenset[int]:
        """Those of the messages that told something which no longer holds."""
        if not message_ids:
            return frozenset()
        with self.database.read() as connection:
            sql = (
                "select distinct s.message_id from fact_sources s join facts f on f.id = s.fact_id "
                f"where f.retired_at is not null and s.message_id in {ids_in(connection)}"
            )
            return frozenset(row[0] for row in rows(connection, sql, ids=ids_text(message_ids)))

    def replaced_words(self, kind: OwnerKind, ids: Sequence[int]) -> dict[int, list[str]]:
        """By id, values that messages or facts name though something else holds now.

        A message that told a change names the old value too; a fact's sentence may have told another fact that has
        been replaced or has ended since. Not those that the new value contains: a Skoda Fabia is a Skoda. Empty for
        document pieces.
        """
        told_change = (
            "select s.message_id, old.value, new.value from fact_sources s join facts new on new.id = s.fact_id"
            " join facts old on old.space_id = new.space_id and old.slot = new.slot and old.superseded_by = new.id"
            " where s.message_id in "
        )
        told_together = (
            "select f.id, old.value, new.value from facts f join fact_sources s on s.fact_id = f.id"
            " join fact_sources other on other.message_id = s.message_id join facts old on old.id = other.fact_id"
            " left join facts new on new.id = old.superseded_by"
            " where old.text = f.text and old.retired_at is not null and f.id in "
        )
        sql = {"message": told_change, "fact": told_together}.get(kind)
        found: dict[int, list[str]] = {}
        if not ids or sql is None:
            return found
        with self.database.read() as connection:
            for owner, old, new in rows(connection, f"{sql}{ids_in(connection)} order by old.id", ids=ids_text(ids)):
                if new is None or old.casefold() not in new.casefold():
                    found.setdefault(owner, []).append(old)
        return found
