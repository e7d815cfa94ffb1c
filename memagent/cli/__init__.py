"""The command line: commands without logic. Everything they do is a call of the library below."""

from __future__ import annotations

from memagent.cli.commands import main

__all__ = ["main"]
