"""`memagent tui`: the terminal interface, which is also what `memagent` alone opens."""

from __future__ import annotations

import os
import sys

import click

from memagent.cli.app import App, make_home
from memagent.cli.group import Command
from memagent.errors import InputError

SERVE_HINT = "run it in a terminal, or use memagent chat or memagent ask"


@click.command(cls=Command)
@click.option("--session", "session_id", type=int, help="Go on with this conversation.")
@click.option("--continue", "go_on", is_flag=True, help="Go on with the latest conversation.")
@click.option("--serve", is_flag=True, help="In a web browser on this machine. It has no login.")
@click.option("--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="For --serve.")
@click.pass_context
def tui(context: click.Context, session_id: int | None, go_on: bool, serve: bool, port: int) -> None:
    """Talk, watch memory work, browse it, query it: full screen."""
    app = context.ensure_object(App)
    settings = app.settings
    make_home(settings)
    if serve:
        from tui.serve import serve as serve_in_browser

        arguments = [f"--session={session_id}"] if session_id is not None else ["--continue"] if go_on else []
        serve_in_browser(port, [*_location(app), *arguments])
        return
    require_terminal()
    from tui.main import run

    context.exit(run(settings, session_id=session_id, go_on=go_on))


def require_terminal() -> None:
    """Raises InputError where there is no screen to draw on."""
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("the terminal interface needs a terminal", SERVE_HINT)


def on_terminal() -> bool:
    """Whether a person sits in front of a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def _location(app: App) -> list[str]:
    """The location options of this run, for another process of ours."""
    flags = {"home": "--home", "store_url": "--store", "space": "--space", "model": "--model"}
    return [f"{flags[name]}={value}" for name, value in app.overrides.items() if name in flags]
