"""The edge of the program: where an error becomes a line of text and an exit code, and options that hold everywhere."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from memagent.cli.app import App
from memagent.cli.log import WarningLines, show_unexpected
from memagent.cli.screen import show_error
from memagent.errors import MemagentError

EXIT_CODES = """\b
Exit codes:
  0    done
  1    something unexpected; the traceback is in memagent.log in the home folder
  2    what was typed or passed is wrong
  3    the database cannot be used (busy, read-only, full, newer, damaged)
  4    no such id, session or file
  5    a query was refused or stopped
  6    a model cannot be loaded, or failed
  130  stopped by Ctrl+C
  141  whoever read the output closed it"""

PROGRAM = "memagent"
COMPLETION = "_MEMAGENT_COMPLETE"


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name is not None:
        context.ensure_object(App).overrides[parameter.name] = value


def location_options(*, hidden: bool) -> list[click.Parameter]:
    """The options that say which memory and which model; understood before and after the command's name."""

    def option(flag: str, name: str, metavar: str, help: str) -> click.Option:
        return click.Option(
            [flag, name], help=help, metavar=metavar, callback=_remember, expose_value=False, hidden=hidden
        )

    return [
        option("--home", "home", "FOLDER", "Folder of configuration, store, index and log.  [MEMAGENT_HOME]"),
        option("--store", "store_url", "URL", "SQL URL of the memory.  [MEMAGENT_STORE]"),
        option("--space", "space", "NAME", "Namespace of memory: a person, a project.  [MEMAGENT_SPACE]"),
        option(
            "--model",
            "model",
            "MODEL",
            "The chat model: a folder, a hub id, http://HOST/v1#NAME; 'memagent' is the shipped one.  [MEMAGENT_MODEL]",
        ),
        option("--mode", "mode", "MODE", "Who uses memory: tools, auto or both.  [MEMAGENT_MODE]"),
        option("--device", "device", "DEVICE", "Where a checkpoint runs: cpu, cuda, mps, cpu:bf16.  [MEMAGENT_DEVICE]"),
    ]


class Command(click.Command):
    """A command that accepts the location options after its name, too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("epilog", "--home, --store, --space, --model and --mode work here, too: memagent --help.")
        super().__init__(*args, **kwargs)
        self.params.extend(location_options(hidden=True))


class Group(click.Group):
    """A group of such commands; the outermost one is the edge."""

    command_class = Command
    group_class = type

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were added, not by the alphabet."""
        return list(self.commands)

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> NoReturn:
        """Run, show whatever goes wrong as a line and a hint, and exit with the code of the error.

        Replaces click's own, which knows a single exit code for a closed pipe, and none for ours.
        """
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        app = App()
        sys.exit(_run(lambda: self._invoke(sys.argv[1:] if args is None else list(args), app), app))

    def _invoke(self, args: list[str], app: App) -> int:
        instruction = os.environ.get(COMPLETION)
        if instruction:
            from click.shell_completion import shell_complete

            return shell_complete(self, {}, PROGRAM, COMPLETION, instruction)
        try:
            with self.make_context(PROGRAM, args, obj=app) as context:
                self.invoke(context)
        except click.exceptions.Exit as end:
            return end.exit_code
        return 0


def _run(command: Callable[[], int], app: App) -> int:
    handler = WarningLines(app)
    logger = logging.getLogger("memagent")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        code = command()
        sys.stdout.flush()
        return code
    except Exception as error:
        return _report(error, app)
    except KeyboardInterrupt:
        return _report(click.Abort(), app)
    finally:
        logger.removeHandler(handler)


def _report(error: BaseException, app: App) -> int:
    if isinstance(error, MemagentError):
        show_error(error.message, error.hint)
        return error.exit_code
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        show_error(error.format_message(), f"{context.command_path} --help" if context else "memagent --help")
        return 2
    if isinstance(error, (click.Abort, EOFError)):
        click.echo("stopped", err=True)
        return 130
    if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC):
        # The interpreter flushes stdout once more on its way out; that must not fail a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return 141
        show_error("there is no space left on the device", "free some space; what was stored before is safe")
        return 3
    return show_unexpected(error, app)
