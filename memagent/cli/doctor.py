"""`memagent doctor`: whether everything that the program needs is there and works, in one screen."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import click

import memagent
from memagent.cli.app import App, make_home
from memagent.cli.group import Command
from memagent.cli.memories import json_option
from memagent.cli.screen import json_out, one_line, out
from memagent.config import masked
from memagent.errors import MemagentError

PACKAGES = ("sqlalchemy", "chromadb", "onnxruntime", "numpy", "torch", "transformers", "openai", "textual", "psycopg")
COUNTS = ("sessions", "messages", "current_facts", "documents", "conflicts", "waiting_to_embed")
Finding = tuple[str, str, str]  # what was looked at; ok, missing (optional), or failed; detail


@click.command(cls=Command)
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check the installation, the store and the model.

    Exit code 1 where something fails.
    """
    app = context.ensure_object(App)
    findings = []
    for finding in examine(app):
        findings.append(finding)
        if not as_json:
            name, state, detail = finding
            sign = {"ok": click.style("ok     ", fg="green"), "missing": "-      "}.get(state)
            out(f"{sign or click.style('failed ', fg='red')}{name:14}{one_line(detail)}")
    if as_json:
        json_out([{"name": name, "state": state, "detail": detail} for name, state, detail in findings])
    context.exit(int(any(state == "failed" for _, state, _ in findings)))


def examine(app: App) -> Iterator[Finding]:
    """Everything that is looked at, cheapest first."""
    yield "memagent", "ok", f"{memagent.__version__}, Python {platform.python_version()}, {platform.platform()}"
    for name in PACKAGES:
        yield _package(name)
    for name, look in (("home", _home), ("store", _store), ("indexes", _indexes), ("model", _model)):
        yield _guarded(name, look, app)


def _package(name: str) -> Finding:
    try:
        return name, "ok", version(name)
    except PackageNotFoundError:
        return name, "missing", "not installed (optional)"


def _guarded(name: str, look: Callable[[App], str], app: App) -> Finding:
    try:
        return name, "ok", look(app)
    except MemagentError as error:
        return name, "failed", f"{error.message}; {error.hint}"


def _home(app: App) -> str:
    make_home(app.settings)
    home = app.settings.home
    free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize if hasattr(os, "statvfs") else 0
    if not os.access(home, os.W_OK):
        raise MemagentError(f"{home} cannot be written", "choose another with --home")
    return f"{home}, {free / 1e9:.1f} GB free"


def _store(app: App) -> str:
    with app.store(create=True) as store:
        counts = store.stats()
    path = app.settings.store_path
    size = f", {path.stat().st_size / 1e6:.1f} MB" if path else ""
    held = [f"{counts[name]} {name.replace('_', ' ')}" for name in COUNTS if counts[name]]
    return f"{path or masked(app.settings.store_url)}{size}: " + (", ".join(held) or "empty")


def _indexes(app: App) -> str:
    from memagent.memory.maintenance import check

    with app.store() as store:
        report = check(store)
    if report.problems:
        raise MemagentError("; ".join(report.problems), "memagent db reindex")
    return "agree with the database"


def _model(app: App) -> str:
    from memagent.agent.assemble import open_agent

    started = time.perf_counter()
    agent = open_agent(app.settings, load="now")
    agent.close()
    return f"{app.settings.model} loads in {time.perf_counter() - started:.1f} s"
