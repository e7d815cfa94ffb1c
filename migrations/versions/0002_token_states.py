"""Token states for late interaction, and an index of who speaks.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "token_states",
        sa.Column("vector_id", sa.Integer, sa.ForeignKey("vectors.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    named = sa.text("speaker <> ''")
    op.create_index(
        "ix_messages_speaker", "messages", ["space_id", "speaker"], sqlite_where=named, postgresql_where=named
    )
