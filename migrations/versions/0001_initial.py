"""The first schema: tables, full text, and the views that people and the model's SQL tool read.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.String(27)
APPLICATION_ID = 0x6D656D61

# table, its searched columns
FULL_TEXT = {
    "facts": ("fact_words", ("subject", "attribute", "value", "text")),
    "messages": ("message_words", ("content",)),
    "chunks": ("chunk_words", ("text",)),
}

VIEWS = {
    "current_facts": """
        select facts.id, spaces.name as space, facts.kind, facts.subject, facts.attribute, facts.value, facts.text,
               facts.valid_from, facts.valid_to, facts.recorded_at, facts.confidence, facts.trust, facts.times_told,
               facts.pinned
        from facts join spaces on spaces.id = facts.space_id
        where facts.retired_at is null""",
    "fact_history": """
        select facts.id, spaces.name as space, facts.kind, facts.subject, facts.attribute, facts.value, facts.text,
               facts.valid_from, facts.valid_to, facts.recorded_at, facts.retired_at, facts.superseded_by,
               facts.confidence, facts.trust, facts.times_told, facts.pinned
        from facts join spaces on spaces.id = facts.space_id""",
    "conversation": """
        select messages.id, spaces.name as space, messages.session_id, sessions.title as session, messages.position,
               messages.role, messages.speaker, messages.content, messages.tokens, messages.created_at
        from messages
        join sessions on sessions.id = messages.session_id
        join spaces on spaces.id = messages.space_id""",
    "operation_log": """
        select operations.id, spaces.name as space, operations.session_id, operations.name, operations.asked_by,
               operations.fact_id, operations.arguments, operations.result, operations.undone_by,
               operations.duration_ms, operations.created_at
        from operations join spaces on spaces.id = operations.space_id""",
}


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    _people_and_talk()
    _documents()
    _facts()
    _decisions()
    _core_blocks()
    _log_and_index()
    for table, (words, columns) in FULL_TEXT.items():
        if sqlite:
            _sqlite_full_text(table, words, columns)
        else:
            _postgresql_full_text(table, columns)
    for name, query in VIEWS.items():
        op.execute(f"create view {name} as {query}")
    if sqlite:
        op.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _people_and_talk() -> None:
    op.create_table(
        "spaces",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
    )
    op.create_index("ix_sessions_space", "sessions", ["space_id", "started_at"])
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id"), nullable=False),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("speaker", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("events", sa.JSON),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("role in ('system', 'user', 'assistant', 'tool')", name="ck_messages_role"),
        sa.UniqueConstraint("session_id", "position", name="uq_messages_position"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_space", "messages", ["space_id", "created_at"])


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.UniqueConstraint("space_id", "content_hash", name="uq_documents_hash"),
    )
    op.create_table(
        "chunks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.Integer, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.UniqueConstraint("document_id", "position", name="uq_chunks_position"),
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("attribute", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("claim_hash", sa.String(64), nullable=False),
        sa.Column("single", sa.Boolean, nullable=False),
        sa.Column("valid_from", TIME),
        sa.Column("valid_to", TIME),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("retired_at", TIME),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("trust", sa.Text, nullable=False),
        sa.Column("times_told", sa.Integer, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("superseded_by", sa.Integer, sa.ForeignKey("facts.id")),
        sa.CheckConstraint("kind in ('fact','preference','event','plan','task','note')", name="ck_facts_kind"),
        sa.CheckConstraint("trust in ('user','model','import','document')", name="ck_facts_trust"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_facts_slot", "facts", ["space_id", "slot"])
    op.create_index("ix_facts_hash", "facts", ["space_id", "claim_hash"])
    op.create_index("ix_facts_recorded", "facts", ["space_id", "recorded_at"])
    op.create_table(
        "fact_sources",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("fact_id", sa.Integer, sa.ForeignKey("facts.id"), nullable=False),
        sa.Column("message_id", sa.Integer, sa.ForeignKey("messages.id")),
        sa.Column("chunk_id", sa.Integer, sa.ForeignKey("chunks.id")),
        sa.Column("span_start", sa.Integer, nullable=False),
        sa.Column("span_end", sa.Integer, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
    )
    op.create_index("ix_fact_sources_fact", "fact_sources", ["fact_id"])
    op.create_index("ix_fact_sources_message", "fact_sources", ["message_id"])


def _decisions() -> None:
    op.create_table(
        "conflicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("fact_id", sa.Integer, sa.ForeignKey("facts.id"), nullable=False),
        sa.Column("other_id", sa.Integer, sa.ForeignKey("facts.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("resolved_at", TIME),
        sa.Column("resolution", sa.Text),
    )
    op.create_table(
        "tombstones",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("forgotten_at", TIME, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
    )


def _core_blocks() -> None:
    op.create_table(
        "core_blocks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("limit_characters", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.UniqueConstraint("space_id", "label", name="uq_core_blocks_label"),
    )
    op.create_table(
        "core_block_versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("block_id", sa.Integer, sa.ForeignKey("core_blocks.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.UniqueConstraint("block_id", "version", name="uq_core_block_versions"),
    )


def _log_and_index() -> None:
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("session_id", sa.Integer, sa.ForeignKey("sessions.id")),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("fact_id", sa.Integer),
        sa.Column("undone_by", sa.Integer),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operations_space", "operations", ["space_id", "id"])
    op.create_index("ix_operations_fact", "operations", ["fact_id"])
    op.create_table(
        "vectors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("owner_kind", "owner_id", "model", name="uq_vectors_owner"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vectors_space", "vectors", ["space_id", "model", "id"])
    op.create_table(
        "index_queue",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("space_id", sa.Integer, sa.ForeignKey("spaces.id"), nullable=False),
        sa.Column("owner_kind", sa.Text, nullable=False),
        sa.Column("owner_id", sa.Integer, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_index_queue_owner", "index_queue", ["owner_kind", "owner_id"])


def _sqlite_full_text(table: str, words: str, columns: tuple[str, ...]) -> None:
    names = ", ".join(columns)
    new = ", ".join(f"new.{column}" for column in columns)
    old = ", ".join(f"old.{column}" for column in columns)
    add = f"insert into {words}(rowid, {names}) values (new.id, {new});"
    # An external-content table is told the words it has to take out.
    remove = f"insert into {words}({words}, rowid, {names}) values ('delete', old.id, {old});"
    tokenizer = "porter unicode61 remove_diacritics 2"
    op.execute(
        f"create virtual table {words} using "
        f"fts5({names}, content='{table}', content_rowid='id', tokenize='{tokenizer}')"
    )
    op.execute(f"create trigger {words}_insert after insert on {table} begin {add} end")
    op.execute(f"create trigger {words}_delete after delete on {table} begin {remove} end")
    op.execute(f"create trigger {words}_update after update of {names} on {table} begin {remove} {add} end")


def _postgresql_full_text(table: str, columns: tuple[str, ...]) -> None:
    text = " || ' ' || ".join(columns)
    text = f"left({text}, 200000)"  # a tsvector holds at most 1 MB
    op.execute(
        f"alter table {table} add column words tsvector generated always as (to_tsvector('english', {text})) stored"
    )
    op.execute(f"create index ix_{table}_words on {table} using gin (words)")
