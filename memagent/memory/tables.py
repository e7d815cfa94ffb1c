"""The relational schema, as SQLAlchemy 2 tables. SQL is the truth; full text and vectors are derived from it.

The names are stable: users query them. Times are ISO 8601 strings in UTC with microseconds and a trailing `Z`
(`2026-03-02T09:00:00.000000Z`), so that they sort as text on SQLite and PostgreSQL alike and read well in a shell.
The migrations in `migrations/` create the same tables; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

TIME = String(27)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", TIME, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("title", Text, nullable=False, default=""),
    Column("model", Text, nullable=False, default=""),
    Column("started_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Index("ix_sessions_space", "space_id", "started_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_id", ForeignKey("sessions.id"), nullable=False),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("speaker", Text, nullable=False, default=""),
    Column("content", Text, nullable=False),
    Column("events", JSON),  # what the turn showed (event_to_dict), kept on the assistant's message for replay
    Column("tokens", Integer, nullable=False, default=0),
    Column("created_at", TIME, nullable=False),
    CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name="ck_messages_role"),
    UniqueConstraint("session_id", "position", name="uq_messages_position"),
    Index("ix_messages_space", "space_id", "created_at"),
    Index(
        "ix_messages_speaker",
        "space_id",
        "speaker",
        sqlite_where=text("speaker <> ''"),
        postgresql_where=text("speaker <> ''"),
    ),
    sqlite_autoincrement=True,
)

facts = Table(
    "facts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("kind", Text, nullable=False, default="fact"),
    Column("subject", Text, nullable=False),
    Column("attribute", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("text", Text, nullable=False),  # the sentence it was said in
    Column("slot", Text, nullable=False),  # normalised subject + attribute, for exact look-up
    Column("claim_hash", String(64), nullable=False),  # normalised claim, for idempotent writes
    Column("single", Boolean, nullable=False, default=True),  # the slot holds one current value
    Column("valid_from", TIME),  # in the world
    Column("valid_to", TIME),
    Column("recorded_at", TIME, nullable=False),  # in the store
    Column("retired_at", TIME),
    Column("confidence", Float, nullable=False, default=1.0),
    Column("trust", Text, nullable=False, default="user"),
    Column("times_told", Integer, nullable=False, default=1),
    Column("pinned", Boolean, nullable=False, default=False),
    Column("superseded_by", ForeignKey("facts.id")),
    CheckConstraint("kind in ('fact','preference','event','plan','task','note')", name="ck_facts_kind"),
    CheckConstraint("trust in ('user','model','import','document')", name="ck_facts_trust"),
    Index("ix_facts_slot", "space_id", "slot"),
    Index("ix_facts_hash", "space_id", "claim_hash"),
    Index("ix_facts_recorded", "space_id", "recorded_at"),
    sqlite_autoincrement=True,
)

fact_sources = Table(
    "fact_sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fact_id", ForeignKey("facts.id"), nullable=False),
    Column("message_id", ForeignKey("messages.id")),
    Column("chunk_id", ForeignKey("chunks.id")),
    Column("span_start", Integer, nullable=False, default=0),
    Column("span_end", Integer, nullable=False, default=0),
    Column("quote", Text, nullable=False, default=""),
    Index("ix_fact_sources_fact", "fact_id"),
    Index("ix_fact_sources_message", "message_id"),
)

core_blocks = Table(
    "core_blocks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("content", Text, nullable=False, default=""),
    Column("limit_characters", Integer, nullable=False, default=2000),
    Column("version", Integer, nullable=False, default=1),
    Column("updated_at", TIME, nullable=False),
    UniqueConstraint("space_id", "label", name="uq_core_blocks_label"),
)

core_block_versions = Table(
    "core_block_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("block_id", ForeignKey("core_blocks.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    UniqueConstraint("block_id", "version", name="uq_core_block_versions"),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("added_at", TIME, nullable=False),
    UniqueConstraint("space_id", "content_hash", name="uq_documents_hash"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", ForeignKey("documents.id"), nullable=False),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("document_id", "position", name="uq_chunks_position"),
)

operations = Table(
    "operations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("session_id", ForeignKey("sessions.id")),
    Column("name", Text, nullable=False),  # add, update, forget, search, core_edit, undo, resolve, ...
    Column("asked_by", Text, nullable=False),  # user, model, auto, import
    Column("arguments", JSON, nullable=False),
    Column("result", JSON),  # before/after of a change; hits with channels and scores of a search
    Column("fact_id", Integer),  # the fact it is about; no foreign key: a forgotten fact leaves a tombstone
    Column("undone_by", Integer),
    Column("duration_ms", Float, nullable=False, default=0.0),
    Column("created_at", TIME, nullable=False),
    Index("ix_operations_space", "space_id", "id"),
    Index("ix_operations_fact", "fact_id"),
    sqlite_autoincrement=True,
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("fact_id", ForeignKey("facts.id"), nullable=False),  # the newer claim
    Column("other_id", ForeignKey("facts.id"), nullable=False),  # the one it may contradict
    Column("reason", Text, nullable=False, default=""),
    Column("created_at", TIME, nullable=False),
    Column("resolved_at", TIME),
    Column("resolution", Text),  # keep_both, keep_new, keep_old
)

vectors = Table(
    "vectors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("owner_kind", Text, nullable=False),  # fact, message, chunk
    Column("owner_id", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),  # float32, little endian, unit length
    UniqueConstraint("owner_kind", "owner_id", "model", name="uq_vectors_owner"),
    Index("ix_vectors_space", "space_id", "model", "id"),
    sqlite_autoincrement=True,
)

# What late interaction compares: int8, one row a token, at most 4 KB; only the directions count.
token_states = Table(
    "token_states",
    metadata,
    Column("vector_id", ForeignKey("vectors.id", ondelete="CASCADE"), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

index_queue = Table(
    "index_queue",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_id", Integer, nullable=False),
    # embed (no vector in SQL yet), upsert (vector in SQL, not in the index), delete
    Column("action", Text, nullable=False),
    Column("created_at", TIME, nullable=False),
    Index("ix_index_queue_owner", "owner_kind", "owner_id"),
    sqlite_autoincrement=True,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("space_id", ForeignKey("spaces.id"), nullable=False),
    Column("owner_kind", Text, nullable=False),
    Column("owner_id", Integer, nullable=False),
    Column("forgotten_at", TIME, nullable=False),
    Column("asked_by", Text, nullable=False),
)
