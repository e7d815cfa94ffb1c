"""Options that the evaluations share: what is measured, where a run is kept, the share below which it has failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from memagent.cli.screen import json_out, note, out, table
from memagent.errors import InputError, MemagentError

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, and nothing else.")
watts_option = click.option(
    "--watts",
    type=click.FloatRange(min=0, min_open=True),
    default=15.0,
    show_default=True,
    help="Power of a busy core, for joules where the machine does not count them.",
)


class Share(click.ParamType[float]):
    """A share: 0.9, 90 or 90% are the same."""

    name = "SHARE"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        share = number / 100 if text.endswith("%") or number > 1 else number
        if not 0 <= share <= 1:
            self.fail(f"{text!r} is no share; write 0.9 or 90%", parameter, context)
        return share


SHARE = Share()


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that runs something: as `systems`, `folder`, `as_json`, `watts`, `fail_under`."""
    options = (
        click.option(
            "--system",
            "systems",
            default="memagent",
            show_default=True,
            metavar="NAME[,NAME]",
            help="What is measured: memagent, no-memory, window, full-context, bm25, dense, mem0, langgraph-memory, "
            "langgraph-sqlite, txtai, basic-memory; or all.",
        ),
        click.option(
            "--out",
            "folder",
            metavar="FOLDER",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where the run is kept, and resumed.  [default: evals/ in the home folder]",
        ),
        json_option,
        watts_option,
        click.option("--fail-under", type=SHARE, help="Exit code 1 where the pass rate is below: 0.9 or 90%."),
    )
    for option in reversed(options):
        command = option(command)
    return command


class BelowTarget(MemagentError):
    """The run went through, and its result is below what was asked for."""


def require_share(least: float | None, found: float, what: str) -> None:
    """Raises BelowTarget where a share is below the one that was asked for."""
    if least is not None and found < least:
        raise BelowTarget(f"the {what} is {found:.1%}, below {least:.1%}", "the table above says where")


def require_several(names: Sequence[str], least: float | None) -> tuple[str, ...]:
    """Those of several systems that are installed; what is not is told. Raises InputError where none is."""
    from memagent.evals.systems.registry import available

    if least is not None:
        raise InputError("--fail-under judges one system", "name a single --system with it")
    found = tuple(available(names, note))
    if not found:
        raise InputError("none of these systems is installed", "what is missing stands above")
    return found


def show_systems(folders: Sequence[Path], as_json: bool, watts: float) -> None:
    """Runs of several systems beside each other."""
    from memagent.evals.reports import systems
    from memagent.evals.reports.runs import read_kept

    kept = [read_kept(folder) for folder in folders]
    if as_json:
        json_out({"systems": systems.to_json(kept, watts)})
    else:
        shown = systems.table(kept, watts)
        out(click.style(shown.title, bold=True))
        table(shown.columns, shown.rows)
        out(f"({shown.note})")
    note(f"kept in {folders[0].parent}", dim=False)
