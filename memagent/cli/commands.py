"""The `memagent` command: its groups and what `--help` says."""

from __future__ import annotations

import click

import memagent
from memagent.cli.chat import ask, chat
from memagent.cli.configuration import completion, config
from memagent.cli.context import context
from memagent.cli.db import db
from memagent.cli.demo import demo
from memagent.cli.doctor import doctor
from memagent.cli.evaluate import evaluate
from memagent.cli.group import EXIT_CODES, Group, location_options
from memagent.cli.interface import on_terminal, tui
from memagent.cli.memories import memories
from memagent.cli.models import models
from memagent.cli.sessions import sessions
from memagent.cli.sql import sql


@click.pass_context
def open_interface(context: click.Context) -> None:
    """Without a command: the terminal interface, or the help where nobody sits in front of a terminal."""
    if context.invoked_subcommand is not None:
        return
    if not on_terminal():
        click.echo(context.get_help())
        context.exit(2)
    context.invoke(tui, session_id=None, go_on=False, serve=False, port=0)


main = Group(
    name="memagent",
    help="An agent with a small model and a large memory, kept in one SQL database.\n\n"
    "Alone it opens the terminal interface, as memagent tui does.\n\n"
    "Data goes to stdout, narration to stderr. The options below also work after the name of a command.",
    epilog=EXIT_CODES,
    params=location_options(hidden=False),
    commands=[
        *(tui, chat, ask, memories, sessions, context, models, sql, db, evaluate),
        *(config, doctor, demo, completion),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    invoke_without_command=True,
    no_args_is_help=False,
    callback=open_interface,
)
main = click.version_option(memagent.__version__, prog_name="memagent")(main)
