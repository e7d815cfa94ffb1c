"""`memagent config` and `memagent completion`."""

from __future__ import annotations

import click

from memagent.cli.app import App, pass_app
from memagent.cli.group import COMPLETION, PROGRAM, Command, Group
from memagent.cli.memories import json_option
from memagent.cli.screen import json_out, note, out, plain, table, visible
from memagent.config import KEYS, masked, write_setting


@click.group(cls=Group, name="config")
def config() -> None:
    """Show and change settings."""


@config.command("show")
@json_option
@pass_app
def show(app: App, as_json: bool) -> None:
    """Show every setting, its value and where it came from."""
    settings = app.settings
    rows = []
    for name, key in KEYS.items():
        value = getattr(settings, key.field)
        value = masked(str(value)) if name.endswith(("store", "url")) and value is not None else value
        rows.append((name, value, settings.sources.get(name, "default"), key.environment, key.meaning))
    if as_json:
        json_out([{"name": name, "value": plain(value), "source": source} for name, value, source, *_ in rows])
    else:
        table(["setting", "value", "from", "environment", "meaning"], rows)


@config.command("path")
@pass_app
def path(app: App) -> None:
    """Print the path of the configuration file."""
    out(visible(app.settings.config_file))


@config.command("set")
@click.argument("name", type=click.Choice([name for name in KEYS if name != "home"]))
@click.argument("value")
@pass_app
def set_value(app: App, name: str, value: str) -> None:
    """Set one value in the configuration file."""
    written = write_setting(app.settings.home, name, value)
    note(f"{name} is set in {written}")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    For bash: eval "$(memagent completion bash)"
    """
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None
    out(completer(context.find_root().command, {}, PROGRAM, COMPLETION).source())
