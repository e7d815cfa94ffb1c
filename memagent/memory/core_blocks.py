"""Core blocks: the small pinned text that is always in the prompt. Each edit is kept as a version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from memagent.errors import InputError, NotFoundError
from memagent.memory import mapping
from memagent.memory.base import Recorder, StoreBase
from memagent.memory.claims import clean
from memagent.memory.records import AskedBy, CoreBlock
from memagent.memory.statements import insert, one, rows, run
from memagent.memory.time import from_text

LABELS = ("person", "plan", "scratchpad")
LIMIT_CHARACTERS = 2000

_BLOCK = "label, content, limit_characters, version, updated_at"


class CoreBlockStore(StoreBase):
    """The part of `MemoryStore` that holds the pinned text."""

    def core_blocks(self) -> list[CoreBlock]:
        """All blocks of the space, in a fixed order; the standard ones are made on first use."""
        found = self._read_blocks()
        if not set(LABELS) <= {block.label for block in found}:
            with self.database.write() as connection:
                self._create_blocks(connection)
            found = self._read_blocks()
        return sorted(found, key=lambda block: (LABELS.index(block.label) if block.label in LABELS else 9, block.label))

    def edit_core_block(
        self, label: str, old: str, new: str, *, asked_by: AskedBy, session_id: int | None = None
    ) -> CoreBlock:
        """Replace `old` (which must occur exactly once) by `new`; an empty `old` appends `new` as a line.

        Raises NotFoundError for an unknown label; InputError when `old` does not occur once, when the block would
        outgrow its limit, and for imported text, which may not write here.
        """
        if asked_by == "import":
            raise InputError("imported text may not write the core blocks", "ask the person to confirm it")
        old, new = clean(old, "old text"), clean(new, "new text")
        with self.database.write() as connection:
            self._create_blocks(connection)
            block_id, block = self._block(connection, label)
            content = _edited(block, old, new)
            if content == block.content:
                return block
            arguments = {"block": label, "old": old, "new": new}
            recorder = self._recorder(connection, "core_edit", asked_by, arguments, session_id)
            edited = self._write_block(recorder, block_id, block, content)
            recorder.write({"action": "edited", "changes": recorder.changes}, None)
            return edited

    def core_block_versions(self, label: str) -> list[tuple[int, str, str, str]]:
        """(version, content, asked_by, created_at as text) of every edit, oldest first. Raises NotFoundError."""
        with self.database.read() as connection:
            block_id, _ = self._block(connection, label)
            sql = (
                "select version, content, asked_by, created_at from core_block_versions where block_id = :id "
                "order by version"
            )
            return [(row[0], row[1], row[2], row[3]) for row in rows(connection, sql, id=block_id)]

    def _write_block(self, recorder: Recorder, block_id: int, block: CoreBlock, content: str) -> CoreBlock:
        """Store a new version. The log keeps version numbers: the text itself is in one place."""
        version, now = block.version + 1, recorder.now
        run(
            recorder.connection,
            "update core_blocks set content = :content, version = :version, updated_at = :now where id = :id",
            content=content,
            version=version,
            now=now,
            id=block_id,
        )
        insert(
            recorder.connection,
            "core_block_versions",
            block_id=block_id,
            version=version,
            content=content,
            asked_by=recorder.asked_by,
            created_at=now,
        )
        recorder.note("core_blocks", block_id, {"version": block.version}, {"version": version})
        return CoreBlock(block.label, content, block.limit_characters, version, from_text(now))

    def _restore_block(self, recorder: Recorder, change: dict[str, Any]) -> None:
        """Write the text of the version before a change as a new version."""
        row = one(recorder.connection, "select label from core_blocks where id = :id", id=change["id"])
        block_id, block = self._block(recorder.connection, row[0] if row else "")
        if block.version != change["after"]["version"]:
            raise InputError(f"the block {block.label!r} has been edited since", "undo the later edit first")
        sql = "select content from core_block_versions where block_id = :id and version = :version"
        kept = one(recorder.connection, sql, id=block_id, version=change["before"]["version"])
        self._write_block(recorder, block_id, block, kept[0] if kept else "")

    def _create_blocks(self, connection: Connection) -> None:
        known = {
            row[0] for row in rows(connection, "select label from core_blocks where space_id = :s", s=self.space_id)
        }
        now = self._now()
        for label in LABELS:
            if label not in known:
                block_id = insert(
                    connection,
                    "core_blocks",
                    space_id=self.space_id,
                    label=label,
                    content="",
                    limit_characters=LIMIT_CHARACTERS,
                    version=1,
                    updated_at=now,
                )
                insert(
                    connection,
                    "core_block_versions",
                    block_id=block_id,
                    version=1,
                    content="",
                    asked_by="auto",
                    created_at=now,
                )

    def _read_blocks(self) -> list[CoreBlock]:
        with self.database.read() as connection:
            sql = f"select {_BLOCK} from core_blocks where space_id = :space"
            return [mapping.core_block(row) for row in rows(connection, sql, space=self.space_id)]

    def _block(self, connection: Connection, label: str) -> tuple[int, CoreBlock]:
        sql = f"select id, {_BLOCK} from core_blocks where space_id = :space and label = :label"
        row = one(connection, sql, space=self.space_id, label=label)
        if row is None:
            raise NotFoundError(f"there is no core block {label!r}", f"use one of {', '.join(LABELS)}")
        return row[0], mapping.core_block(row[1:])


def _edited(block: CoreBlock, old: str, new: str) -> str:
    if old:
        count = block.content.count(old)
        if count != 1:
            found = "does not occur" if count == 0 else f"occurs {count} times"
            raise InputError(
                f"the text to replace {found} in the block {block.label!r}",
                "give a part of it that occurs exactly once",
            )
        content = block.content.replace(old, new)
    else:
        content = "\n".join(part for part in (block.content, new.strip()) if part)
    if len(content) > block.limit_characters:
        raise InputError(
            f"the block {block.label!r} would have {len(content)} characters, {block.limit_characters} are allowed",
            "shorten it, or store the detail as a fact",
        )
    return content
