"""Runs the migrations on the connection that `memagent.memory.database` hands over, inside its transaction.

A new revision: `alembic -x url=sqlite:///some.db revision --autogenerate -m "what changes"` in the source tree.
"""

from __future__ import annotations

from alembic import context

from memagent.memory.tables import metadata


def _run(connection: object) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is not None:
    _run(connection)
else:
    from memagent.memory.database import Database

    with Database(context.get_x_argument(as_dictionary=True)["url"]).write() as unit:
        _run(unit)
