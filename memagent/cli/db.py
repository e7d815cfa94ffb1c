"""`memagent db`: check, repair and copy the store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import Group
from memagent.cli.memories import json_option
from memagent.cli.screen import json_out, note, out, progress, visible
from memagent.config import masked
from memagent.errors import InputError, StoreError


@click.group(cls=Group, name="db")
def db() -> None:
    """Check, repair, upgrade and copy the database."""


@db.command("path")
@pass_app
def path(app: App) -> None:
    """Print where the database is: a path, or the URL of a server."""
    out(visible(app.settings.store_path or masked(app.settings.store_url)))


@db.command("check")
@json_option
@pass_app
def check(app: App, as_json: bool) -> None:
    """Prove that the database is whole and that every index agrees with it; exit code 3 where it is not."""
    from memagent.memory.maintenance import check as check_store

    with app.store() as store:
        report = check_store(store)
    if as_json:
        json_out({"ok": not report.problems, "problems": report.problems, "counts": report.counts})
    else:
        for name, count in report.counts.items():
            out(f"{visible(name):24}{count:>10}")
        for problem in report.problems:
            out(f"problem: {visible(problem)}")
    require_sound(report.problems)
    note("everything agrees")


def require_sound(problems: Sequence[str]) -> None:
    """Raises StoreError where something was found."""
    if problems:
        first = problems[0] if len(problems) == 1 else f"{len(problems)} problems, the first: {problems[0]}"
        raise StoreError(first, "`memagent db reindex` heals what is derived; for the rest restore a backup")


@db.command("reindex")
@pass_app
def reindex(app: App) -> None:
    """Rebuild full text and the vector index from the database; nothing is embedded twice."""
    from memagent.memory.maintenance import reindex as rebuild

    with app.store(embedder=True) as store, progress("indexing") as show:
        report = rebuild(store, show)
    require_sound(report.problems)
    note("the indexes are rebuilt")


@db.command("upgrade")
@pass_app
def upgrade(app: App) -> None:
    """Bring the schema to this program's version (every start does so, too)."""
    from memagent.memory.database import SCHEMA_VERSION, Database

    database = Database(app.settings.store_url, create=False)
    try:
        changed = database.migrate()
    finally:
        database.close()
    note(f"the schema is at version {SCHEMA_VERSION}" + ("" if changed else " already"))


@db.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@pass_app
def backup(app: App, target: Path) -> None:
    """Copy the database to a new file while it is in use."""
    from memagent.memory.backup import backup as copy

    source = app.settings.store_path
    if source is None:
        raise InputError("this store is on a server", "use pg_dump")
    with progress("copying") as show:
        size = copy(source, target, show)
    note(f"{size:,} bytes written to {target}")
