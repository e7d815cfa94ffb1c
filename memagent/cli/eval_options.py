"""Options that the evaluations share: where a run is kept, JSON, and the share below which it has failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from memagent.errors import MemagentError

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, and nothing else.")
out_option = click.option(
    "--out",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the run is kept, and resumed.  [default: evals/ in the home folder]",
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


class BelowTarget(MemagentError):
    """The run went through, and its result is below what was asked for."""


def require_share(least: float | None, found: float, what: str) -> None:
    """Raises BelowTarget where a share is below the one that was asked for."""
    if least is not None and found < least:
        raise BelowTarget(f"the {what} is {found:.1%}, below {least:.1%}", "the table above says where")
