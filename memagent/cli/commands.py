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
from memagent.cli.memories import memories
from memagent.cli.models import models
from memagent.cli.sessions import sessions
from memagent.cli.sql import sql

main = Group(
    name="memagent",
    help="An agent with a small model and a large memory, kept in one SQL database.\n\n"
    "Start with: memagent chat\n\n"
    "Data goes to stdout, narration to stderr. The options below also work after the name of a command.",
    epilog=EXIT_CODES,
    params=location_options(hidden=False),
    commands=[
        *(chat, ask, memories, sessions, context, models, sql, db, evaluate),
        *(config, doctor, demo, completion),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
)
main = click.version_option(memagent.__version__, prog_name="memagent")(main)
