"""`memagent sessions`: the conversations, verbatim."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import Group
from memagent.cli.memories import confirm, json_option, limit_option, yes_option
from memagent.cli.screen import json_out, note, out, plain, table, visible, when
from memagent.errors import InputError
from memagent.export import session_json, session_markdown, write_new

if TYPE_CHECKING:
    from memagent.memory.records import Session


@click.group(cls=Group, name="sessions")
def sessions() -> None:
    """List, read, rename, export, delete and resume conversations."""


@sessions.command("list")
@limit_option
@json_option
@pass_app
def list_sessions(app: App, limit: int, as_json: bool) -> None:
    """List conversations, newest first."""
    with app.store() as store:
        show_sessions(store.sessions(limit=limit), as_json=as_json)


@sessions.command("search")
@click.argument("query")
@limit_option
@json_option
@pass_app
def search(app: App, query: str, limit: int, as_json: bool) -> None:
    """List the conversations whose title or text has these words."""
    with app.store() as store:
        show_sessions(store.sessions(search=query, limit=limit), as_json=as_json)


def show_sessions(found: list[Session], *, as_json: bool) -> None:
    """Sessions as a table or as JSON."""
    if as_json:
        return json_out(found)
    if not found:
        return note("no conversation fits")
    rows = [[s.id, when(s.started_at), s.messages, s.title, s.model] for s in found]
    table(["id", "started", "messages", "title", "model"], rows)


@sessions.command("show")
@click.argument("session_id", metavar="ID", type=int)
@json_option
@pass_app
def show(app: App, session_id: int, as_json: bool) -> None:
    """Show a conversation with its memory operations, as it was."""
    from memagent.cli.transcript import replay

    with app.store() as store:
        session, messages = store.session(session_id), store.messages(session_id)
    if as_json:
        return json_out({**plain(session), "messages": plain(messages)})
    note(f"session {session.id}, {when(session.started_at)}: {session.title or 'untitled'}")
    replay(messages)


@sessions.command("rename")
@click.argument("session_id", metavar="ID", type=int)
@click.argument("title")
@pass_app
def rename(app: App, session_id: int, title: str) -> None:
    """Give a conversation a title."""
    with app.store() as store:
        store.rename_session(session_id, title)
    note(f"session {session_id} is now called {title}")


@sessions.command("delete")
@click.argument("session_id", metavar="ID", type=int)
@yes_option
@pass_app
def delete(app: App, session_id: int, yes: bool) -> None:
    """Delete a conversation; the memories made of it stay, without their quotes."""
    with app.store() as store:
        session = store.session(session_id)
        confirm(f"Delete session {session_id} with {session.messages} messages for good?", yes=yes)
        store.delete_session(session_id)
    note(f"session {session_id} is deleted")


@sessions.command("export")
@click.argument("session_id", metavar="ID", type=int)
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="A new file instead of stdout.")
@pass_app
def export(app: App, session_id: int, form: str, output: Path | None) -> None:
    """Write a conversation as Markdown or JSON."""
    with app.store() as store:
        session, messages = store.session(session_id), store.messages(session_id)
    text = session_json(session, messages) if form == "json" else session_markdown(session, messages)
    if output is None:
        return out(visible(text) if sys.stdout.isatty() else text)
    write_new(output, text + "\n")
    note(f"{len(messages)} messages written to {output}")


@sessions.command("resume")
@click.argument("session_id", metavar="ID", type=int, required=False)
@click.pass_context
def resume(context: click.Context, session_id: int | None) -> None:
    """Go on with a conversation: the given one, or the latest."""
    from memagent.cli.chat import Chat

    app = context.ensure_object(App)
    with app.store() as store:
        session = store.session(session_id) if session_id is not None else store.latest_session()
    if session is None:
        raise InputError("there is no conversation to go on with", "start one with: memagent chat")
    context.exit(Chat(app, session_id=session.id).run())
