"""Ingested documents, cut into chunks. What they say is searched with lower trust and is never a fact by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from memagent.errors import InputError, NotFoundError
from memagent.memory.base import StoreBase, text_hash
from memagent.memory.claims import clean
from memagent.memory.records import AskedBy
from memagent.memory.statements import insert, one, rows, run
from memagent.memory.time import from_text

CHUNK_CHARACTERS = 900  # about what the embedder reads of one text (256 tokens)
EMBEDDED_AT_ONCE = 32  # more are left to the background drain; full text finds them meanwhile

_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"(?<=[.!?])\s+"), re.compile(r"\s+"))


@dataclass(frozen=True)
class Document:
    """One ingested document."""

    id: int
    title: str
    source: str
    chunks: int
    added_at: datetime


class DocumentStore(StoreBase):
    """The part of `MemoryStore` that holds documents."""

    def add_document(
        self, title: str, source: str, text: str, *, asked_by: AskedBy, session_id: int | None = None
    ) -> int:
        """Store a document and its chunks; the id. The same text again is the same document. Raises InputError."""
        title, source, text = clean(title, "title").strip(), clean(source, "source"), clean(text, "document")
        parts = chunked(text)
        if not parts:
            raise InputError(f"the document {title or source!r} is empty", "choose a file with text in it")
        at_once = self._embed(parts[:EMBEDDED_AT_ONCE])
        vectors = [*at_once, *[None] * (len(parts) - len(at_once))]
        digest, now = text_hash(text), self._now()
        with self.database.write() as connection:
            same = "select id from documents where space_id = :space and content_hash = :digest"
            known = one(connection, same, space=self.space_id, digest=digest)
            if known is not None:
                return int(known[0])
            arguments = {"title": title, "source": source}
            recorder = self._recorder(connection, "add_document", asked_by, arguments, session_id)
            document_id = insert(
                connection,
                "documents",
                space_id=self.space_id,
                title=title or source,
                source=source,
                content_hash=digest,
                added_at=now,
            )
            for position, (part, vector) in enumerate(zip(parts, vectors, strict=True)):
                chunk_id = insert(
                    connection,
                    "chunks",
                    document_id=document_id,
                    space_id=self.space_id,
                    position=position,
                    text=part,
                )
                self._index(connection, "chunk", chunk_id, vector, now)
            recorder.write({"document": document_id, "chunks": len(parts)}, None)
        return document_id

    def documents(self) -> list[Document]:
        """All documents of the space, newest first."""
        sql = (
            "select d.id, d.title, d.source, (select count(*) from chunks c where c.document_id = d.id), d.added_at "
            "from documents d where d.space_id = :space order by d.id desc"
        )
        with self.database.read() as connection:
            found = rows(connection, sql, space=self.space_id)
        return [Document(row[0], row[1], row[2], row[3], from_text(row[4])) for row in found]

    def delete_document(self, document_id: int, *, asked_by: AskedBy) -> None:
        """Remove a document, its chunks and their index entries; facts taken from it lose that source.

        Raises NotFoundError.
        """
        with self.database.write() as connection:
            known = "select 1 from documents where id = :id and space_id = :space"
            if one(connection, known, id=document_id, space=self.space_id) is None:
                raise NotFoundError(f"there is no document {document_id}")
            recorder = self._recorder(connection, "delete_document", asked_by, {"document": document_id})
            chunks = [r[0] for r in rows(connection, "select id from chunks where document_id = :id", id=document_id)]
            self._unindex(connection, "chunk", chunks, recorder.now)
            of_chunks = "(select id from chunks where document_id = :id)"
            run(connection, f"delete from fact_sources where chunk_id in {of_chunks}", id=document_id)
            run(connection, "delete from chunks where document_id = :id", id=document_id)
            run(connection, "delete from documents where id = :id", id=document_id)
            recorder.write({"chunks": len(chunks)}, None)


def chunked(text: str, size: int = CHUNK_CHARACTERS) -> list[str]:
    """The text in pieces of at most `size` characters, cut between paragraphs, lines, sentences or words."""
    return [piece for piece in (part.strip() for part in _split(text.strip(), size, 0)) if piece]


def _split(text: str, size: int, level: int) -> list[str]:
    if len(text) <= size:
        return [text]
    if level == len(_BREAKS):
        return [text[start : start + size] for start in range(0, len(text), size)]
    pieces: list[str] = []
    begin = end = 0
    for stop in [match.end() for match in _BREAKS[level].finditer(text)] + [len(text)]:
        if stop - begin > size and end > begin:
            pieces += _split(text[begin:end], size, level + 1)
            begin = end
        end = stop
    return pieces + _split(text[begin:end], size, level + 1)
